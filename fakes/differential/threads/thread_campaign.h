#ifndef FAKES_DIFFERENTIAL_THREADS_THREAD_CAMPAIGN_H_
#define FAKES_DIFFERENTIAL_THREADS_THREAD_CAMPAIGN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/threads/thread_differ.h"
#include "fakes/differential/threads/threaded_kernels.h"

namespace net::differential {

// A difference after shrinking, and the seed of its program.
struct ThreadedFinding {
  uint64_t seed = 0;
  ThreadedDifference difference;
};

struct ThreadCampaignResult {
  // Does not count the smaller programs that shrinking tried.
  int64_t programs = 0;
  // The number of programs of which a thread was blocked for good on the
  // oracle.
  int64_t blocked = 0;
  // See thread_differ.h. Shrinking counts, too.
  int64_t schedules = 0;
  int64_t unexhausted = 0;
  int64_t unstable = 0;
  std::vector<ThreadedFinding> findings;
};

// The number of times that the oracle runs each program, each time with another
// ThreadStart.
inline constexpr int kRunsOfAProgram = 2;

// Runs programs with threads. Differences whose shrunk programs make the same
// calls count as one finding. Calls `before_each` with the seed of each
// program. Returns an error if the oracle cannot run a program.
absl::StatusOr<ThreadCampaignResult> SearchThreads(
    ThreadedKernel& oracle, ScheduledKernel& candidate,
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each);
absl::StatusOr<ThreadCampaignResult> SearchThreads(
    ThreadedKernel& oracle, ScheduledKernel& candidate,
    const CampaignOptions& options);

// Returns a finding as text: the seed, the answers with their schedules, and
// the program as C++ (print_threads.h).
std::string FindingText(const ThreadedFinding& finding);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_THREAD_CAMPAIGN_H_
