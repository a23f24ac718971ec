// Programs whose threads begin one after the other have the same results also
// if Linux delivers late, as on a busy machine. (If they begin at once, two
// deliveries can overlap, which no order of calls explains.)

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "fakes/differential/threads/fake_threads.h"
#include "fakes/differential/threads/generate_threads.h"
#include "fakes/differential/threads/linux_threads.h"
#include "fakes/differential/threads/print_threads.h"
#include "fakes/differential/threads/thread_differ.h"
#include "fakes/differential/threads/threaded_program.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/late_loopback.h"

namespace net::differential {
namespace {

constexpr uint64_t kPrograms = 300;

TEST(LateThreadsTest, NoProgramDiffers) {
  LinuxThreads oracle(&sandbox::DeliverOnAnotherProcessor);
  const ThreadedProgram first = ThreadedProgramOf(1);
  if (const absl::StatusOr<ThreadedAnswer> answer =
          oracle.Run(first, ThreadStartOf(first, /*seed=*/1, /*run=*/0));
      !answer.ok()) {
    GTEST_SKIP() << answer.status();
  }
  FakeThreads candidate;
  ThreadDiffer differ(oracle, candidate);
  for (uint64_t seed = 1; seed <= kPrograms; ++seed) {
    const ThreadedProgram program = ThreadedProgramOf(seed);
    const absl::StatusOr<std::optional<ThreadedDifference>> difference =
        differ.Compare(program, ThreadStartOf(program, seed, /*run=*/0));
    ASSERT_TRUE(difference.ok()) << difference.status();
    EXPECT_FALSE(difference->has_value())
        << PrintThreadedDifference("Found", **difference);
  }
  // Half of them are unstable if nobody waits for deliveries.
  EXPECT_LE(differ.unstable(), 15);
}

}  // namespace
}  // namespace net::differential
