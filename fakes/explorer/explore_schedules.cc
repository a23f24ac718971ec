#include "fakes/explorer/explore_schedules.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/schedule_canary.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_record.h"
#include "fakes/explorer/schedule_search.h"
#include "fakes/explorer/schedule_shrink.h"
#include "fakes/explorer/scheduled_runs.h"
#include "fakes/explorer/verdict.h"
#include "fakes/schedule/schedule.h"

namespace net {
namespace {

// A defect that schedules have shown.
struct FoundRace {
  Defect defect;
  ScheduleRecord record;  // Of the first run that showed it.
  int64_t schedules = 0;
  size_t number = 0;  // In the order in which they were found.
};

// Explores one scenario once.
class Explorer {
 public:
  Explorer(const ExploreOptions& options, const Scenario& scenario)
      : options_(options),
        scenario_(scenario),
        run_options_(RunOptionsOf(options)) {}

  void Explore(ScheduleResult& result) {
    const auto run = [this](RecordingSchedule& policy, bool is_repeated) {
      return RunOnce(policy, is_repeated);
    };
    const ScheduleBounds bounds = Bounds();
    const ScheduleLimits limits = {.bounds = bounds,
                                   .pct_seed = options_.kernel.seed,
                                   .shard_index = options_.shard.index,
                                   .shard_total = options_.shard.total};
    if (bounds.max_schedules <= 0) RunPlain();
    ScheduleSearch search(limits, run);
    search.SearchExhaustively();
    if (!search.is_exhausted()) search.SearchRandomly();
    result.exhausted = search.is_exhausted();
    result.complete =
        search.is_exhausted() ||
        (!search.is_stopped() && bounds.pct_schedules > 0 &&
         bounds.pct_schedules == options_.schedules.pct_schedules);
    result.counts = {.exhaustive = search.exhaustive(),
                     .random = search.random()};
    if (!search.repeats()) AddDoesNotRepeat(result);
    if (search.longest() == 0 && result.findings.empty()) {
      result.findings.push_back(
          {.kind = FindingKind::kNotInCharge,
           .text = "there was nothing to choose: no two participants could "
                   "ever run"});
    }
    AddFindings(result);
  }

 private:
  // Returns options_.schedules within options_.max_runs.
  ScheduleBounds Bounds() const {
    ScheduleBounds bounds = options_.schedules;
    bounds.max_schedules = std::min(bounds.max_schedules, options_.max_runs);
    bounds.pct_schedules = std::min(bounds.pct_schedules,
                                    options_.max_runs - bounds.max_schedules);
    return bounds;
  }

  // Sees whether the scenario fails under the plain schedule, which the
  // exhaustive search runs first.
  void RunPlain() {
    DeviatingSchedule plain({});
    plain_fails_ = !RunUnder(plain, scenario_, run_options_).status.ok();
    is_first_ = false;
  }

  ScheduledRun RunOnce(RecordingSchedule& policy, bool is_repeated) {
    const ExploredRun run = RunUnder(policy, scenario_, run_options_);
    if (is_first_) plain_fails_ = !run.status.ok();
    is_first_ = false;
    if (!is_repeated) Record(run, policy.record());
    return {.goes_on = true, .digest = DigestOf(run)};
  }

  void Record(const ExploredRun& run, const ScheduleRecord& record) {
    for (Defect& defect : DefectsOf(run, plain_fails_, options_.declarations)) {
      FoundRace& found = found_[KeyOf(defect)];
      if (++found.schedules > 1) continue;
      found.number = found_.size();
      found.defect = std::move(defect);
      found.record = record;
    }
  }

  // Runs the scenario under the policy. Returns whether it shows the defect of
  // that key. If so, it copies the text and the interleaving to `finding`.
  bool Shows(SchedulePolicy& policy, const std::string& key,
             ScheduleFinding* finding) {
    const ExploredRun run = RunUnder(policy, scenario_, run_options_);
    const std::vector<Defect> defects =
        DefectsOf(run, plain_fails_, options_.declarations);
    const auto found =
        std::find_if(defects.begin(), defects.end(),
                     [&](const auto& defect) { return KeyOf(defect) == key; });
    if (found == defects.end()) return false;
    finding->text = found->text;
    finding->interleaving = Interleaving(run);
    return true;
  }

