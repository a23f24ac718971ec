#ifndef FAKES_DIFFERENTIAL_TIMED_TIMED_CAMPAIGN_H_
#define FAKES_DIFFERENTIAL_TIMED_TIMED_CAMPAIGN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/timed/linux_timed.h"
#include "fakes/differential/timed/timed_differ.h"

namespace net::differential {

// A difference after shrinking, and the seed of its program.
struct TimedFinding {
  uint64_t seed = 0;
  TimedDifference difference;
};

struct TimedCampaignResult {
  int64_t programs = 0;  // Compared programs.
  int64_t delayed = 0;   // Not compared, because the machine was too busy.
  int64_t unstable = 0;  // Differed once, but not in three runs alone.
  std::vector<TimedFinding> findings;
};

// The number of programs that run at the same time.
inline constexpr int64_t kTimedProgramsAtOnce = 300;

// Runs timed programs. Differences of the same call with the same two results
// count as one finding. Calls `before_each` with the seed of each program.
// Returns an error if Linux cannot run them. The deadline ends the search
// before the next programs begin.
absl::StatusOr<TimedCampaignResult> SearchTimed(
    LinuxTimed& oracle, const TimedPlanner& candidate,
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each);

// Returns a finding as text: the seed, and the program as C++ (print_timed.h).
std::string FindingText(const TimedFinding& finding);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_TIMED_CAMPAIGN_H_
