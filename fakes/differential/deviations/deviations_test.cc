// Checks that the differential test finds every deviation of the patched
// FakeKernel.

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/deviations/deviation.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/fake_worlds.h"
#include "fakes/differential/linux_worlds.h"
#include "fakes/differential/threads/fake_threads.h"
#include "fakes/differential/threads/linux_threads.h"
#include "fakes/differential/threads/thread_campaign.h"
#include "fakes/differential/threads/thread_differ.h"
#include "fakes/differential/timed/fake_timed.h"
#include "fakes/differential/timed/linux_timed.h"
#include "fakes/differential/timed/timed_campaign.h"
#include "fakes/differential/timed/timed_differ.h"
#include "gtest/gtest.h"

namespace net::fake {

void PrintTo(const Deviation& deviation, std::ostream* os) {
  *os << deviation.name;
}

}  // namespace net::fake

namespace net::differential {
namespace {

class DeviationsTest : public testing::TestWithParam<fake::Deviation> {};

// The deadline limits a search that would fail anyway: a deviation is found in
// seconds on an idle machine.
CampaignOptions UntilTheFirst() {
  CampaignOptions options;
  options.seed = 1;
  options.deadline = absl::Now() + absl::Minutes(3);
  options.shrinking = absl::Seconds(1);
  return options;
}

void ExpectFoundInThreads(const fake::Deviation& deviation) {
  LinuxThreads oracle;
  FakeThreads candidate;
  ASSERT_TRUE(fake::SelectDeviation(deviation.name));
  const absl::StatusOr<ThreadCampaignResult> outcome =
      SearchThreads(oracle, candidate, UntilTheFirst());
  fake::SelectDeviation("");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->findings.size(), 1U)
      << outcome->programs << " programs did not show that "
      << deviation.meaning;
  // Without the deviation, this program shows no difference.
  const ThreadedDifference& found = outcome->findings[0].difference;
  const absl::StatusOr<std::optional<ThreadedDifference>> otherwise =
      ThreadDiffer(oracle, candidate).Compare(found.program, found.start);
  ASSERT_TRUE(otherwise.ok()) << otherwise.status();
  EXPECT_FALSE(otherwise->has_value()) << FindingText(outcome->findings[0]);
  std::cout << "after " << outcome->programs
            << " programs: " << deviation.meaning << "\n"
            << FindingText(outcome->findings[0]);
}

void ExpectFound(const fake::Deviation& deviation) {
  LinuxWorldFactory oracle;
  FakeWorldFactory candidate;
  ASSERT_TRUE(fake::SelectDeviation(deviation.name));
  const absl::StatusOr<CampaignResult> outcome =
      Search(oracle, candidate, UntilTheFirst());
  fake::SelectDeviation("");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->findings.size(), 1U)
      << outcome->programs << " programs did not show that "
      << deviation.meaning;
  // Without the deviation, this program shows no difference.
  const absl::StatusOr<std::optional<Difference>> otherwise =
      Differ(oracle, candidate)
          .Compare(outcome->findings[0].difference.program);
  ASSERT_TRUE(otherwise.ok()) << otherwise.status();
  EXPECT_FALSE(otherwise->has_value()) << FindingText(outcome->findings[0]);
  std::cout << "after " << outcome->programs
            << " programs: " << deviation.meaning << "\n"
            << FindingText(outcome->findings[0]);
}

void ExpectFoundInTime(const fake::Deviation& deviation) {
  static const absl::StatusOr<std::unique_ptr<LinuxTimed>>& oracle =
      *new auto(LinuxTimed::Make());
  ASSERT_TRUE(oracle.ok()) << oracle.status();
  CampaignOptions options = UntilTheFirst();
  options.deadline = absl::Now() + absl::Minutes(6);
  ASSERT_TRUE(fake::SelectDeviation(deviation.name));
  const absl::StatusOr<TimedCampaignResult> outcome =
      SearchTimed(**oracle, &PlanOnFake, options, [](uint64_t) {});
  fake::SelectDeviation("");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->findings.size(), 1U)
      << outcome->programs << " programs did not show that "
      << deviation.meaning;
  // Without the deviation, this program shows no difference.
  const absl::StatusOr<std::optional<TimedDifference>> otherwise =
      TimedDiffer(**oracle, &PlanOnFake)
          .CompareAlone(outcome->findings[0].difference.program);
  ASSERT_TRUE(otherwise.ok()) << otherwise.status();
  EXPECT_FALSE(otherwise->has_value()) << FindingText(outcome->findings[0]);
  std::cout << "after " << outcome->programs
            << " programs: " << deviation.meaning << "\n"
            << FindingText(outcome->findings[0]);
}

TEST_P(DeviationsTest, IsFound) {
  switch (GetParam().kind) {
    case fake::Deviation::kPlain:
      return ExpectFound(GetParam());
    case fake::Deviation::kThreads:
      return ExpectFoundInThreads(GetParam());
    case fake::Deviation::kTimed:
      return ExpectFoundInTime(GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DeviationsTest, testing::ValuesIn(fake::Deviations()),
    [](const testing::TestParamInfo<fake::Deviation>& one) {
      return std::string(one.param.name);
    });

}  // namespace
}  // namespace net::differential
