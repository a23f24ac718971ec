// Linux and the FakeKernel answer random programs alike.

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

// 4000 programs take 3 s on an idle machine, and ThreadSanitizer's 30.
constexpr int64_t kPrograms = 4000;

// The deadline decides only when the test fails.
Plan AllPrograms(uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  plan.programs = kPrograms;
  plan.deadline = absl::Now() + absl::Minutes(10);
  plan.findings = 3;
  plan.shrinking = absl::Seconds(3);
  return plan;
}

void ExpectAlike(uint64_t seed) {
  std::cout << "seed " << seed << "\n";
  LinuxWorlds oracle;
  FakeWorlds subject;
  const absl::StatusOr<Outcome> outcome =
      Search(oracle, subject, AllPrograms(seed));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const Finding& finding : outcome->findings) {
    ADD_FAILURE() << FindingText(finding);
  }
  if (outcome->findings.empty()) {
    EXPECT_EQ(outcome->programs, kPrograms) << "The others had no time.";
  }
  // What does not come again is Linux being interrupted: rare, or it is not.
  EXPECT_LE(outcome->unstable, 1 + outcome->programs / 100);
}

// New programs are .ci/fuzz's: a test that decides whether work may land must
// not depend on which ones come.
TEST(DifferentialTest, TheSameProgramsEveryTime) { ExpectAlike(20260101); }

}  // namespace
}  // namespace net::differential
