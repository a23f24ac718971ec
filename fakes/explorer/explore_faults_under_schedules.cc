#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fakes/call.h"
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

// The schedules of a scenario without faults, and whether that is all of them.
struct Schedules {
  std::vector<std::string> texts;
  bool is_complete = false;
};

Schedules SchedulesOf(const ExploreOptions& options, const Scenario& scenario) {
  Schedules all;
  const RunOptions run_options = RunOptionsOf(options);
  const auto run = [&](RecordingSchedule& policy, bool is_repeated) {
    const ExploredRun made = RunUnder(policy, scenario, run_options);
    if (!is_repeated) {
      all.texts.push_back(policy.record().ToSchedule().ToString());
    }
    return ScheduledRun{.digest = DigestOf(made)};
  };
  ScheduleSearch search({.bounds = options.schedules}, run);
  search.SearchExhaustively();
  all.is_complete = search.is_exhausted();
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
  const ScheduleResult races = ExploreSchedules(exhaustive, scenario);
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
  const Schedules schedules = SchedulesOf(options, scenario);
  all.complete = schedules.is_complete;
  for (const std::string& schedule : schedules.texts) {
    if (all.counts.runs >= options.max_runs) {
      all.complete = false;
      break;
    }
    ExploreOptions one = options;
    one.kernel.schedule.policy = nullptr;
    one.kernel.schedule.replay = schedule;
    one.max_runs = options.max_runs - all.counts.runs;
    one.checkpoint.clear();
    Merge(ExploreFaults(one, scenario), all);
    ++all.schedules;
  }
  return all;
}

}  // namespace net
