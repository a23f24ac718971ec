#include "conformance/engine/expectations.h"

#include <fnmatch.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
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

constexpr absl::string_view kNoReason = "?";
constexpr absl::string_view kFlaky = "flaky";
constexpr absl::string_view kLeak = "leak";
constexpr absl::string_view kFlakyLeak = "flaky-leak";

bool IsFailure(Outcome outcome) {
  return outcome == Outcome::kFail || outcome == Outcome::kTimeout ||
         outcome == Outcome::kCrash;
}

// The major and minor number of "6.1" or "6.1.5-amd64".
using Version = std::pair<int, int>;

std::optional<Version> ParseVersion(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  Version version;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &version.first) ||
      !absl::SimpleAtoi(parts[1], &version.second)) {
    return std::nullopt;
  }
  return version;
}

// Returns whether the condition holds, or nullopt if it is malformed.
std::optional<bool> Holds(absl::string_view condition,
                          const Surroundings& here) {
  if (condition == "root") return here.root;
  if (condition == "unprivileged") return !here.root;
  if (condition == "linux") return !here.fake_kernel;
  if (condition == "fake_kernel") return here.fake_kernel;
  std::optional<Version> version;
  if (absl::ConsumePrefix(&condition, "kernel")) {
    version = {here.kernel_major, here.kernel_minor};
  } else if (absl::ConsumePrefix(&condition, "version")) {
    version = ParseVersion(here.version);
  }
  const bool from = absl::ConsumePrefix(&condition, ">=");
  if (!from && !absl::ConsumePrefix(&condition, "<")) return std::nullopt;
  const auto limit = ParseVersion(condition);
  const bool exact = std::count(condition.begin(), condition.end(), '.') == 1;
  if (!version.has_value() || !limit.has_value() || !exact) return std::nullopt;
  return (*version >= *limit) == from;
}

}  // namespace

Surroundings Surroundings::Here(std::string version, bool fake_kernel) {
  utsname system = {};
  uname(&system);
  // A release that is not "M.N..." becomes 0.0, so no `kernel>=` holds.
  const auto kernel = ParseVersion(system.release).value_or(Version());
  return {.kernel_major = kernel.first,
          .kernel_minor = kernel.second,
          .root = geteuid() == 0,
          .fake_kernel = fake_kernel,
          .version = std::move(version)};
}

absl::StatusOr<Expectations::Line> Expectations::ParseLine(
    absl::string_view text, const Surroundings& here) {
  Line line{.text = std::string(text)};
  const absl::string_view stripped = absl::StripAsciiWhitespace(text);
  if (stripped.empty() || stripped[0] == '#') return line;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(stripped, absl::MaxSplits('#', 1));
  line.reason = std::string(absl::StripAsciiWhitespace(parts.second));
  if (line.reason.empty()) {
    return absl::InvalidArgumentError("a reason is missing: `# why`");
  }
  const std::vector<absl::string_view> words =
      absl::StrSplit(parts.first, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() < 2) {
    return absl::InvalidArgumentError("expected a glob of cases and an ending");
  }
  line.glob = std::string(words[0]);
  line.ending = std::string(words[1]);
  if (line.ending == kLeak || line.ending == kFlakyLeak) {
    line.aspect = Aspect::kLeak;
  } else if (line.ending != "fail" && line.ending != "timeout" &&
             line.ending != "crash" && line.ending != kFlaky) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", line.ending,
                     "' is not one of fail, timeout, crash, flaky, leak and "
                     "flaky-leak"));
  }
  for (const absl::string_view word : absl::MakeConstSpan(words).subspan(2)) {
    const absl::Status parsed = ParseWord(word, here, line);
    if (!parsed.ok()) return parsed;
  }
  return line;
}

absl::Status Expectations::ParseWord(absl::string_view word,
                                     const Surroundings& here, Line& line) {
  if (absl::ConsumePrefix(&word, "error=")) {
    if (line.aspect == Aspect::kLeak) {
      return absl::InvalidArgumentError("a leak has no error=");
    }
    line.error = std::string(word);
  } else if (word == "axis=v4") {
    line.family = AddressFamily::kV4;
  } else if (word == "axis=v6") {
    line.family = AddressFamily::kV6;
  } else if (absl::ConsumePrefix(&word, "if=") &&
             Holds(word, here).has_value()) {
    line.active = line.active && *Holds(word, here);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("'", word, "' is not axis=, error= or if=",
                     absl::StartsWith(word, "version") && here.version.empty()
                         ? ": the version is not known before the run"
                         : ""));
  }
  return absl::OkStatus();
}

