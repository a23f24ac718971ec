#include "fakes/explorer/checkpoint.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fakes/call.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/fault_outcome.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/faults/fault_plan.h"

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

// "KIND PLANS SCHEDULE ERRNO,ERRNO", and a tab before the plan and the text.
std::string FindingLine(const ExploreFinding& finding) {
  return absl::StrCat(static_cast<int>(finding.kind), " ", finding.plans, " ",
                      finding.schedule, " ", absl::StrJoin(finding.errnos, ","),
                      "\t", finding.plan.ToString(), "\t",
                      absl::CEscape(finding.text));
}

bool ParseErrnos(absl::string_view text, std::vector<int>& errnos) {
  for (const absl::string_view field :
       absl::StrSplit(text, ',', absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(field, &errnos.emplace_back())) return false;
  }
  return true;
}

std::optional<ExploreFinding> ParseFinding(absl::string_view line) {
  const std::vector<absl::string_view> parts = absl::StrSplit(line, '\t');
  if (parts.size() != 3) return std::nullopt;
  const std::vector<absl::string_view> fields = absl::StrSplit(parts[0], ' ');
  ExploreFinding finding;
  int kind = 0;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &kind) ||
      !absl::SimpleAtoi(fields[1], &finding.plans) ||
      !ParseErrnos(fields[3], finding.errnos) ||
      !absl::CUnescape(parts[2], &finding.text)) {
    return std::nullopt;
  }
  finding.kind = static_cast<FindingKind>(kind);
  finding.schedule = std::string(fields[2]);
  if (parts[1].empty()) return finding;
  absl::StatusOr<FaultPlan> plan = ParseFaultPlan(parts[1]);
  if (!plan.ok()) return std::nullopt;
  finding.plan = *std::move(plan);
  return finding;
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
  if (absl::ConsumePrefix(&line, "finding ")) {
    std::optional<ExploreFinding> finding = ParseFinding(line);
    if (!finding.has_value()) return false;
    checkpoint.findings.push_back(*std::move(finding));
    return true;
  }
  if (absl::ConsumePrefix(&line, "call ")) {
    if (!ParseNumbers(line, 1, numbers) || numbers[0] < 0 ||
        numbers[0] >= static_cast<int64_t>(kCallCount)) {
      return false;
    }
    checkpoint.calls.push_back(static_cast<Call>(numbers[0]));
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
  for (const ExploreFinding& finding : checkpoint.findings) {
    absl::StrAppend(&text, "finding ", FindingLine(finding), "\n");
  }
  for (const Call call : checkpoint.calls) {
    absl::StrAppend(&text, "call ", static_cast<int>(call), "\n");
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
  return ParseCheckpoint(ReadCheckpointText(path));
}

bool WriteCheckpoint(const Checkpoint& checkpoint, const std::string& path) {
  return WriteCheckpointText(CheckpointText(checkpoint), path);
}

std::string ReadCheckpointText(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) return "";
  return std::string(std::istreambuf_iterator<char>(file), {});
}

bool WriteCheckpointText(absl::string_view text, const std::string& path) {
  const std::string draft = path + ".new";
  {
    std::ofstream file(draft, std::ios::trunc);
    file << text;
    if (!file.flush()) return false;
  }
  return std::rename(draft.c_str(), path.c_str()) == 0;
}

}  // namespace net
