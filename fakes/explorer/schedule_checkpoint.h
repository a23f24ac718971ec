#ifndef FAKES_EXPLORER_SCHEDULE_CHECKPOINT_H_
#define FAKES_EXPLORER_SCHEDULE_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/explorer/schedule_search.h"

namespace net {

// A defect that schedules have shown.
struct CheckpointedRace {
  int64_t schedules = 0;     // The number of schedules that have shown it.
  std::vector<int> choices;  // All of the first schedule, as participants.
  std::string key;           // KeyOf().
};

// The progress of ExploreSchedules() when it was stopped.
struct ScheduleCheckpoint {
  uint64_t fingerprint = 0;  // Of the scenario and the options.
  ScheduleProgress progress;
  std::vector<CheckpointedRace>
      races;  // In the order in which they were found.
};

// Returns the checkpoint as text, a line for each fact.
std::string ScheduleCheckpointText(const ScheduleCheckpoint& checkpoint);

// Parses the text. Returns nullopt if it is not from ScheduleCheckpointText().
std::optional<ScheduleCheckpoint> ParseScheduleCheckpoint(
    absl::string_view text);

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_CHECKPOINT_H_
