#include "fakes/explorer/schedule_checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_search.h"
#include "fakes/schedule/schedule.h"

namespace net {
namespace {

// The first line: it changes when the format does.
constexpr absl::string_view kHeader = "schedule exploration 1";

std::string NodeLine(size_t level, const ScheduleNode& node) {
  std::string text = absl::StrCat("node ", level, " ", node.digest);
  for (const Deviation& deviation : node.deviations) {
    absl::StrAppend(&text, " ", deviation.point, ":", deviation.participant);
  }
  return text;
}

bool ParseNode(const std::vector<absl::string_view>& fields,
               ScheduleProgress& progress) {
  size_t level = 0;
  ScheduleNode node;
  if (fields.size() < 3 || !absl::SimpleAtoi(fields[1], &level) ||
      level >= progress.pending.size() ||
      !absl::SimpleAtoi(fields[2], &node.digest)) {
    return false;
  }
  for (size_t i = 3; i < fields.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(fields[i], ':');
    Deviation& deviation = node.deviations.emplace_back();
    if (!absl::SimpleAtoi(parts.first, &deviation.point) ||
        !absl::SimpleAtoi(parts.second, &deviation.participant)) {
      return false;
    }
  }
  progress.pending[level].push_back(std::move(node));
  return true;
}

bool ParseRace(const std::vector<absl::string_view>& fields,
               std::vector<CheckpointedRace>& races) {
  CheckpointedRace& race = races.emplace_back();
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[1], &race.schedules) ||
      !absl::CUnescape(fields[3], &race.key)) {
    return false;
  }
  absl::StatusOr<Schedule> schedule = ParseSchedule(fields[2]);
  if (!schedule.ok()) return false;
  race.choices = std::move(schedule->choices);
  return true;
}

bool ParseLine(absl::string_view line, ScheduleCheckpoint& checkpoint) {
  ScheduleProgress& progress = checkpoint.progress;
  std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
  if (fields[0] == "fingerprint") {
    return fields.size() == 2 &&
           absl::SimpleAtoi(fields[1], &checkpoint.fingerprint);
  }
  if (fields[0] == "random") {
    return fields.size() == 4 &&
           absl::SimpleAtoi(fields[1], &progress.next_random) &&
           absl::SimpleAtoi(fields[2], &progress.random) &&
           absl::SimpleAtoi(fields[3], &progress.longest);
  }
  if (fields[0] == "level") {
    progress.pending.emplace_back();
    int64_t& count = progress.exhaustive.emplace_back();
    if (fields.size() != 2 || !absl::SimpleAtoi(fields[1], &count)) {
      return false;
    }
    progress.runs += count;
    return true;
  }
  if (fields[0] == "node") return ParseNode(fields, progress);
  if (fields[0] != "race") return false;
  // The key may contain spaces.
  fields = absl::StrSplit(line, absl::MaxSplits(' ', 3));
  return ParseRace(fields, checkpoint.races);
}

}  // namespace

std::string ScheduleCheckpointText(const ScheduleCheckpoint& checkpoint) {
  const ScheduleProgress& progress = checkpoint.progress;
  std::string text = absl::StrCat(
      kHeader, "\nfingerprint ", checkpoint.fingerprint, "\nrandom ",
      progress.next_random, " ", progress.random, " ", progress.longest, "\n");
  for (const int64_t count : progress.exhaustive) {
    absl::StrAppend(&text, "level ", count, "\n");
  }
  for (size_t level = 0; level < progress.pending.size(); ++level) {
    for (const ScheduleNode& node : progress.pending[level]) {
      absl::StrAppend(&text, NodeLine(level, node), "\n");
    }
  }
  for (const CheckpointedRace& race : checkpoint.races) {
    const Schedule schedule = {.at_each_call = true, .choices = race.choices};
    absl::StrAppend(&text, "race ", race.schedules, " ", schedule.ToString(),
                    " ", absl::CEscape(race.key), "\n");
  }
  return text;
}

std::optional<ScheduleCheckpoint> ParseScheduleCheckpoint(
    absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kHeader)) return std::nullopt;
  ScheduleCheckpoint checkpoint;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (!ParseLine(line, checkpoint)) return std::nullopt;
  }
  return checkpoint;
}

}  // namespace net
