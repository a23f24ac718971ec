#ifndef FAKES_EXPLORER_CHECKPOINT_H_
#define FAKES_EXPLORER_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/explore_faults.h"

namespace net {

// The progress of an exploration that was stopped.
struct Checkpoint {
  uint64_t fingerprint = 0;        // Of the scenario and the options.
  int64_t units = 0;               // Units of work that are done.
  ExploreCounts counts;            // Of these units.
  std::vector<std::string> plans;  // Texts of plans that show defects.
  std::vector<ExploreSite> sites;
  // Of ExploreFaultsUnderSchedules(), whose units of work are schedules.
  std::vector<ExploreFinding> findings;
  std::vector<Call> calls;
};

// Returns the checkpoint as text, a line for each fact.
std::string CheckpointText(const Checkpoint& checkpoint);

// Parses the text. Returns nullopt if it is not from CheckpointText().
std::optional<Checkpoint> ParseCheckpoint(absl::string_view text);

// Reads a checkpoint from a file. Returns nullopt if there is no such file, or
// if it is not a checkpoint.
std::optional<Checkpoint> ReadCheckpoint(const std::string& path);

// Replaces the file atomically. Returns false if that fails.
bool WriteCheckpoint(const Checkpoint& checkpoint, const std::string& path);

// Read and write any text in the same way. ReadCheckpointText() returns "" if
// there is no such file.
std::string ReadCheckpointText(const std::string& path);
bool WriteCheckpointText(absl::string_view text, const std::string& path);

}  // namespace net

#endif  // FAKES_EXPLORER_CHECKPOINT_H_
