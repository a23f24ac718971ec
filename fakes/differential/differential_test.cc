// Linux and the FakeKernel return equal results for random programs.

#include <cstdint>
#include <iostream>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/fake_worlds.h"
#include "fakes/differential/linux_worlds.h"
#include "gtest/gtest.h"

namespace net::differential {
namespace {

// 4000 programs take 3 s on an idle machine, and 30 s with ThreadSanitizer.
constexpr int64_t kPrograms = 4000;

// The deadline only limits a run that would fail anyway.
CampaignOptions AllPrograms(uint64_t seed) {
  CampaignOptions options;
  options.seed = seed;
  options.programs = kPrograms;
  options.deadline = absl::Now() + absl::Minutes(10);
  options.findings = 3;
  options.shrinking = absl::Seconds(3);
  return options;
}

void ExpectAlike(uint64_t seed) {
  std::cout << "seed " << seed << "\n";
  LinuxWorldFactory oracle;
  FakeWorldFactory candidate;
  const absl::StatusOr<CampaignResult> outcome =
      Search(oracle, candidate, AllPrograms(seed));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const Finding& finding : outcome->findings) {
    ADD_FAILURE() << FindingText(finding);
  }
  if (outcome->findings.empty()) {
    EXPECT_EQ(outcome->programs, kPrograms)
        << "The deadline ended the run early.";
  }
  // Differences that cannot be reproduced come from interruptions of Linux, and
  // those must be rare.
  EXPECT_LE(outcome->unstable, 1 + outcome->programs / 100);
}

// .ci/fuzz runs new programs. A test that decides whether work may land must
// run the same programs each time.
TEST(DifferentialTest, TheSameProgramsEveryTime) { ExpectAlike(20260101); }

}  // namespace
}  // namespace net::differential
