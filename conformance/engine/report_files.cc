// Reports in the formats of other programs: JUnit's XML and Markdown.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/grid.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/report_groups.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"

namespace net::conformance {
namespace {

// The limits of a Markdown report: reasons for each outcome that is not a
// failure, names for each reason, bytes of a reason, of a message and of system
// calls.
constexpr size_t kReasons = 25;
constexpr size_t kNames = 3;
constexpr size_t kReasonSize = 160;
constexpr size_t kMessageSize = 3000;
constexpr size_t kCallsSize = 4000;
// Bytes for all reasons together.
constexpr size_t kRoomForReasons = kMarkdownLimit / 2;
// Bytes for the last lines.
constexpr size_t kRoomForEnd = 200;

// Escapes text for an XML attribute or element. A character that XML 1.0 does
// not allow becomes a question mark.
std::string Xml(absl::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20;
    if (is_control && c != '\n' && c != '\t') c = '?';
  }
  return absl::StrReplaceAll(
      clean, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// Returns the XML element for the ending of a trial, "" if it passed.
std::string Ending(const Record& record) {
  const Verdict& verdict = record.verdict;
  const std::string name(OutcomeName(verdict.outcome));
  // The leak is the failure: the outcome itself is expected.
  if (IsExpected(verdict.outcome) && !IsExpected(verdict)) {
    return absl::StrCat("<failure type=\"", LeakName(verdict.leak), "\">",
                        Xml(FormatRecord(record)), "</failure>");
  }
  switch (verdict.outcome) {
    case Outcome::kPass:
    case Outcome::kVariation:
      return "";
    case Outcome::kExpectedFail:
    case Outcome::kUnsupported:
    case Outcome::kPrecondition:
      return absl::StrCat("<skipped message=\"", name, ": ",
                          Xml(verdict.message), "\"/>");
    case Outcome::kHarnessError:
    case Outcome::kCrash:
    case Outcome::kTimeout:
      return absl::StrCat("<error type=\"", name, "\">",
                          Xml(FormatRecord(record)), "</error>");
    default:
      return absl::StrCat("<failure type=\"", name, "\">",
                          Xml(FormatRecord(record)), "</failure>");
  }
}

// Escapes text for a heading or a list, on one line.
std::string Plain(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\n", " "}});
}

// Returns a fenced code block. The fence is longer than any run of backticks in
// the text.
std::string Fenced(absl::string_view text) {
  std::string fence = "```";
  while (absl::StrContains(text, fence)) fence += '`';
  return absl::StrCat(fence, "text\n", text, "\n", fence, "\n");
}

// Returns the <details> element of one ending, with a row for each reason.
std::string ReasonsOf(const std::string& ending,
                      absl::Span<const Group> groups) {
  std::string text = absl::StrCat(
      "\n<details><summary>", CountOf(groups, ending), " ", ending,
      "</summary>\n\n| trials | reason | cases |\n|---:|---|---|\n");
  size_t rows = 0;
  for (const Group& group : groups) {
    if (group.Ending() != ending) continue;
    if (++rows > kReasons) continue;
    std::vector<std::string> names = group.Names();
    const size_t cut = names.size() - std::min(names.size(), kNames);
    names.resize(names.size() - cut);
    absl::StrAppend(&text, "| ", group.records.size(), " | ",
                    MarkdownCell(CutText(group.reason, kReasonSize)), " | ",
                    absl::StrJoin(names, ", "),
                    cut == 0 ? "" : absl::StrCat(", ... (", cut, " more)"),
                    " |\n");
  }
  if (rows > kReasons) {
    absl::StrAppend(&text, "\n", rows - kReasons, " more reasons\n");
  }
  return text + "\n</details>\n";
}

std::string FormatFailure(const Group& group) {
  const Record& record = *group.records.front();
  const Case& test_case = *record.trial.test_case;
  const Verdict& verdict = record.verdict;
  const std::string found =
      absl::StrCat(verdict.leaked, verdict.leaked.empty() ? "" : "\n",
                   ShortMessage(verdict.message));
  std::string text = absl::StrCat(
      "\n<details><summary>", group.Ending(), " <code>",
      Plain(TrialName(record.trial)), "</code>: ", Plain(test_case.requirement),
      "</summary>\n\nSource: ", Plain(test_case.source), "\n\n",
      Fenced(CutText(found, kMessageSize)));
  if (!verdict.calls.empty()) {
    absl::StrAppend(&text, "\n", kCallsHeading, "\n\n",
                    Fenced(CutText(verdict.calls, kCallsSize)));
  }
  if (group.records.size() > 1) {
    absl::StrAppend(&text, "\nThe same in ", group.records.size() - 1,
                    " more trials.\n");
  }
  return text + "\n</details>\n";
}

}  // namespace

std::string FormatJUnit(absl::Span<const Record> records) {
  // Records are grouped by name. A trial that ended before the driver's hello
  // has no version, so the version comes from any record that has one.
  std::map<std::string, std::vector<const Record*>> targets;
  for (const Record& record : records) {
    targets[record.trial.target->name].push_back(&record);
  }
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const auto& [name, own] : targets) {
    const auto versioned =
        std::find_if(own.begin(), own.end(),
                     [](const Record* one) { return !one->version.empty(); });
    const std::string suite =
        versioned == own.end() ? name
                               : absl::StrCat(name, " ", (*versioned)->version);
    const auto failures =
        std::count_if(own.begin(), own.end(), [](const Record* one) {
          return absl::StartsWith(Ending(*one), "<failure");
        });
    const auto errors =
        std::count_if(own.begin(), own.end(), [](const Record* one) {
          return absl::StartsWith(Ending(*one), "<error");
        });
    absl::StrAppend(&text, "<testsuite name=\"", Xml(suite), "\" tests=\"",
                    own.size(), "\" failures=\"", failures, "\" errors=\"",
                    errors, "\">\n");
    for (const Record* record : own) {
      absl::StrAppendFormat(
          &text,
          "<testcase classname=\"%s.%s\" name=\"%s %s\" time=\"%.3f\">%s"
          "</testcase>\n",
          Xml(suite), AreaOf(*record->trial.test_case),
          record->trial.test_case->id, AddressFamilyName(record->trial.family),
          static_cast<double>(record->milliseconds) / 1000, Ending(*record));
    }
    text += "</testsuite>\n";
  }
  return text + "</testsuites>\n";
}

std::string FormatMarkdown(absl::Span<const Record> records,
                           absl::string_view command,
                           absl::string_view provenance) {
  const std::string shows =
      command.empty() ? "`--verbose` shows all"
                      : absl::StrCat("all of them: `", command, " --verbose`");
  std::string text = absl::StrCat(
      "# Conformance\n\n", CountsText(records), "\n\n", Plain(provenance),
      provenance.empty() ? "" : "\n\n", FormatGridMarkdown(MakeGrid(records)));
  const std::vector<Group> groups = GroupByReason(records);
  std::string reasons;
  for (const Group& group : groups) {
    if (!group.is_first) continue;
    const std::string one = ReasonsOf(group.Ending(), groups);
    if (reasons.size() + one.size() <= kRoomForReasons) {
      reasons += one;
    } else {
      absl::StrAppend(&reasons, "\n", CountOf(groups, group.Ending()), " ",
                      group.Ending(), ", with too many reasons to list\n");
    }
  }
  // The failures get the remaining space.
  const std::vector<Group> failures = GroupFailures(records);
  size_t used = text.size() + reasons.size() + shows.size() + kRoomForEnd;
  size_t shown = 0;
  std::string details;
  for (const Group& group : failures) {
    const std::string one = FormatFailure(group);
    if (used + one.size() > kMarkdownLimit) break;
    used += one.size();
    details += one;
    ++shown;
  }
  absl::StrAppend(&text, reasons);
  if (!failures.empty()) absl::StrAppend(&text, "\n## Failures\n", details);
  if (shown < failures.size()) {
    absl::StrAppend(&text, "\n", failures.size() - shown, " of ",
                    failures.size(), " failures are left out here; ", shows,
                    "\n");
  }
  return CutText(text, kMarkdownLimit);
}

}  // namespace net::conformance
