#include "conformance/one_file/recorded.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/suite/case.h"

namespace net::conformance {
namespace {

std::optional<AddressFamily> FamilyFromName(absl::string_view name) {
  for (const AddressFamily family : {AddressFamily::kV4, AddressFamily::kV6}) {
    if (name == AddressFamilyName(family)) return family;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<RecordedOutcomes> RecordedOutcomes::Parse(
    absl::string_view text) {
  RecordedOutcomes recorded;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "#")) continue;
    if (recorded.on_.empty()) {
      if (!absl::ConsumePrefix(&line, "on ")) {
        return absl::InvalidArgumentError(
            "a list of outcomes begins with a line 'on KERNEL'");
      }
      recorded.on_ = std::string(line);
      continue;
    }
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    const std::optional<Outcome> outcome =
        words.size() == 3 ? OutcomeFromName(words[2]) : std::nullopt;
    if (!outcome.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", line, "' is not 'CASE FAMILY,... OUTCOME'"));
    }
    for (const absl::string_view name : absl::StrSplit(words[1], ',')) {
      const std::optional<AddressFamily> family = FamilyFromName(name);
      if (!family.has_value()) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", line, "': there is no family '", name, "'"));
      }
      const bool is_new =
          recorded.outcomes_
              .try_emplace({std::string(words[0]), *family}, *outcome)
              .second;
      if (!is_new) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", line, "': has an outcome already"));
      }
    }
  }
  if (recorded.on_.empty()) {
    return absl::InvalidArgumentError("a list of outcomes is empty");
  }
  return recorded;
}

RecordedOutcomes RecordedOutcomes::Of(absl::Span<const Record> records,
                                      std::string on) {
  RecordedOutcomes recorded;
  recorded.on_ = std::move(on);
  for (const Record& record : records) {
    const Trial& trial = record.trial;
    recorded.outcomes_[{std::string(trial.test_case->id), trial.family}] =
        record.verdict.outcome;
  }
  return recorded;
}

std::string RecordedOutcomes::Text() const {
  // The outcomes of a case follow each other.
  std::map<std::string, std::map<Outcome, std::string>> lines;
  for (const auto& [trial, outcome] : outcomes_) {
    std::string& families = lines[trial.first][outcome];
    absl::StrAppend(&families, families.empty() ? "" : ",",
                    AddressFamilyName(trial.second));
  }
  std::string text = absl::StrCat("on ", on_, "\n");
  for (const auto& [id, families_by_outcome] : lines) {
    for (const auto& [outcome, families] : families_by_outcome) {
      absl::StrAppend(&text, id, " ", families, " ", OutcomeName(outcome),
                      "\n");
    }
  }
  return text;
}

std::optional<Outcome> RecordedOutcomes::Find(absl::string_view id,
                                              AddressFamily family) const {
  const auto found = outcomes_.find({std::string(id), family});
  if (found == outcomes_.end()) return std::nullopt;
  return found->second;
}

Comparison Compare(absl::Span<const Record> records,
                   const RecordedOutcomes& recorded) {
  Comparison comparison;
  for (const Record& record : records) {
    const std::optional<Outcome> before =
        recorded.Find(record.trial.test_case->id, record.trial.family);
    const Outcome now = record.verdict.outcome;
    if (!before.has_value()) {
      ++comparison.not_recorded;
    } else if (now == *before) {
      ++comparison.same;
    } else if (now == Outcome::kPrecondition) {
      ++comparison.preconditions;
    } else {
      comparison.different.push_back(&record);
    }
  }
  return comparison;
}

bool IsAllowed(const Record& different) {
  return different.verdict.outcome == Outcome::kVariation ||
         different.verdict.outcome == Outcome::kExpectedFail;
}

}  // namespace net::conformance
