#include "fakes/differential/timed/timed_campaign.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/timed/generate_timed.h"
#include "fakes/differential/timed/linux_timed.h"
#include "fakes/differential/timed/print_timed.h"
#include "fakes/differential/timed/timed_differ.h"
#include "fakes/differential/timed/timed_program.h"

namespace net::differential {
namespace {

class TimedSearch {
 public:
  TimedSearch(LinuxTimed& oracle, const TimedPlanner& candidate,
              const CampaignOptions& options)
      : differ_(oracle, candidate), options_(options) {}

  absl::Status RunSome(const std::vector<uint64_t>& seeds) {
    std::vector<TimedProgram> programs;
    programs.reserve(seeds.size());
    for (const uint64_t seed : seeds) programs.push_back(TimedProgramOf(seed));
    const int64_t compared = differ_.compared();
    const int64_t delayed = differ_.delayed();
    auto differences = differ_.RunAll(programs);
    if (!differences.ok()) return differences.status();
    outcome_.programs += differ_.compared() - compared;
    outcome_.delayed += differ_.delayed() - delayed;
    for (size_t i = 0; i < seeds.size(); ++i) {
      std::optional<TimedDifference>& one = (*differences)[i];
      if (!one.has_value() || HasEnough()) continue;
      absl::Status status = Examine(seeds[i], *one);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  bool HasEnough() const {
    return outcome_.findings.size() >= options_.findings;
  }
  TimedCampaignResult& outcome() { return outcome_; }

 private:
  absl::Status Examine(uint64_t seed, const TimedDifference& difference) {
    if (kinds_.contains(KindOf(difference))) return absl::OkStatus();
    auto alone = differ_.CompareAlone(difference.program);
    if (!alone.ok()) return alone.status();
    if (!alone->has_value()) {
      ++outcome_.unstable;
      return absl::OkStatus();
    }
    kinds_.insert(KindOf(**alone));
    auto small =
        differ_.Shrink(**std::move(alone), absl::Now() + options_.shrinking);
    if (!small.ok()) return small.status();
    outcome_.findings.push_back({seed, *std::move(small)});
    return absl::OkStatus();
  }

  TimedDiffer differ_;
  const CampaignOptions options_;
  std::set<std::string> kinds_;
  TimedCampaignResult outcome_;
};

}  // namespace

absl::StatusOr<TimedCampaignResult> SearchTimed(
    LinuxTimed& oracle, const TimedPlanner& candidate,
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each) {
  TimedSearch search(oracle, candidate, options);
  uint64_t seed = options.seed + options.first;
  int64_t begun = 0;
  while (begun < options.programs && absl::Now() < options.deadline &&
         !search.HasEnough()) {
    std::vector<uint64_t> seeds;
    for (int64_t count =
             std::min(kTimedProgramsAtOnce, options.programs - begun);
         count > 0; --count) {
      before_each(seed);
      seeds.push_back(seed);
      seed += options.stride;
      ++begun;
    }
    absl::Status status = search.RunSome(seeds);
    if (!status.ok()) return status;
  }
  return std::move(search.outcome());
}

std::string FindingText(const TimedFinding& finding) {
  return absl::StrCat("// Seed ", finding.seed, ", shrunk.\n",
                      PrintTimedDifference("Found", finding.difference));
}

}  // namespace net::differential
