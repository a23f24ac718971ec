#include "conformance/engine/report_groups.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"

namespace net::conformance {
namespace {

constexpr size_t kLinesOfFindings = 24;
constexpr size_t kLinesOfSession = 8;
constexpr size_t kLinesOfOutput = 12;
constexpr size_t kLineWidth = 400;

// Numbers with fewer digits are values of the test. Those with as many or more
// are ports and process ids, which differ between runs.
constexpr size_t kDigitsOfPort = 4;

bool IsMessageOfSession(absl::string_view line) {
  return absl::StartsWith(line, "> ") || absl::StartsWith(line, "< ");
}

// Returns the position of the session in a message, or npos.
size_t FindSession(absl::string_view message) {
  if (absl::StartsWith(message, kSessionHeading)) return 0;
  const size_t found = message.find(absl::StrCat("\n", kSessionHeading));
  return found == absl::string_view::npos ? found : found + 1;
}

// Returns the message of a trial. If it passed and leaked, that is the leak.
const std::string& Finding(const Verdict& verdict) {
  const bool is_leak_alone =
      verdict.outcome == Outcome::kPass && verdict.leak != Leak::kNone;
  return is_leak_alone ? verdict.leaked : verdict.message;
}

// Returns the reason of an ending: the first line of its message. A reason from
// a file of expectations ends with its line, "always waits
// (asio.expectations:8)"; that is left out, so that lines with equal reasons
// form one group.
std::string ReasonOf(const Verdict& verdict) {
  std::string reason = FirstLine(Finding(verdict));
  const size_t place = reason.rfind(" (");
  if (place != std::string::npos &&
      reason.find(".expectations:", place) != std::string::npos) {
    reason.erase(place);
  }
  return reason;
}

// Removes the parts of a message that differ between runs.
std::string Normalized(absl::string_view message) {
  const std::string text = absl::StrReplaceAll(
      message.substr(0, FindSession(message)),
      {{"[::1]", "LOOPBACK"}, {"::1", "LOOPBACK"}, {"127.0.0.1", "LOOPBACK"}});
  std::string normalized;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() &&
           absl::ascii_isdigit(static_cast<unsigned char>(text[end])))
      ++end;
    if (end == i) {
      normalized += text[i++];
      continue;
    }
    // A line number of a source file is not a port.
    const bool is_line =
        absl::EndsWith(normalized, ".cc:") || absl::EndsWith(normalized, ".h:");
    const bool is_descriptor = absl::EndsWith(normalized, "descriptor ");
    const bool varies = !is_line && (is_descriptor || end - i >= kDigitsOfPort);
    normalized += varies ? "N" : text.substr(i, end - i);
    i = end;
  }
  return normalized;
}

// Appends the first `most` lines, each cut to kLineWidth.
void AppendFirst(const std::vector<absl::string_view>& lines, size_t most,
                 std::vector<std::string>& out) {
  for (size_t i = 0; i < std::min(lines.size(), most); ++i) {
    out.push_back(CutText(lines[i], kLineWidth));
  }
  if (lines.size() > most) {
    out.push_back(absl::StrCat("... (", lines.size() - most, " more lines)"));
  }
}

// Appends the last `most` lines, each cut to kLineWidth.
void AppendLast(const std::vector<absl::string_view>& lines, size_t most,
                std::vector<std::string>& out) {
  const size_t cut = lines.size() - std::min(lines.size(), most);
  if (cut > 0) out.push_back(absl::StrCat("... (", cut, " lines before)"));
  for (size_t i = cut; i < lines.size(); ++i) {
    out.push_back(CutText(lines[i], kLineWidth));
  }
}

}  // namespace

std::vector<std::string> Group::Names() const {
  std::vector<std::pair<const Case*, std::vector<const Record*>>> cases;
  for (const Record* record : records) {
    const Case* const test_case = record->trial.test_case;
    auto known = std::find_if(cases.begin(), cases.end(), [&](const auto& one) {
      return one.first == test_case;
    });
    if (known == cases.end()) {
      known = cases.insert(cases.end(), {test_case, {}});
    }
    known->second.push_back(record);
  }
  std::vector<std::string> names;
  names.reserve(cases.size());
  for (const auto& [test_case, own] : cases) {
    names.push_back(
        own.size() > 1
            ? std::string(test_case->id)
            : absl::StrCat(test_case->id, " ",
                           AddressFamilyName(own.front()->trial.family)));
  }
  return names;
}

std::string Group::Ending() const {
  return EndingName(records.front()->verdict);
}

