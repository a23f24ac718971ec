// Programs whose threads block have the same results also if Linux delivers
// late, as on a busy machine.

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/threads/fake_threads.h"
#include "fakes/differential/threads/generate_threads.h"
#include "fakes/differential/threads/linux_threads.h"
#include "fakes/differential/threads/thread_campaign.h"
#include "fakes/differential/threads/threaded_program.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/late_loopback.h"

namespace net::differential {
namespace {

constexpr int64_t kPrograms = 300;

TEST(LateThreadsTest, NoProgramDiffers) {
  LinuxThreads oracle(&sandbox::DeliverOnAnotherProcessor);
  const ThreadedProgram first = ThreadedProgramOf(1);
  if (const absl::StatusOr<ThreadedAnswer> answer =
          oracle.Run(first, ThreadStartOf(first, /*seed=*/1, /*run=*/0));
      !answer.ok()) {
    GTEST_SKIP() << answer.status();
  }
  FakeThreads candidate;
  CampaignOptions options;
  options.seed = 20261201;
  options.programs = kPrograms;
  options.deadline = absl::Now() + absl::Minutes(10);
  options.findings = 3;
  options.shrinking = absl::Seconds(3);
  const absl::StatusOr<ThreadCampaignResult> outcome =
      SearchThreads(oracle, candidate, options);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const ThreadedFinding& finding : outcome->findings) {
    ADD_FAILURE() << FindingText(finding);
  }
  // Half of them are unstable if nobody waits for deliveries.
  EXPECT_LE(outcome->unstable, kPrograms / 10);
}

}  // namespace
}  // namespace net::differential
