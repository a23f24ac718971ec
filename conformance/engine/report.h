#ifndef CONFORMANCE_ENGINE_REPORT_H_
#define CONFORMANCE_ENGINE_REPORT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"
#include "conformance/suite/case.h"

namespace net::conformance {

struct ReportOptions {
  bool verbose = false;  // print each trial that did not pass in full
  int width = 80;        // of the terminal
};

// Formats the report of a run for people:
//
// - The table: see MakeGrid().
// - Trials that ended as expected, except those that passed without a leak:
//   grouped by ending and reason, with counts and the names of a few cases.
// - The failures, each with the requirement, its source, and the message. Equal
//   failures are printed once, with the names of the others. Only the first
//   twenty are printed in full.
std::string FormatReport(absl::Span<const Record> records,
                         const ReportOptions& options = {});

// Formats the second part of the report.
std::string FormatReasons(absl::Span<const Record> records, int width);

// Formats the last line of a run: the counts, the exit status with its reason,
// and the command (if not "") that prints everything.
std::string FormatClosingLine(absl::Span<const Record> records, int status,
                              absl::string_view why, absl::string_view command);

// Returns "9 trials: 7 pass, 2 fail".
std::string CountsText(absl::Span<const Record> records);

// Format the report for other programs.
//
// - JUnit's XML format, as CI systems read it: a suite for each implementation
//   and version.
// - Markdown for a comment on a pull request, at most kMarkdownLimit bytes.
//   Failures that do not fit are only counted; `command` (if not "") is named
//   as the command that prints them. `provenance` (if not "") is a line about
//   the run: the list of cases, the kernel, the user and the date.
inline constexpr size_t kMarkdownLimit = 60000;
std::string FormatJUnit(absl::Span<const Record> records);
std::string FormatMarkdown(absl::Span<const Record> records,
                           absl::string_view command = "",
                           absl::string_view provenance = "");

// Returns the area of a case, the first part of its id: "listen" for
// "listen.backlog.default". For a case for kernels, returns the first two
// parts: "kernel.bind" for "kernel.bind.second".
std::string AreaOf(const Case& test_case);

// Format one trial: with the whole message, or with long messages shortened
// (ShortMessage()).
std::string FormatRecord(const Record& record);
std::string FormatRecordBriefly(const Record& record);

// Formats the line of --verbose: "PASS  listen.backlog.default v4 net_tcp (3
// ms)", or "PASS, LEAK  ..." if the trial leaked.
std::string FormatRecordLine(const Record& record);

// Format the output of --list: a line for each case, or as JSON an object.
std::string FormatCaseList(absl::Span<const Case* const> cases);
std::string FormatCaseListJson(absl::Span<const Case* const> cases);

// Formats the output of --explain.
std::string FormatCase(const Case& test_case);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_REPORT_H_
