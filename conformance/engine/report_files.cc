// Reports in the formats of others.

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/case.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/trial.h"

namespace net::conformance {
namespace {

// Text for an XML attribute or element. What XML 1.0 cannot hold at all becomes
// a question mark.
std::string Xml(absl::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20;
    if (is_control && c != '\n' && c != '\t') c = '?';
  }
  return absl::StrReplaceAll(
      clean, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// The element that says how a trial ended, "" if it passed.
std::string Ending(const Record& record) {
  const Verdict& verdict = record.verdict;
  const std::string name(OutcomeName(verdict.outcome));
  // A leak is a failure beside an outcome that is none.
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

// The first line of what there is to read about a trial.
std::string Found(const Verdict& verdict) {
  // The message of a trial that passed and leaked says how it came to that.
  const bool is_leak_alone =
      verdict.outcome == Outcome::kPass && verdict.leak != Leak::kNone;
  const std::string& text = is_leak_alone ? verdict.leaked : verdict.message;
  return text.substr(0, text.find('\n'));
}

// In a table's cell.
std::string Cell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", "<br>"}});
}

}  // namespace

std::string FormatJUnit(absl::Span<const Record> records) {
  std::map<std::string, std::vector<const Record*>> suites;
  for (const Record& record : records) {
    suites[record.trial.column->name].push_back(&record);
  }
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const auto& [name, own] : suites) {
    absl::StrAppend(&text, "<testsuite name=\"", Xml(name), "\" tests=\"",
                    own.size(), "\">\n");
    for (const Record* record : own) {
      absl::StrAppendFormat(
          &text,
          "<testcase classname=\"%s.%s\" name=\"%s %s\" time=\"%.3f\">%s"
          "</testcase>\n",
          Xml(name), SubjectOf(*record->trial.test_case),
          record->trial.test_case->id, AxisName(record->trial.axis),
          static_cast<double>(record->milliseconds) / 1000, Ending(*record));
    }
    text += "</testsuite>\n";
  }
  return text + "</testsuites>\n";
}

std::string FormatMarkdown(absl::Span<const Record> records) {
  std::string text = absl::StrCat("# Conformance\n\n```\n",
                                  FormatReport(records, /*verbose=*/false),
                                  "```\n\n## What did not pass\n\n"
                                  "| case | implementation | outcome | "
                                  "requirement | found |\n"
                                  "|---|---|---|---|---|\n");
  for (const Record& record : records) {
    const Verdict& verdict = record.verdict;
    if (verdict.outcome == Outcome::kPass && verdict.leak == Leak::kNone) {
      continue;
    }
    const Case& test_case = *record.trial.test_case;
    absl::StrAppend(
        &text, "| `", test_case.id, "` ", AxisName(record.trial.axis), " | ",
        record.trial.column->name, " | ", EndingName(verdict), " | ",
        Cell(test_case.requirement), " | ", Cell(Found(verdict)), " |\n");
  }
  return text;
}

}  // namespace net::conformance