absl::StatusOr<Expectations> Expectations::Parse(absl::string_view text,
                                                 absl::string_view name,
                                                 const Surroundings& here) {
  Expectations expectations;
  expectations.name_ = std::string(name);
  absl::ConsumeSuffix(&text, "\n");
  if (text.empty()) return expectations;
  for (const absl::string_view one : absl::StrSplit(text, '\n')) {
    absl::StatusOr<Line> line = ParseLine(one, here);
    const int number = static_cast<int>(expectations.lines_.size()) + 1;
    if (!line.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ":", number, ": ", line.status().message()));
    }
    line->number = number;
    expectations.lines_.push_back(*std::move(line));
  }
  return expectations;
}

bool Expectations::IsOf(const Line& line, Aspect aspect, const Trial& trial) {
  if (IsComment(line) || !line.active || line.aspect != aspect) return false;
  if (line.family.has_value() && line.family != trial.family) return false;
  return fnmatch(line.glob.c_str(), std::string(trial.test_case->id).c_str(),
                 0) == 0;
}

bool Expectations::IsFlaky(const Line& line) {
  return line.ending == kFlaky || line.ending == kFlakyLeak;
}

bool Expectations::EndsSo(const Line& line, const Verdict& verdict) {
  if (line.aspect == Aspect::kLeak) return NeedsLine(Aspect::kLeak, verdict);
  if (IsFlaky(line)) return NeedsLine(Aspect::kOutcome, verdict);
  return line.ending == OutcomeName(verdict.outcome) &&
         (line.error.empty() || line.error == verdict.error);
}

bool Expectations::NeedsLine(Aspect aspect, const Verdict& verdict) {
  return aspect == Aspect::kLeak ? verdict.leak == Leak::kLeak
                                 : IsFailure(verdict.outcome);
}

bool Expectations::IsUnknown(Aspect aspect, const Verdict& verdict) {
  switch (verdict.outcome) {
    case Outcome::kPrecondition:
    case Outcome::kHarnessError:
      return true;
    case Outcome::kTimeout:
    case Outcome::kCrash:
      // The ledger of descriptors was not compared.
      return aspect == Aspect::kLeak && verdict.leak == Leak::kNone;
    default:
      return false;
  }
}

std::optional<size_t> Expectations::Find(Aspect aspect,
                                         const Trial& trial) const {
  const auto line =
      std::find_if(lines_.begin(), lines_.end(),
                   [&](const Line& one) { return IsOf(one, aspect, trial); });
  if (line == lines_.end()) return std::nullopt;
  return static_cast<size_t>(line - lines_.begin());
}

bool Expectations::MayHang(const Trial& trial) const {
  const std::optional<size_t> found = Find(Aspect::kOutcome, trial);
  return found.has_value() &&
         (lines_[*found].ending == "timeout" || IsFlaky(lines_[*found]));
}

void Expectations::Apply(Record& record) {
  // The leak first, because IsUnknown() needs the outcome before it is changed.
  ApplyToLeak(record);
  ApplyToOutcome(record);
}

void Expectations::ApplyToLeak(Record& record) {
  const std::optional<size_t> found = Find(Aspect::kLeak, record.trial);
  if (!found.has_value()) return;
  Line& line = lines_[*found];
  line.matched = true;
  Verdict& verdict = record.verdict;
  if (EndsSo(line, verdict)) {
    line.possible = line.justified = true;
    verdict.leak = Leak::kExpectedLeak;
    verdict.leaked =
        absl::StrCat(line.reason, " (", Where(line), ")\n", verdict.leaked);
  } else if (IsUnknown(Aspect::kLeak, verdict) || IsFlaky(line)) {
    line.possible = line.justified = true;
  } else if (verdict.outcome != Outcome::kUnsupported) {
    line.possible = true;
    verdict.leak = Leak::kUnexpectedNoLeak;
    verdict.leaked =
        absl::StrCat("it does not leak, but ", Where(line), " expects a leak");
  }
}

