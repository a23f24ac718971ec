// Programs in which time passes and links fail give equal results on Linux and
// on the FakeKernel.

#include <cstdint>
#include <iostream>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/timed/fake_timed.h"
#include "fakes/differential/timed/linux_timed.h"
#include "fakes/differential/timed/timed_campaign.h"
#include "gtest/gtest.h"

namespace net::differential {
namespace {

// They take 25 s, most of which they sleep.
constexpr int64_t kPrograms = 2 * kTimedProgramsAtOnce;

// .ci/fuzz runs new programs. A test that decides whether work may land must
// run the same programs each time.
TEST(TimedProgramsTest, TheSameProgramsEveryTime) {
  const absl::StatusOr<std::unique_ptr<LinuxTimed>> oracle = LinuxTimed::Make();
  ASSERT_TRUE(oracle.ok()) << oracle.status();
  CampaignOptions options;
  options.seed = 20260101;
  options.programs = kPrograms;
  options.findings = 3;
  options.shrinking = absl::Seconds(30);
  // Limits only a run that would fail anyway.
  options.deadline = absl::Now() + absl::Minutes(5);
  const absl::StatusOr<TimedCampaignResult> outcome =
      SearchTimed(**oracle, &PlanOnFake, options, [](uint64_t) {});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const TimedFinding& finding : outcome->findings) {
    ADD_FAILURE() << FindingText(finding);
  }
  std::cout << outcome->programs << " programs were compared, "
            << outcome->delayed << " were not because the machine was busy, "
            << outcome->unstable << " differed only once\n";
  EXPECT_GT(outcome->programs, 0);
}

}  // namespace
}  // namespace net::differential