  ScheduleFinding FindingOf(const std::string& key, const FoundRace& found) {
    ScheduleFinding finding = {.kind = found.defect.kind,
                               .text = found.defect.text,
                               .schedules = found.schedules};
    const auto shows = [&](RecordingSchedule& policy) {
      return Shows(policy, key, &finding);
    };
    const ScheduleRecord shrunk = found.record.Preemptions() == 0
                                      ? found.record
                                      : ShrinkSchedule(found.record, shows);
    finding.preemptions = shrunk.Preemptions();
    const Schedule schedule = shrunk.ToSchedule();
    finding.schedule = schedule.ToString();
    ReplayedSchedule replayed(schedule);
    if (!Shows(replayed, key, &finding) &&
        finding.kind != FindingKind::kNotRepeatable) {
      finding.text = absl::StrCat(
          "under the same schedule, it is not always "
          "so that ",
          finding.text);
      finding.kind = FindingKind::kNotRepeatable;
    }
    return finding;
  }

  static void AddDoesNotRepeat(ScheduleResult& result) {
    result.findings.push_back(
        {.kind = FindingKind::kNotRepeatable,
         .text = "under the same schedule, it makes other calls, gets other "
                 "results or returns something else than before"});
  }

  void AddFindings(ScheduleResult& result) {
    std::vector<std::pair<std::string, const FoundRace*>> in_order;
    for (const auto& [key, found] : found_) in_order.emplace_back(key, &found);
    std::sort(in_order.begin(), in_order.end(),
              [](const auto& a, const auto& b) {
                return a.second->number < b.second->number;
              });
    for (const auto& [key, found] : in_order) {
      result.findings.push_back(FindingOf(key, *found));
    }
    std::stable_sort(result.findings.begin(), result.findings.end(),
                     [](const auto& a, const auto& b) {
                       return a.preemptions < b.preemptions;
                     });
  }

  const ExploreOptions& options_;
  const Scenario& scenario_;
  const RunOptions run_options_;
  std::map<std::string, FoundRace> found_;  // By KeyOf().
  bool is_first_ = true;
  bool plain_fails_ = false;
};

ScheduleResult EmptyResult(const ExploreOptions& options) {
  ScheduleResult result;
  result.name = options.name;
  result.seed = options.kernel.seed;
  result.has_options = true;
  result.bounds = options.schedules;
  result.shard = options.shard;
  return result;
}

}  // namespace

ScheduleResult ExploreSchedules(const ExploreOptions& options,
                                const Scenario& scenario) {
  ScheduleResult result = EmptyResult(options);
  if (!FindsPlantedRace(options.schedules, RunOptionsOf(options))) {
    result.findings.push_back({.kind = FindingKind::kNotInCharge,
                               .text = "the search has not found the race that "
                                       "the explorer has planted"});
    return result;
  }
  Explorer(options, scenario).Explore(result);
  return result;
}

ScheduleResult ExploreSchedules(const Scenario& scenario) {
  ScheduleResult result = ExploreSchedules(ExploreOptions(), scenario);
  result.has_options = false;
  return result;
}

ScheduleResult ReplaySchedule(absl::string_view schedule,
                              const ExploreOptions& options,
                              const Scenario& scenario) {
  ScheduleResult result = EmptyResult(options);
  const absl::StatusOr<Schedule> parsed = ParseSchedule(schedule);
  if (!parsed.ok()) {
    result.findings.push_back({.kind = FindingKind::kBroken,
                               .text = std::string(parsed.status().message()),
                               .schedule = std::string(schedule)});
    return result;
  }
  ReplayedSchedule policy(*parsed);
  const ExploredRun run = RunUnder(policy, scenario, RunOptionsOf(options));
  result.complete = true;
  result.counts.exhaustive = {1};
  if (policy.diverged_at() >= 0) {
    result.findings.push_back(
        {.kind = FindingKind::kNotRepeatable,
         .text = absl::StrCat("choice ", policy.diverged_at() + 1,
                              " of the schedule cannot be made: that "
                              "participant cannot run then"),
         .schedule = std::string(schedule)});
  }
  for (const Defect& defect :
       DefectsOf(run, /*plain_fails=*/false, options.declarations)) {
    result.findings.push_back({.kind = defect.kind,
                               .text = defect.text,
                               .schedule = std::string(schedule),
                               .schedules = 1,
                               .interleaving = Interleaving(run)});
  }
  return result;
}

ScheduleResult ReplaySchedule(absl::string_view schedule,
                              const Scenario& scenario) {
  ScheduleResult result = ReplaySchedule(schedule, ExploreOptions(), scenario);
  result.has_options = false;
  return result;
}

}  // namespace net
