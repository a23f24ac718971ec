#include "fakes/differential/campaign.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/generate.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/print_case.h"
#include "fakes/differential/program.h"
#include "fakes/differential/worlds.h"
#include "rapidcheck.h"

namespace net::differential {
namespace {

// Returns a key that is equal for differences that probably have one cause.
std::string Kind(const Difference& difference) {
  const auto last = [](const Trace& trace) {
    return trace.empty() ? "" : trace.back().text;
  };
  return absl::StrCat(CallName(difference.program.back().call), "; ",
                      last(difference.expected), "; ", last(difference.seen));
}

}  // namespace

absl::StatusOr<CampaignResult> Search(
    WorldFactory& oracle, WorldFactory& candidate,
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each) {
  Differ differ(oracle, candidate);
  CampaignResult outcome;
  std::set<std::string> kinds;
  std::set<std::string> small_kinds;
  for (uint64_t seed = options.seed + options.first;
       outcome.programs < options.programs && absl::Now() < options.deadline &&
       outcome.findings.size() < options.findings;
       seed += options.stride) {
    before_each(seed);
    ++outcome.programs;
    const rc::Shrinkable<Program> program = ProgramOf(seed);
    const int64_t unstable = differ.unstable();
    absl::StatusOr<std::optional<Difference>> difference = differ.Compare(
        program.value(), [&outcome](const Program& run, const Trace& trace) {
          outcome.histogram.Add(run, trace);
        });
    if (!difference.ok()) return difference.status();
    outcome.unstable += differ.unstable() - unstable;
    if (!difference->has_value() || !kinds.insert(Kind(**difference)).second) {
      continue;
    }
    absl::StatusOr<Difference> small = differ.Shrink(
        program, **std::move(difference), absl::Now() + options.shrinking);
    if (!small.ok()) return small.status();
    kinds.insert(Kind(*small));
    if (small_kinds.insert(Kind(*small)).second) {
      outcome.findings.push_back({seed, *std::move(small)});
    }
  }
  return outcome;
}

absl::StatusOr<CampaignResult> Search(WorldFactory& oracle,
                                      WorldFactory& candidate,
                                      const CampaignOptions& options) {
  return Search(oracle, candidate, options, [](uint64_t) {});
}

std::string FindingText(const Finding& finding) {
  return absl::StrCat("// Seed ", finding.seed, ", shrunk.\n",
                      PrintDifference("Found", finding.difference));
}

}  // namespace net::differential