std::vector<std::string> Group::Targets() const {
  std::vector<std::pair<std::string, int>> counts;
  for (const Record* record : records) {
    const std::string& name = record->trial.target->name;
    auto known =
        std::find_if(counts.begin(), counts.end(),
                     [&](const auto& one) { return one.first == name; });
    if (known == counts.end()) known = counts.insert(counts.end(), {name, 0});
    ++known->second;
  }
  std::vector<std::string> texts;
  texts.reserve(counts.size());
  for (const auto& [name, count] : counts) {
    texts.push_back(absl::StrCat(name, " ", count));
  }
  return texts;
}

std::vector<Group> GroupByReason(absl::Span<const Record> records) {
  // Sorted by outcome, then by leak.
  std::map<std::tuple<Outcome, Leak>, std::vector<Group>> endings;
  std::map<std::tuple<Outcome, Leak, std::string>, size_t> places;
  for (const Record& record : records) {
    const Verdict& verdict = record.verdict;
    const bool passed =
        verdict.outcome == Outcome::kPass && verdict.leak == Leak::kNone;
    if (passed || !IsExpected(verdict)) continue;
    std::string reason = ReasonOf(verdict);
    if (reason.empty()) reason = "(no reason given)";
    std::vector<Group>& groups = endings[{verdict.outcome, verdict.leak}];
    const auto [place, is_new] = places.emplace(
        std::tuple(verdict.outcome, verdict.leak, reason), groups.size());
    if (is_new) groups.push_back({.reason = reason});
    groups[place->second].records.push_back(&record);
  }
  std::vector<Group> all;
  for (auto& [ending, groups] : endings) {
    std::stable_sort(groups.begin(), groups.end(),
                     [](const Group& one, const Group& other) {
                       return one.records.size() > other.records.size();
                     });
    groups.front().is_first = true;
    std::move(groups.begin(), groups.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<Group> GroupFailures(absl::Span<const Record> records) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string, std::string, std::string, std::string>,
           size_t>
      places;
  for (const Record& record : records) {
    const Verdict& verdict = record.verdict;
    if (IsExpected(verdict)) continue;
    const auto [place, is_new] = places.emplace(
        std::tuple(record.trial.target->name, EndingName(verdict),
                   Normalized(verdict.leaked), Normalized(verdict.message)),
        groups.size());
    if (is_new) groups.push_back({.reason = FirstLine(Finding(verdict))});
    groups[place->second].records.push_back(&record);
  }
  return groups;
}

size_t CountOf(absl::Span<const Record> records, Outcome outcome) {
  return static_cast<size_t>(std::count_if(
      records.begin(), records.end(),
      [outcome](const Record& one) { return one.verdict.outcome == outcome; }));
}

size_t CountOf(absl::Span<const Record> records, Leak leak) {
  return static_cast<size_t>(std::count_if(
      records.begin(), records.end(),
      [leak](const Record& one) { return one.verdict.leak == leak; }));
}

size_t CountOf(absl::Span<const Group> groups, absl::string_view ending) {
  size_t count = 0;
  for (const Group& group : groups) {
    if (group.Ending() == ending) count += group.records.size();
  }
  return count;
}

std::string ShortMessage(absl::string_view message) {
  const size_t heading = FindSession(message);
  std::vector<std::string> lines;
  absl::string_view findings = message.substr(0, heading);
  absl::ConsumeSuffix(&findings, "\n");
  if (!findings.empty()) {
    AppendFirst(absl::StrSplit(findings, '\n'), kLinesOfFindings, lines);
  }
  if (heading == absl::string_view::npos) return absl::StrJoin(lines, "\n");
  lines.emplace_back(kSessionHeading.substr(0, kSessionHeading.size() - 1));
  std::vector<absl::string_view> session;
  std::vector<absl::string_view> rest;
  for (const absl::string_view line :
       absl::StrSplit(message.substr(heading + kSessionHeading.size()), '\n')) {
    const bool is_session = rest.empty() && IsMessageOfSession(line);
    (is_session ? session : rest).push_back(line);
  }
  AppendLast(session, kLinesOfSession, lines);
  AppendLast(rest, kLinesOfOutput, lines);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return absl::StrJoin(lines, "\n");
}

std::string FirstLine(absl::string_view message) {
  return std::string(message.substr(0, message.find('\n')));
}

std::string CutText(absl::string_view text, size_t size) {
  constexpr absl::string_view kMore = "...";
  if (text.size() <= size) return std::string(text);
  size_t end = size - std::min(size, kMore.size());
  // Do not cut within a UTF-8 character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return absl::StrCat(text.substr(0, end), kMore);
}

}  // namespace net::conformance
