#include "conformance/engine/rerun.h"

#include <unistd.h>

#include <cstddef>
#include <vector>

#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "conformance/suite/context.h"
#include "conformance/targets/run_on_linux.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/process_tree.h"

namespace net::conformance {
namespace {

using testing::Each;
using testing::IsEmpty;
using testing::SizeIs;

// Classifies a trial whose runs end unexpectedly as listed, and as expected
// after the list. Counts its runs.
Rerun ClassifyRuns(const std::vector<bool>& unexpected, int& runs) {
  runs = 0;
  return ClassifyAgain([&] {
    const auto run = static_cast<size_t>(runs++);
    return run < unexpected.size() && unexpected[run];
  });
}

TEST(RerunTest, EachTimeAloneIsDeterministic) {
  int runs = 0;
  EXPECT_EQ(ClassifyRuns({true, true}, runs), Rerun::kDeterministic);
  EXPECT_EQ(runs, 2);
}

TEST(RerunTest, OnceAloneIsTimingSensitive) {
  int runs = 0;
  EXPECT_EQ(ClassifyRuns({false, true}, runs), Rerun::kTimingSensitive);
  EXPECT_EQ(ClassifyRuns({true, false}, runs), Rerun::kTimingSensitive);
  EXPECT_EQ(runs, 2);
}

TEST(RerunTest, OnlyUnderNoiseIsTimingSensitive) {
  int runs = 0;
  EXPECT_EQ(ClassifyRuns({false, false, false, true}, runs),
            Rerun::kTimingSensitive);
  EXPECT_EQ(runs, 4);
}

TEST(RerunTest, NotAgainIsInterference) {
  int runs = 0;
  EXPECT_EQ(ClassifyRuns({}, runs), Rerun::kInterference);
  EXPECT_EQ(runs, 10);
}

TEST(RerunTest, OnlyTheRunsAfterTheFirstTwoHaveNoiseBesideThem) {
  std::vector<bool> has_noise;
  ClassifyAgain([&] {
    has_noise.push_back(!sandbox::ChildrenOf(getpid()).empty());
    return false;
  });
  ASSERT_THAT(has_noise, SizeIs(10U));
  EXPECT_THAT(std::vector<bool>(has_noise.begin(), has_noise.begin() + 2),
              Each(false));
  EXPECT_THAT(std::vector<bool>(has_noise.begin() + 2, has_noise.end()),
              Each(true));
  EXPECT_THAT(sandbox::ChildrenOf(getpid()), IsEmpty());
}

TEST(RerunTest, ATrialIsJudgedByItsRecords) {
  const Target target = NetTcpOnLinux();
  const Case failing = MakeCase([](Context&) { ADD_FAILURE() << "no"; });
  const Case passing = MakeCase([](Context&) {});
  const auto is_expected = [](const Record& record) {
    return IsExpected(record.verdict);
  };
  IdleSubjects subjects;
  EXPECT_EQ(RunAgain({.test_case = &failing, .target = &target}, {},
                     is_expected, subjects),
            Rerun::kDeterministic);
  EXPECT_EQ(RunAgain({.test_case = &passing, .target = &target}, {},
                     is_expected, subjects),
            Rerun::kInterference);
}

}  // namespace
}  // namespace net::conformance
