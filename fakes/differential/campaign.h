#ifndef FAKES_DIFFERENTIAL_CAMPAIGN_H_
#define FAKES_DIFFERENTIAL_CAMPAIGN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/histogram.h"
#include "fakes/differential/worlds.h"

namespace net::differential {

// The parameters of a search for differences with many programs.
struct CampaignOptions {
  uint64_t seed = 0;
  // The search runs the programs of the seeds seed + first, seed + first +
  // stride, and so on.
  uint64_t first = 0;
  uint64_t stride = 1;
  // The search ends when one of these is reached.
  int64_t programs = INT64_MAX;
  absl::Time deadline = absl::InfiniteFuture();
  size_t findings = 1;
  // The longest time to shrink one finding.
  absl::Duration shrinking = absl::Seconds(20);
};

// A difference after shrinking, and the seed of its program.
struct Finding {
  uint64_t seed = 0;
  Difference difference;
};

struct CampaignResult {
  // Does not count the smaller programs that shrinking tried.
  int64_t programs = 0;
  int64_t unstable = 0;  // See differ.h, also for `late`.
  int64_t late = 0;
  Histogram histogram;
  std::vector<Finding> findings;
};

// Calls `run` with the seed of each program of a campaign, until the search
// ends or `run` fails. `result` is what `run` adds to: a CampaignResult, or one
// like it for other programs. Calls `before_each` before `run`.
template <typename Result>
absl::Status ForEachSeed(const CampaignOptions& options, Result& result,
                         absl::FunctionRef<void(uint64_t)> before_each,
                         absl::FunctionRef<absl::Status(uint64_t)> run) {
  for (uint64_t seed = options.seed + options.first;
       result.programs < options.programs && absl::Now() < options.deadline &&
       result.findings.size() < options.findings;
       seed += options.stride) {
    before_each(seed);
    ++result.programs;
    absl::Status status = run(seed);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Runs the programs of a campaign. Differences with the same last call and the
// same two results count as one finding. Calls `before_each` with the seed of
// each program. Returns an error if a world cannot be made.
absl::StatusOr<CampaignResult> Search(
    WorldFactory& oracle, WorldFactory& candidate,
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each);
absl::StatusOr<CampaignResult> Search(WorldFactory& oracle,
                                      WorldFactory& candidate,
                                      const CampaignOptions& options);

// Returns a finding as text: the seed and the program as C++ (print_case.h).
std::string FindingText(const Finding& finding);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_CAMPAIGN_H_
