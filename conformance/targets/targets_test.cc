#include "conformance/targets/targets.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/cases.h"
#include "conformance/engine/trial.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/suite/case.h"
#include "conformance/targets/driver_targets.h"
#include "gtest/gtest.h"

// Tests of the tables of cases, and of which target is judged by which.

namespace net::conformance {
namespace {

std::vector<Case> BothTables() {
  std::vector<Case> cases = AllCases();
  cases.insert(cases.end(), AllKernelCases().begin(), AllKernelCases().end());
  return cases;
}

TEST(CaseTablesTest, IdsAreUniqueOverBothTables) {
  std::set<absl::string_view> ids;
  for (const Case& one : BothTables()) {
    EXPECT_TRUE(ids.insert(one.id).second) << one.id;
  }
}

TEST(CaseTablesTest, EveryCaseSaysWhatItRequiresAndWhereThatIsWritten) {
  for (const Case& one : BothTables()) {
    EXPECT_TRUE(absl::StrContains(one.requirement, "must") ||
                absl::StrContains(one.requirement, "should") ||
                absl::StrContains(one.requirement, "may"))
        << one.id;
    EXPECT_TRUE(absl::EndsWith(one.requirement, ".")) << one.id;
    EXPECT_FALSE(one.source.empty()) << one.id;
    EXPECT_NE(one.run, nullptr) << one.id;
  }
}

TEST(CaseTablesTest, ThePrefixOfAnIdTellsItsTable) {
  for (const Case& one : AllCases()) {
    EXPECT_FALSE(absl::StartsWith(one.id, "kernel.")) << one.id;
  }
  for (const Case& one : AllKernelCases()) {
    EXPECT_TRUE(absl::StartsWith(one.id, "kernel.")) << one.id;
  }
}

TEST(MakeTargetsTest, ImplementationsAndKernelsAreJudgedByTheirOwnTables) {
  const std::map<std::string, const Case*> tables = {
      {"net_tcp", AllCases().data()},
      {"net_tcp_on_fake_kernel", AllCases().data()},
      {"asio", AllCases().data()},
      {"asio_on_fake_kernel", AllCases().data()},
      {"libuv", AllCases().data()},
      {"libuv_on_fake_kernel", AllCases().data()},
      {"python_on_fake_kernel", AllCases().data()},
      {"linux", AllKernelCases().data()},
      {"fake_kernel", AllKernelCases().data()},
  };
  std::map<std::string, const Case*> actual;
  for (const Target& target : MakeTargets({})) {
    actual[target.name] = target.cases.data();
  }
  EXPECT_EQ(actual, tables);
}

TEST(TargetNameOfTest, WhatCannotBeATargetsNameIsReplaced) {
  EXPECT_EQ(TargetNameOf("hare-0.24"), "hare-0.24");
  EXPECT_EQ(TargetNameOf("Node.js v18, libuv"), "Node.js_v18__libuv");
  EXPECT_EQ(TargetNameOf(std::string(100, 'x')), std::string(40, 'x'));
  for (const char* name : {"", "   ", "--records=x", "-", "\xc3\xa9\n"}) {
    EXPECT_EQ(TargetNameOf(name), "") << name;
  }
}

}  // namespace
}  // namespace net::conformance
