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
  bool verbose = false;  // each trial that did not pass, in full
  int width = 80;        // of the terminal
};

// The report of a run, for people:
//
// - the table: see MakeGrid();
// - what is not a failure and did not pass, or leaked, by ending and reason,
// with
//   counts and the names of a few cases;
// - the failures: the requirement, its source, and what was found. Failures
//   that are alike stand there once, with the names of the others. Only the
//   first twenty are in full.
std::string FormatReport(absl::Span<const Record> records,
                         const ReportOptions& options = {});

// The second part of it.
std::string FormatReasons(absl::Span<const Record> records, int width);

// The last line of a run: counts, exit status and its reason, and the command
// (if not "") that shows all.
std::string FormatClosingLine(absl::Span<const Record> records, int status,
                              absl::string_view why, absl::string_view command);

// "9 trials: 7 pass, 2 fail".
std::string CountsText(absl::Span<const Record> records);

// The same for machines and for pages. JUnit's XML format, as CI systems read
// it: a suite for each implementation and version. Markdown for the comment of
// a pull request: at most kMarkdownLimit bytes, whatever the run. What does not
// fit is counted, and `command` (if not "") shows it.
inline constexpr size_t kMarkdownLimit = 60000;
std::string FormatJUnit(absl::Span<const Record> records);
std::string FormatMarkdown(absl::Span<const Record> records,
                           absl::string_view command = "");

// "listen" of "listen.backlog.default". Of a case of the kernel table the
// subject says that, too: "kernel.bind" of "kernel.bind.second".
std::string SubjectOf(const Case& test_case);

// One trial that has ended, in full; and with the end of a long message only.
std::string FormatRecord(const Record& record);
std::string FormatRecordBriefly(const Record& record);

// One line of --verbose: "PASS  listen.backlog.default v4 net_tcp (3 ms)", or
// "PASS, LEAK  ..." if the trial leaked.
std::string FormatRecordLine(const Record& record);

// What --list prints, a line or (as JSON) an object for each case.
std::string FormatCaseList(absl::Span<const Case* const> cases);
std::string FormatCaseListJson(absl::Span<const Case* const> cases);

// What --explain prints.
std::string FormatCase(const Case& test_case);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_REPORT_H_
