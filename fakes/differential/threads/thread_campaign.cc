#include "fakes/differential/threads/thread_campaign.h"

#include <algorithm>
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
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/program.h"
#include "fakes/differential/threads/generate_threads.h"
#include "fakes/differential/threads/print_threads.h"
#include "fakes/differential/threads/thread_differ.h"
#include "fakes/differential/threads/threaded_kernels.h"
#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {
namespace {

// Returns a key that is equal for programs that probably show one cause.
std::string Kind(const ThreadedProgram& program) {
  std::vector<std::string> threads;
  for (const Program& thread : program.threads) {
    std::string& calls = threads.emplace_back();
    for (const Step& step : thread) {
      absl::StrAppend(&calls, CallName(step.call), " ");
    }
  }
  std::sort(threads.begin(), threads.end());
  return absl::StrJoin(threads, "; ");
}

// Runs one program, and adds what came of it.
absl::Status RunOne(ThreadDiffer& differ, uint64_t seed,
                    const CampaignOptions& options,
                    std::set<std::string>& kinds,
                    ThreadCampaignResult& outcome) {
  const ThreadedProgram program = ThreadedProgramOf(seed);
  bool is_blocked = false;
  for (int run = 0; run < kRunsOfAProgram; ++run) {
    absl::StatusOr<std::optional<ThreadedDifference>> difference =
        differ.Compare(
            program, ThreadStartOf(program, seed, run),
            [&is_blocked](const ThreadedProgram&, const ThreadedAnswer& seen) {
              is_blocked = is_blocked || seen.is_blocked();
            });
    if (!difference.ok()) return difference.status();
    if (!difference->has_value()) continue;
    absl::StatusOr<ThreadedDifference> small =
        differ.Shrink(**std::move(difference), absl::Now() + options.shrinking);
    if (!small.ok()) return small.status();
    if (kinds.insert(Kind(small->program)).second) {
      outcome.findings.push_back({seed, *std::move(small)});
    }
    break;
  }
  if (is_blocked) ++outcome.blocked;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ThreadCampaignResult> SearchThreads(
    ThreadedKernel& oracle, ScheduledKernel& candidate,
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each) {
  ThreadDiffer differ(oracle, candidate);
  ThreadCampaignResult outcome;
  std::set<std::string> kinds;
  absl::Status status =
      ForEachSeed(options, outcome, before_each, [&](uint64_t seed) {
        return RunOne(differ, seed, options, kinds, outcome);
      });
  if (!status.ok()) return status;
  outcome.schedules = differ.schedules();
  outcome.unexhausted = differ.unexhausted();
  outcome.unstable = differ.unstable();
  return outcome;
}

absl::StatusOr<ThreadCampaignResult> SearchThreads(
    ThreadedKernel& oracle, ScheduledKernel& candidate,
    const CampaignOptions& options) {
  return SearchThreads(oracle, candidate, options, [](uint64_t) {});
}

std::string FindingText(const ThreadedFinding& finding) {
  return absl::StrCat("// Seed ", finding.seed, ", shrunk.\n",
                      PrintThreadedDifference("Found", finding.difference));
}

}  // namespace net::differential
