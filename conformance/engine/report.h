#ifndef CONFORMANCE_ENGINE_REPORT_H_
#define CONFORMANCE_ENGINE_REPORT_H_

#include <string>

#include "absl/types/span.h"
#include "conformance/case.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// The report of a run, for people: for each column a table of subjects (the
// first part of the ids, "listen", or the first two of the kernel cases,
// "kernel.bind") by outcomes and leaks; then each trial that did not pass, or
// that leaked, with the requirement, where it comes from, and what was expected
// and seen.
//
// Of several columns: one table, of subjects by columns, and in full only the
// trials with an unexpected outcome or leak; all that did not pass, or that
// leaked, if `verbose`.
std::string FormatReport(absl::Span<const Record> records,
                         bool verbose = false);

// The same for machines and for pages: the format of JUnit's XML reports, as CI
// systems read it; and a table in Markdown, with a list of what did not pass.
std::string FormatJUnit(absl::Span<const Record> records);
std::string FormatMarkdown(absl::Span<const Record> records);

// "listen" of "listen.backlog.default". Of a case of the kernel table the
// subject says that, too: "kernel.bind" of "kernel.bind.second".
std::string SubjectOf(const Case& test_case);

// One trial that has ended, in full, as in the report.
std::string FormatRecord(const Record& record);

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