void Expectations::ApplyToOutcome(Record& record) {
  const std::optional<size_t> found = Find(Aspect::kOutcome, record.trial);
  if (!found.has_value()) return;
  Line& line = lines_[*found];
  line.matched = true;
  Verdict& verdict = record.verdict;
  if (verdict.outcome == Outcome::kUnsupported) return;
  line.possible = true;
  const bool is_failure = NeedsLine(Aspect::kOutcome, verdict);
  if (IsUnknown(Aspect::kOutcome, verdict) || (IsFlaky(line) && !is_failure)) {
    line.justified = true;
  } else if (EndsSo(line, verdict)) {
    line.justified = true;
    verdict.outcome = Outcome::kExpectedFail;
    verdict.message =
        absl::StrCat(line.reason, " (", Where(line), ")\n", verdict.message);
  } else if (is_failure) {
    line.justified = true;
    verdict.message =
        absl::StrCat("not the expected failure (", Where(line), ": ",
                     line.ending, line.error.empty() ? "" : " with ",
                     line.error, "): ", OutcomeName(verdict.outcome),
                     verdict.error.empty() ? "" : " with ", verdict.error, "\n",
                     verdict.message);
  } else {
    verdict.outcome = Outcome::kUnexpectedPass;
    verdict.message =
        absl::StrCat("it passes, but ", Where(line), " expects: ", line.ending);
  }
}

std::string Expectations::Where(const Line& line) const {
  return absl::StrCat(name_, ":", line.number);
}

std::vector<std::string> Expectations::Problems() const {
  std::vector<std::string> problems;
  for (const Line& line : lines_) {
    if (IsComment(line) || !line.active) continue;
    const auto add = [&](absl::string_view what) {
      problems.push_back(
          absl::StrCat(Where(line), ": '", line.glob, "' ", what));
    };
    if (line.reason == kNoReason) add("needs a reason instead of '?'");
    if (!line.matched) {
      add("matches no case that was run, or only cases that an earlier line "
          "matches");
    } else if (!line.possible) {
      add("matches only unsupported cases, which need no line");
    } else if (!line.justified) {
      add(line.aspect == Aspect::kLeak ? "matches only cases that do not leak"
                                       : "matches only cases that pass");
    }
  }
  return problems;
}

std::string Expectations::NewLines(absl::Span<const Ending> endings) {
  // Endings that are equal on both address families share a line.
  std::map<std::string, std::vector<AddressFamily>> families;
  std::vector<std::string> order;
  for (const auto& [record, aspect] : endings) {
    const Verdict& verdict = record->verdict;
    std::string key = absl::StrCat(record->trial.test_case->id, "  ");
    if (aspect == Aspect::kLeak) {
      absl::StrAppend(&key, kLeak);
    } else {
      absl::StrAppend(&key, OutcomeName(verdict.outcome),
                      verdict.error.empty() ? "" : " error=", verdict.error);
    }
    if (families[key].empty()) order.push_back(key);
    families[key].push_back(record->trial.family);
  }
  std::string text;
  for (const std::string& key : order) {
    absl::StrAppend(&text, key);
    if (families[key].size() == 1) {
      absl::StrAppend(&text,
                      " axis=", AddressFamilyName(families[key].front()));
    }
    absl::StrAppend(&text, "  # ", kNoReason, "\n");
  }
  return text;
}

std::string Expectations::Fix(absl::Span<const Record> records) const {
  // For each line: the endings that it predicted, whether it was wrong about a
  // trial, and whether a trial could not show it. `unlisted` are the endings
  // that need a line and have none.
  std::map<const Line*, std::vector<Ending>> right;
  std::map<const Line*, bool> wrong;
  std::map<const Line*, bool> unknown;
  std::vector<Ending> unlisted;
  for (const Record& record : records) {
    const Verdict& verdict = record.verdict;
    for (const Aspect aspect : kAspects) {
      const std::optional<size_t> found = Find(aspect, record.trial);
      const Line* line = found.has_value() ? &lines_[*found] : nullptr;
      if (line != nullptr && EndsSo(*line, verdict)) {
        right[line].emplace_back(&record, aspect);
      } else if (NeedsLine(aspect, verdict)) {
        unlisted.emplace_back(&record, aspect);
      } else if (line != nullptr && IsUnknown(aspect, verdict)) {
        unknown[line] = true;
      } else if (line != nullptr && !IsFlaky(*line)) {
        wrong[line] = true;
      }
    }
  }
  std::string text;
  for (const Line& line : lines_) {
    const bool is_kept =
        IsComment(line) || !line.active || IsFlaky(line) ||
        ((right.contains(&line) || unknown[&line]) && !wrong[&line]);
    if (is_kept) {
      absl::StrAppend(&text, line.text, "\n");
    } else if (right.contains(&line)) {
      // The glob was too wide: list the cases by name, with the same reason.
      std::string lines = NewLines(right[&line]);
      for (const absl::string_view one :
           absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
        absl::StrAppend(&text, one.substr(0, one.size() - kNoReason.size()),
                        line.reason, "\n");
      }
    }
  }
  return text + NewLines(unlisted);
}

}  // namespace net::conformance
