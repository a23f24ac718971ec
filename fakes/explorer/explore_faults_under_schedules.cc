#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fakes/call.h"
#include "fakes/explorer/checkpoint.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_search.h"
#include "fakes/explorer/scheduled_runs.h"

namespace net {
namespace {

// Returns the schedules of a scenario without faults.
std::vector<std::string> SchedulesOf(const ExploreOptions& options,
                                     const Scenario& scenario) {
  std::vector<std::string> all;
  const RunOptions run_options = RunOptionsOf(options);
  const auto run = [&](RecordingSchedule& policy, bool is_repeated) {
    const ExploredRun made = RunUnder(policy, scenario, run_options);
    if (!is_repeated) {
      all.push_back(policy.record().ToSchedule().ToString());
    }
    return ScheduledRun{.digest = DigestOf(made)};
  };
  ScheduleSearch search({.bounds = options.schedules}, run);
  search.SearchExhaustively();
  return all;
}

bool IsSame(const ExploreFinding& a, const ExploreFinding& b) {
  return a.kind == b.kind && a.plan == b.plan;
}

bool IsSame(const ExploreSite& a, const ExploreSite& b) {
  return a.call == b.call && a.occurrence == b.occurrence &&
         a.error == b.error && a.outcome == b.outcome;
}

void AddCounts(const ExploreCounts& counts, ExploreCounts& sum) {
  sum.plans += counts.plans;
  sum.runs += counts.runs;
  sum.pruned_recovered += counts.pruned_recovered;
  sum.pruned_same += counts.pruned_same;
}

// Adds what ExploreFaults() has found under one schedule.
void Merge(ExploreResult one, ExploreResult& all) {
  AddCounts(one.counts, all.counts);
  all.complete = all.complete && one.complete;
  for (ExploreFinding& finding : one.findings) {
    const auto same =
        std::find_if(all.findings.begin(), all.findings.end(),
                     [&](const auto& other) { return IsSame(finding, other); });
    if (same != all.findings.end()) {
      same->plans += finding.plans;
      continue;
    }
    all.findings.push_back(std::move(finding));
  }
  for (const ExploreSite& site : one.sites) {
    if (std::none_of(all.sites.begin(), all.sites.end(),
                     [&](const auto& other) { return IsSame(site, other); })) {
      all.sites.push_back(site);
    }
  }
  for (const Call call : one.calls) {
    if (std::find(all.calls.begin(), all.calls.end(), call) ==
        all.calls.end()) {
      all.calls.push_back(call);
    }
  }
}

// Adds the races without a fault, of which plans would show only more.
bool AddRaces(const ExploreOptions& options, const Scenario& scenario,
              ExploreResult& all) {
  ExploreOptions exhaustive = options;
  exhaustive.schedules.pct_schedules = 0;
  exhaustive.shard = {};
  // Not checkpointed: listing the schedules takes as long, and is always done.
  exhaustive.checkpoint.clear();
  const ScheduleResult races = ExploreSchedules(exhaustive, scenario);
  all.complete = races.exhausted;
  for (const ScheduleFinding& finding : races.findings) {
    all.findings.push_back({.kind = finding.kind,
                            .text = finding.text,
                            .plan = {},
                            .schedule = finding.schedule,
                            .plans = finding.schedules,
                            .errnos = {}});
  }
  return !races.findings.empty();
}

// Returns a number that tells explorations apart.
uint64_t FingerprintOf(const ExploreOptions& options,
                       const std::vector<std::string>& schedules) {
  std::string text = absl::StrCat(options.max_faults, " ", options.prune, " ",
                                  options.shard.index, " ", options.shard.total,
                                  " ", absl::StrJoin(schedules, " "));
  for (const Declaration& declaration : options.declarations) {
    absl::StrAppend(&text, " ", declaration.ToString());
  }
  return std::hash<std::string>()(text);
}

// Continues an exploration that was stopped, if its checkpoint is there.
void LoadCheckpoint(const std::string& path, uint64_t fingerprint,
                    ExploreResult& all) {
  std::optional<Checkpoint> checkpoint = ReadCheckpoint(path);
  if (!checkpoint.has_value() || checkpoint->fingerprint != fingerprint) return;
  all.schedules = checkpoint->units;
  all.counts = checkpoint->counts;
  all.findings = std::move(checkpoint->findings);
  all.sites = std::move(checkpoint->sites);
  all.calls = std::move(checkpoint->calls);
}

bool SaveCheckpoint(const std::string& path, uint64_t fingerprint,
                    const ExploreResult& all) {
  Checkpoint checkpoint;
  checkpoint.fingerprint = fingerprint;
  checkpoint.units = all.schedules;
  checkpoint.counts = all.counts;
  checkpoint.findings = all.findings;
  checkpoint.sites = all.sites;
  checkpoint.calls = all.calls;
  return WriteCheckpoint(checkpoint, path);
}

// Explores the plans under each schedule that the checkpoint does not have.
void ExploreEach(const ExploreOptions& options, const Scenario& scenario,
                 const std::vector<std::string>& schedules,
                 ExploreResult& all) {
  const std::string& path = options.checkpoint;
  const uint64_t fingerprint = FingerprintOf(options, schedules);
  if (!path.empty()) LoadCheckpoint(path, fingerprint, all);
  bool saves = true;
  while (all.schedules < static_cast<int64_t>(schedules.size())) {
    if (all.counts.runs >= options.max_runs) {
      all.complete = false;
      break;
    }
    ExploreOptions one = options;
    one.kernel.schedule.policy = nullptr;
    one.kernel.schedule.replay = schedules[static_cast<size_t>(all.schedules)];
    one.max_runs = options.max_runs - all.counts.runs;
    if (!path.empty()) one.checkpoint = absl::StrCat(path, ".schedule");
    ExploreResult result = ExploreFaults(one, scenario);
    const bool is_whole = result.complete;
    Merge(std::move(result), all);
    ++all.schedules;
    // The checkpoint of ExploreFaults() has the plans of the last schedule.
    if (!is_whole) break;
    if (!path.empty()) saves &= SaveCheckpoint(path, fingerprint, all);
  }
  if (!path.empty() && all.complete) ::unlink(path.c_str());
  if (!saves) {
    all.findings.push_back({.kind = FindingKind::kBroken,
                            .text = absl::StrCat("cannot write ", path)});
  }
}

}  // namespace

ExploreResult ExploreFaultsUnderSchedules(const ExploreOptions& options,
                                          const Scenario& scenario) {
  ExploreResult all;
  all.name = options.name;
  all.declarations = options.declarations;
  all.shard = options.shard;
  all.max_faults = options.max_faults;
  all.seed = options.kernel.seed;
  all.max_preemptions = options.schedules.max_preemptions;
  if (AddRaces(options, scenario, all)) return all;
  ExploreEach(options, scenario, SchedulesOf(options, scenario), all);
  return all;
}

}  // namespace net
