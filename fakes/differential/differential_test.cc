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

// So many programs, or as many as there is time for.
Plan Bounded(uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  plan.programs = 4000;
  plan.deadline = absl::Now() + absl::Seconds(30);
  plan.findings = 3;
  plan.shrinking = absl::Seconds(3);
  return plan;
}

void ExpectAlike(uint64_t seed) {
  std::cout << "seed " << seed << "\n";
  LinuxWorlds oracle;
  FakeWorlds subject;
  const absl::StatusOr<Outcome> outcome =
      Search(oracle, subject, Bounded(seed));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const Finding& finding : outcome->findings) {
    ADD_FAILURE() << FindingText(finding);
  }
  EXPECT_GT(outcome->programs, 0);
  // What does not come again is Linux being interrupted: rare, or it is not.
  EXPECT_LE(outcome->unstable, 1 + outcome->programs / 100);
}

// New programs are .ci/fuzz's: a test that decides whether work may land must
// not depend on which ones come.
TEST(DifferentialTest, TheSameProgramsEveryTime) { ExpectAlike(20260101); }

}  // namespace
}  // namespace net::differential
