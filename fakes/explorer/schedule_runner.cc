#include "fakes/explorer/schedule_runner.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/scheduled_runs.h"
#include "fakes/explorer/shared_schedule.h"
#include "fakes/explorer/verdict.h"
#include "fakes/schedule/schedule.h"
#include "syscalls/sandbox/watched_child.h"

namespace net {
namespace {

// The report of a child: lines of texts that contain no line break.
//
//   SUCCEEDS DIGEST INTERLEAVING
//   KIND TEXT                       (for each defect)
std::string ReportOf(const ScheduleOutcome& outcome) {
  std::string text =
      absl::StrCat(outcome.succeeds ? 1 : 0, " ", outcome.digest, " ",
                   absl::CEscape(outcome.interleaving), "\n");
  for (const Defect& defect : outcome.defects) {
    absl::StrAppend(&text, static_cast<int>(defect.kind), " ",
                    absl::CEscape(defect.text), "\n");
  }
  return text;
}

bool ParseDefect(absl::string_view line, std::vector<Defect>& defects) {
  const std::pair<absl::string_view, absl::string_view> fields =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  int kind = 0;
  Defect defect;
  if (!absl::SimpleAtoi(fields.first, &kind) ||
      !absl::CUnescape(fields.second, &defect.text)) {
    return false;
  }
  defect.kind = static_cast<FindingKind>(kind);
  defects.push_back(std::move(defect));
  return true;
}

// Returns nullopt if the text is not from ReportOf().
std::optional<ScheduleOutcome> ParseReport(absl::string_view text) {
  const std::vector<absl::string_view> lines =
      absl::StrSplit(text, '\n', absl::SkipEmpty());
  if (lines.empty()) return std::nullopt;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(lines[0], absl::MaxSplits(' ', 2));
  ScheduleOutcome outcome;
  if (fields.size() != 3 || !absl::SimpleAtoi(fields[1], &outcome.digest) ||
      !absl::CUnescape(fields[2], &outcome.interleaving)) {
    return std::nullopt;
  }
  outcome.succeeds = fields[0] == "1";
  for (size_t i = 1; i < lines.size(); ++i) {
    if (!ParseDefect(lines[i], outcome.defects)) return std::nullopt;
  }
  return outcome;
}

ScheduleOutcome Crash() {
  ScheduleOutcome crash;
  crash.defects.push_back(
      {FindingKind::kCrash, /*object=*/-1, "the process crashes"});
  return crash;
}

}  // namespace

ScheduleRunner::ScheduleRunner(const ExploreOptions& options,
                               const Scenario& scenario)
    : options_(options),
      scenario_(scenario),
      run_options_(RunOptionsOf(options)) {
  if (!options.catch_crashes) return;
  absl::StatusOr<SharedChoices> choices = SharedChoices::Make();
  if (choices.ok()) {
    choices_ = *std::move(choices);
  } else {
    status_ = choices.status();
  }
}

ScheduleOutcome ScheduleRunner::Run(SchedulePolicy& policy, bool describes) {
  return choices_.has_value() ? RunInChild(policy, describes)
                              : RunHere(policy, describes);
}

ScheduleOutcome ScheduleRunner::RunHere(SchedulePolicy& policy,
                                        bool describes) const {
  const ExploredRun run = RunUnder(policy, scenario_, run_options_);
  return {.succeeds = run.status.ok(),
          .defects = DefectsOf(run, options_.declarations),
          .digest = DigestOf(run),
          .interleaving = describes ? Interleaving(run) : ""};
}

ScheduleOutcome ScheduleRunner::RunInChild(SchedulePolicy& policy,
                                           bool describes) {
  choices_->Clear();
  absl::StatusOr<sandbox::WatchedChild> child =
      sandbox::WatchedChild::Start([&](int report) {
        SharedSchedule shared(policy, *choices_);
        sandbox::WriteReport(report, ReportOf(RunHere(shared, describes)));
      });
  if (!child.ok()) {
    status_.Update(child.status());
    return Crash();
  }
  const absl::StatusOr<int> status = child->Await();
  if (!status.ok()) {
    status_.Update(status.status());
    return Crash();
  }
  choices_->MakeAgain(policy);
  // A child that crashes sends no report.
  std::optional<ScheduleOutcome> outcome = ParseReport(child->report());
  return outcome.has_value() ? *std::move(outcome) : Crash();
}

}  // namespace net
