#include "fakes/explorer/checkpoint.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fakes/call.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/fault_outcome.h"

namespace net {
namespace {

// The first line: it changes when the format does.
constexpr absl::string_view kHeader = "fault exploration 1";

// Returns false if the line is not `count` numbers.
bool ParseNumbers(absl::string_view line, size_t count,
                  std::vector<int64_t>& numbers) {
  numbers.clear();
  for (const absl::string_view field :
       absl::StrSplit(line, ' ', absl::SkipEmpty())) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(field, &number)) return false;
    numbers.push_back(number);
  }
  return numbers.size() == count;
}

bool ParseLine(absl::string_view line, Checkpoint& checkpoint) {
  std::vector<int64_t> numbers;
  if (absl::ConsumePrefix(&line, "fingerprint ")) {
    return absl::SimpleAtoi(line, &checkpoint.fingerprint);
  }
  if (absl::ConsumePrefix(&line, "done ")) {
    if (!ParseNumbers(line, 5, numbers)) return false;
    checkpoint.units = numbers[0];
    checkpoint.counts = {.plans = numbers[1],
                         .runs = numbers[2],
                         .pruned_recovered = numbers[3],
                         .pruned_same = numbers[4]};
    return true;
  }
  if (absl::ConsumePrefix(&line, "plan ")) {
    checkpoint.plans.emplace_back(line);
    return true;
  }
  if (!absl::ConsumePrefix(&line, "site ") || !ParseNumbers(line, 4, numbers) ||
      numbers[0] < 0 || numbers[0] >= static_cast<int64_t>(kCallCount)) {
    return false;
  }
  checkpoint.sites.push_back(
      {.call = static_cast<Call>(numbers[0]),
       .occurrence = static_cast<int>(numbers[1]),
       .error = static_cast<int>(numbers[2]),
       .outcome = static_cast<FaultOutcome>(numbers[3])});
  return true;
}

}  // namespace

std::string CheckpointText(const Checkpoint& checkpoint) {
  const ExploreCounts& counts = checkpoint.counts;
  std::string text =
      absl::StrCat(kHeader, "\nfingerprint ", checkpoint.fingerprint, "\ndone ",
                   checkpoint.units, " ", counts.plans, " ", counts.runs, " ",
                   counts.pruned_recovered, " ", counts.pruned_same, "\n");
  for (const std::string& plan : checkpoint.plans) {
    absl::StrAppend(&text, "plan ", plan, "\n");
  }
  for (const ExploreSite& site : checkpoint.sites) {
    absl::StrAppend(&text, "site ", static_cast<int>(site.call), " ",
                    site.occurrence, " ", site.error, " ",
                    static_cast<int>(site.outcome), "\n");
  }
  return text;
}

std::optional<Checkpoint> ParseCheckpoint(absl::string_view text) {
  Checkpoint checkpoint;
  bool has_header = false;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (!has_header) {
      if (line != kHeader) return std::nullopt;
      has_header = true;
    } else if (!ParseLine(line, checkpoint)) {
      return std::nullopt;
    }
  }
  if (!has_header) return std::nullopt;
  return checkpoint;
}

std::optional<Checkpoint> ReadCheckpoint(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) return std::nullopt;
  return ParseCheckpoint(std::string(std::istreambuf_iterator<char>(file), {}));
}

bool WriteCheckpoint(const Checkpoint& checkpoint, const std::string& path) {
  const std::string draft = path + ".new";
  {
    std::ofstream file(draft, std::ios::trunc);
    file << CheckpointText(checkpoint);
    if (!file.flush()) return false;
  }
  return std::rename(draft.c_str(), path.c_str()) == 0;
}

}  // namespace net
