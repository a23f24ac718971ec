// Linux and the FakeKernel return equal results for random programs also if
// Linux delivers late, as on a busy machine.

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/fake_worlds.h"
#include "fakes/differential/linux_worlds.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/late_loopback.h"

namespace net::differential {
namespace {

constexpr int64_t kPrograms = 150;

TEST(LateLinuxTest, NoProgramDiffers) {
  LinuxWorldFactory oracle(&sandbox::DeliverOnAnotherProcessor);
  if (const auto world = oracle.Make(); !world.ok()) {
    GTEST_SKIP() << world.status();
  }
  FakeWorldFactory candidate;
  CampaignOptions options;
  options.seed = 20261130;
  options.programs = kPrograms;
  options.deadline = absl::Now() + absl::Minutes(10);
  options.findings = 3;
  options.shrinking = absl::Seconds(3);
  const absl::StatusOr<CampaignResult> outcome =
      Search(oracle, candidate, options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const Finding& finding : outcome->findings) {
    ADD_FAILURE() << FindingText(finding);
  }
  // Otherwise nothing came late.
  EXPECT_GT(outcome->late, 0);
}

}  // namespace
}  // namespace net::differential
