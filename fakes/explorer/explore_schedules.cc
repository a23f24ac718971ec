#include "fakes/explorer/explore_schedules.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/explorer/checkpoint.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/schedule_canary.h"
#include "fakes/explorer/schedule_checkpoint.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_record.h"
#include "fakes/explorer/schedule_runner.h"
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

// Returns a number that tells explorations apart. `plain` is the digest of the
// run under the plain schedule.
uint64_t FingerprintOf(const ExploreOptions& options, uint64_t plain) {
  std::string text =
      absl::StrCat(plain, " ", options.schedules.max_preemptions, " ",
                   options.schedules.pct_depth, " ", options.kernel.seed, " ",
                   options.shard.index, " ", options.shard.total);
  for (const Declaration& declaration : options.declarations) {
    absl::StrAppend(&text, " ", declaration.ToString());
  }
  return std::hash<std::string>()(text);
}

// The checkpoint is written after so many runs.
constexpr int64_t kRunsBetweenCheckpoints = 1000;

// Explores one scenario once.
class Explorer {
 public:
  Explorer(const ExploreOptions& options, const Scenario& scenario)
      : options_(options), runner_(options, scenario) {}

  void Explore(ScheduleResult& result) {
    const auto run = [this](RecordingSchedule& policy, bool is_repeated) {
      return RunOnce(policy, is_repeated);
    };
    const ScheduleBounds bounds = Bounds();
    const ScheduleLimits limits = {.bounds = bounds,
                                   .pct_seed = options_.kernel.seed,
                                   .shard_index = options_.shard.index,
                                   .shard_total = options_.shard.total};
    RunPlain();
    ScheduleSearch search(limits, run, LoadCheckpoint());
    const auto save = [&] { SaveCheckpoint(search.progress()); };
    if (!options_.checkpoint.empty()) {
      search.SaveEvery(kRunsBetweenCheckpoints, save);
    }
    search.SearchExhaustively();
    if (!search.is_exhausted()) search.SearchRandomly();
    result.exhausted = search.is_exhausted();
    result.complete =
        search.is_exhausted() ||
        (!search.is_stopped() && bounds.pct_schedules > 0 &&
         bounds.pct_schedules == options_.schedules.pct_schedules);
    result.counts = {.exhaustive = search.progress().exhaustive,
                     .random = search.progress().random};
    if (!search.repeats()) AddDoesNotRepeat(result);
    if (search.progress().longest == 0 && result.findings.empty()) {
      result.findings.push_back(
          {.kind = FindingKind::kNotInCharge,
           .text = "there was nothing to choose: no two participants could "
                   "ever run"});
    }
    EndCheckpoint(search, result);
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

  // Sees whether the scenario fails under the plain schedule.
  void RunPlain() {
    DeviatingSchedule plain({});
    const ScheduleOutcome outcome = runner_.Run(plain);
    plain_fails_ = !outcome.succeeds;
    fingerprint_ = FingerprintOf(options_, outcome.digest);
  }

  ScheduledRun RunOnce(RecordingSchedule& policy, bool is_repeated) {
    const ScheduleOutcome outcome = RunUnder(policy);
    if (!is_repeated) Record(outcome, policy.record());
    return {.goes_on = runner_.status().ok(), .digest = outcome.digest};
  }

  ScheduleOutcome RunUnder(SchedulePolicy& policy, bool describes = false) {
    ScheduleOutcome outcome = runner_.Run(policy, describes);
    if (!plain_fails_) MakeRaces(outcome.defects);
    return outcome;
  }

  void Record(const ScheduleOutcome& outcome, const ScheduleRecord& record) {
    for (const Defect& defect : outcome.defects) {
      FoundRace& found = found_[KeyOf(defect)];
      if (++found.schedules > 1) continue;
      found.number = found_.size();
      found.defect = defect;
      found.record = record;
    }
  }

  // Continues a search that was stopped, if its checkpoint is there.
  ScheduleProgress LoadCheckpoint() {
    if (options_.checkpoint.empty()) return {};
    std::optional<ScheduleCheckpoint> checkpoint =
        ParseScheduleCheckpoint(ReadCheckpointText(options_.checkpoint));
    if (!checkpoint.has_value() || checkpoint->fingerprint != fingerprint_) {
      return {};
    }
    for (const CheckpointedRace& race : checkpoint->races) FindAgain(race);
    return std::move(checkpoint->progress);
  }

  // Runs the schedule of a race again, because its record is not kept.
  void FindAgain(const CheckpointedRace& race) {
    std::vector<Deviation> choices;
    for (const int participant : race.choices) {
      choices.push_back({.point = choices.size(), .participant = participant});
    }
    DeviatingSchedule policy(choices);
    for (const Defect& defect : RunUnder(policy).defects) {
      if (KeyOf(defect) != race.key) continue;
      FoundRace& found = found_[race.key];
      found = {.defect = defect,
               .record = policy.record(),
               .schedules = race.schedules,
               .number = found_.size()};
      return;
    }
    repeats_ = false;
  }

  void SaveCheckpoint(const ScheduleProgress& progress) {
    ScheduleCheckpoint checkpoint = {
        .fingerprint = fingerprint_, .progress = progress, .races = {}};
    for (const auto& [key, found] : InOrder()) {
      CheckpointedRace& race = checkpoint.races.emplace_back();
      race.schedules = found->schedules;
      race.key = key;
      for (size_t i = 0; i < found->record.size(); ++i) {
        race.choices.push_back(found->record[i].chosen);
      }
    }
    saves_ &= WriteCheckpointText(ScheduleCheckpointText(checkpoint),
                                  options_.checkpoint);
  }

  // Keeps the progress of an exploration that was stopped.
  void EndCheckpoint(const ScheduleSearch& search, ScheduleResult& result) {
    if (!runner_.status().ok()) {
      result.complete = false;
      result.findings.push_back(
          {.kind = FindingKind::kBroken,
           .text = std::string(runner_.status().message())});
    }
    if (!repeats_ && search.repeats()) AddDoesNotRepeat(result);
    if (options_.checkpoint.empty()) return;
    if (result.complete) {
      ::unlink(options_.checkpoint.c_str());
    } else if (!search.is_stopped()) {
      SaveCheckpoint(search.progress());
    }
    if (!saves_) {
      result.findings.push_back(
          {.kind = FindingKind::kBroken,
           .text = absl::StrCat("cannot write ", options_.checkpoint)});
    }
  }

  // Runs the scenario under the policy. Returns whether it shows the defect of
  // that key. If so, it copies the text and the interleaving to `finding`.
  bool Shows(SchedulePolicy& policy, const std::string& key,
             ScheduleFinding* finding) {
    ScheduleOutcome outcome = RunUnder(policy, /*describes=*/true);
    const auto found =
        std::find_if(outcome.defects.begin(), outcome.defects.end(),
                     [&](const auto& defect) { return KeyOf(defect) == key; });
    if (found == outcome.defects.end()) return false;
    finding->text = found->text;
    finding->interleaving = std::move(outcome.interleaving);
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

  std::vector<std::pair<std::string, const FoundRace*>> InOrder() const {
    std::vector<std::pair<std::string, const FoundRace*>> in_order;
    for (const auto& [key, found] : found_) in_order.emplace_back(key, &found);
    std::sort(in_order.begin(), in_order.end(),
              [](const auto& a, const auto& b) {
                return a.second->number < b.second->number;
              });
    return in_order;
  }

  void AddFindings(ScheduleResult& result) {
    for (const auto& [key, found] : InOrder()) {
      result.findings.push_back(FindingOf(key, *found));
    }
    std::stable_sort(result.findings.begin(), result.findings.end(),
                     [](const auto& a, const auto& b) {
                       return a.preemptions < b.preemptions;
                     });
  }

  const ExploreOptions& options_;
  ScheduleRunner runner_;
  std::map<std::string, FoundRace> found_;  // By KeyOf().
  uint64_t fingerprint_ = 0;
  bool plain_fails_ = false;
  bool repeats_ = true;  // Whether the races of a checkpoint were found again.
  bool saves_ = true;    // Whether the checkpoint can be written.
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
  std::vector<Defect> defects = DefectsOf(run, options.declarations);
  MakeRaces(defects);
  for (const Defect& defect : defects) {
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
