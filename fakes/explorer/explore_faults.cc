#include "fakes/explorer/explore_faults.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/explorer/crashes.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/found_defects.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/search.h"
#include "fakes/explorer/shrink.h"
#include "fakes/explorer/verdict.h"
#include "fakes/faults/fault_plan.h"

namespace net {
namespace {

int NumberFromEnvironment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  int number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number
                                                            : otherwise;
}

// Adds a finding, or counts it with an equal one.
void AddFinding(ExploreFinding finding, std::vector<ExploreFinding>& findings) {
  for (ExploreFinding& other : findings) {
    if (other.kind == finding.kind && other.plan == finding.plan) {
      other.plans += finding.plans;
      return;
    }
  }
  findings.push_back(std::move(finding));
}

bool HasErrnosOnly(const FaultPlan& plan) {
  return std::all_of(plan.rules.begin(), plan.rules.end(),
                     [](const FaultRule& rule) {
                       return rule.action.kind == ActionKind::kError;
                     });
}

// Returns whether a hostile success has only made a later call fail, and `all`
// has the defect with the errno of that call.
bool IsExplained(const FoundDefect& found,
                 const std::vector<FoundDefect>& all) {
  if (HasErrnosOnly(found.plan)) return false;
  return std::any_of(all.begin(), all.end(), [&](const FoundDefect& other) {
    return other.defect.kind == found.defect.kind &&
           other.object == found.object && HasErrnosOnly(other.plan);
  });
}

// Findings of small plans first, then the worse ones.
bool IsBefore(const ExploreFinding& a, const ExploreFinding& b) {
  if (a.plan.rules.size() != b.plan.rules.size()) {
    return a.plan.rules.size() < b.plan.rules.size();
  }
  return a.kind < b.kind;
}

std::vector<ExploreFinding> FindingsOf(const Search& search,
                                       const ExploreOptions& options,
                                       const Scenario& scenario) {
  std::vector<ExploreFinding> findings;
  for (const FoundDefect& found : search.defects().found()) {
    if (!found.in_shard || IsExplained(found, search.defects().found()))
      continue;
    ShrunkPlan shrunk =
        Shrink(found, search.defects().plain(), options, scenario);
    AddFinding({.kind = found.defect.kind,
                .text = std::move(shrunk.text),
                .plan = std::move(shrunk.plan),
                .schedule = options.kernel.schedule.replay,
                .plans = found.plans,
                .errnos = found.errnos},
               findings);
  }
  std::stable_sort(findings.begin(), findings.end(), IsBefore);
  return findings;
}

ExploreResult EmptyResult(const ExploreOptions& options) {
  ExploreResult result;
  result.name = options.name;
  result.declarations = options.declarations;
  result.shard = options.shard;
  result.seed = options.kernel.seed;
  result.max_faults = options.max_faults;
  return result;
}

}  // namespace

ExploreShard ShardFromEnvironment() {
  ExploreShard shard;
  shard.total = std::max(NumberFromEnvironment("TEST_TOTAL_SHARDS", 1), 1);
  shard.index = NumberFromEnvironment("TEST_SHARD_INDEX", 0);
  const char* const status_file =
      std::getenv("TEST_SHARD_STATUS_FILE");  // NOLINT(concurrency-mt-unsafe)
  if (status_file != nullptr) {
    // Its existence shows Bazel that the test divides its work.
    const std::ofstream file(status_file, std::ios::app);
  }
  return shard;
}

ExploreResult ExploreFaults(const ExploreOptions& options,
                            const Scenario& scenario) {
  Search search(options, scenario);
  ExploreResult result = EmptyResult(options);
  if (options.catch_crashes) {
    absl::StatusOr<std::set<std::string>> crashes =
        FindCrashes(options, scenario);
    if (!crashes.ok()) {
      result.complete = false;
      result.findings.push_back(
          {.kind = FindingKind::kBroken,
           .text = std::string(crashes.status().message())});
      return result;
    }
    search.WatchCrashes(nullptr, *std::move(crashes));
  }
  search.Explore();
  result.complete = search.complete();
  result.counts = search.counts();
  result.sites = search.defects().Sites();
  result.calls = search.Calls();
  result.findings = FindingsOf(search, options, scenario);
  if (!search.saves()) {
    result.findings.push_back(
        {.kind = FindingKind::kBroken,
         .text = absl::StrCat("cannot write ", options.checkpoint)});
  }
  if (!options.checkpoint.empty() && search.complete()) {
    ::unlink(options.checkpoint.c_str());
  }
  return result;
}

ExploreResult ExploreFaults(const Scenario& scenario) {
  return ExploreFaults(ExploreOptions(), scenario);
}

ExploreResult RunFaultPlan(absl::string_view plan,
                           const ExploreOptions& options,
                           const Scenario& scenario) {
  ExploreResult result = EmptyResult(options);
  const absl::StatusOr<FaultPlan> parsed = ParseFaultPlan(plan);
  if (!parsed.ok()) {
    result.findings.push_back({.kind = FindingKind::kBroken,
                               .text = std::string(parsed.status().message())});
    return result;
  }
  const ExploredRun run =
      RunOnFakeKernel(scenario, *parsed, RunOptionsOf(options));
  result.counts = {.plans = 1, .runs = 1};
  for (const FaultRule& rule : run.unmatched) {
    result.findings.push_back(
        {.kind = FindingKind::kBroken,
         .text = absl::StrCat("the rule applies to no call: ", rule.ToString()),
         .plan = *parsed,
         .schedule = options.kernel.schedule.replay,
         .plans = 1});
  }
  for (const Defect& defect :
       Judge(run, *parsed, options.declarations).defects) {
    result.findings.push_back({.kind = defect.kind,
                               .text = defect.text,
                               .plan = *parsed,
                               .schedule = options.kernel.schedule.replay,
                               .plans = 1});
  }
  return result;
}

}  // namespace net
