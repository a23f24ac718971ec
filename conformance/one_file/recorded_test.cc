#include "conformance/one_file/recorded.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/one_file/embedded.h"
#include "conformance/suite/case.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

constexpr Case kFirst = {.id = "kernel.first"};
constexpr Case kSecond = {.id = "kernel.second"};

Record MakeRecord(const Case& test_case, AddressFamily family,
                  Outcome outcome) {
  return {.trial = {.test_case = &test_case, .family = family},
          .verdict = {.outcome = outcome}};
}

// The build takes the text of linux_6_18.txt, which --write-recorded writes.
TEST(RecordedOnLinuxTest, HasEachTrialOnce) {
  const auto recorded = RecordedOutcomes::Parse(kRecordedOnLinux);
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  const Target linux_kernel = {.name = "linux", .cases = AllKernelCases()};
  const auto cases = SelectCases({&linux_kernel}, {});
  ASSERT_TRUE(cases.ok()) << cases.status();
  const std::vector<Trial> trials = MakeTrials(*cases, {&linux_kernel});
  std::vector<std::string> missing;
  for (const Trial& trial : trials) {
    if (!recorded->Find(trial.test_case->id, trial.family).has_value()) {
      missing.push_back(TrialName(trial));
    }
  }
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_EQ(recorded->size(), trials.size()) << "some cases no longer exist";
  EXPECT_THAT(recorded->on(), HasSubstr("Linux 6.18"));
}

TEST(RecordedOutcomesTest, TextIsRead) {
  const std::vector<Record> records = {
      MakeRecord(kSecond, AddressFamily::kV4, Outcome::kPass),
      MakeRecord(kFirst, AddressFamily::kV4, Outcome::kPass),
      MakeRecord(kFirst, AddressFamily::kV6, Outcome::kPass),
      MakeRecord(kSecond, AddressFamily::kV6, Outcome::kVariation)};
  const std::string text = RecordedOutcomes::Of(records, "a kernel").Text();
  EXPECT_EQ(text,
            "on a kernel\n"
            "kernel.first v4,v6 pass\n"
            "kernel.second v4 pass\n"
            "kernel.second v6 variation\n");
  const auto parsed =
      RecordedOutcomes::Parse(absl::StrCat("# A comment.\n", text));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->on(), "a kernel");
  EXPECT_EQ(parsed->size(), 4U);
  EXPECT_THAT(parsed->Find("kernel.second", AddressFamily::kV6),
              Optional(Outcome::kVariation));
  EXPECT_EQ(parsed->Find("kernel.third", AddressFamily::kV4), std::nullopt);
}

TEST(RecordedOutcomesTest, MistakesAreNamed) {
  for (const char* text :
       {"", "kernel.first v4 pass\n", "on a kernel\nkernel.first v4\n",
        "on a kernel\nkernel.first v4 passed\n",
        "on a kernel\nkernel.first v5 pass\n",
        "on a kernel\nkernel.first v4 pass\nkernel.first v6,v4 fail\n"}) {
    EXPECT_FALSE(RecordedOutcomes::Parse(text).ok()) << text;
  }
}

TEST(CompareTest, SortsTrials) {
  const auto recorded = RecordedOutcomes::Parse(
      "on a kernel\n"
      "kernel.first v4,v6 pass\n"
      "kernel.second v4 pass\n");
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  const std::vector<Record> records = {
      MakeRecord(kFirst, AddressFamily::kV4, Outcome::kFail),
      MakeRecord(kFirst, AddressFamily::kV6, Outcome::kPrecondition),
      MakeRecord(kSecond, AddressFamily::kV4, Outcome::kPass),
      MakeRecord(kSecond, AddressFamily::kV6, Outcome::kPass)};
  const Comparison comparison = Compare(records, *recorded);
  EXPECT_EQ(comparison.same, 1U);
  EXPECT_EQ(comparison.preconditions, 1U);
  EXPECT_EQ(comparison.not_recorded, 1U);
  EXPECT_THAT(comparison.different, ElementsAre(&records[0]));
}

TEST(CompareTest, VariationsAndExpectedFailuresAreAllowed) {
  EXPECT_TRUE(IsAllowed(
      MakeRecord(kFirst, AddressFamily::kV4, Outcome::kExpectedFail)));
  EXPECT_TRUE(
      IsAllowed(MakeRecord(kFirst, AddressFamily::kV4, Outcome::kVariation)));
  EXPECT_FALSE(
      IsAllowed(MakeRecord(kFirst, AddressFamily::kV4, Outcome::kPass)));
}

}  // namespace
}  // namespace net::conformance
