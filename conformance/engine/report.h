#ifndef CONFORMANCE_ENGINE_REPORT_H_
#define CONFORMANCE_ENGINE_REPORT_H_

#include <string>

#include "absl/types/span.h"
#include "conformance/case.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// The report of a run, for people: for each implementation a table of subjects
// (the first part of the ids) by outcomes; then each trial that did not pass,
// with the requirement, where it comes from, and what was expected and seen.
std::string FormatReport(absl::Span<const Record> records);

// One trial that has ended, in full, as in the report.
std::string FormatRecord(const Record& record);

// One line of --verbose: "pass  listen.backlog.default v4 net_tcp (3 ms)".
std::string FormatRecordLine(const Record& record);

// What --list prints, a line or (as JSON) an object for each case.
std::string FormatCaseList(absl::Span<const Case* const> cases);
std::string FormatCaseListJson(absl::Span<const Case* const> cases);

// What --explain prints.
std::string FormatCase(const Case& test_case);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_REPORT_H_
