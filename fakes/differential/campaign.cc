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

// The kinds of the differences that were found.
struct Kinds {
  std::set<std::string> before_shrinking;
  std::set<std::string> shrunk;
};

// Runs one program, and adds its result.
absl::Status RunOne(Differ& differ, uint64_t seed,
                    const CampaignOptions& options, Kinds& kinds,
                    CampaignResult& result) {
  const rc::Shrinkable<Program> program = ProgramOf(seed);
  const int64_t unstable = differ.unstable();
  const int64_t late = differ.late();
  absl::StatusOr<std::optional<Difference>> difference = differ.Compare(
      program.value(), [&result](const Program& run, const Trace& trace) {
        result.histogram.Add(run, trace);
      });
  if (!difference.ok()) return difference.status();
  result.unstable += differ.unstable() - unstable;
  result.late += differ.late() - late;
  if (!difference->has_value() ||
      !kinds.before_shrinking.insert(Kind(**difference)).second) {
    return absl::OkStatus();
  }
  absl::StatusOr<Difference> small = differ.Shrink(
      program, **std::move(difference), absl::Now() + options.shrinking);
  if (!small.ok()) return small.status();
  kinds.before_shrinking.insert(Kind(*small));
  if (kinds.shrunk.insert(Kind(*small)).second) {
    result.findings.push_back({seed, *std::move(small)});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CampaignResult> Search(
    WorldFactory& oracle, WorldFactory& candidate,
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each) {
  Differ differ(oracle, candidate);
  CampaignResult result;
  Kinds kinds;
  absl::Status status =
      ForEachSeed(options, result, before_each, [&](uint64_t seed) {
        return RunOne(differ, seed, options, kinds, result);
      });
  if (!status.ok()) return status;
  return result;
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
