#ifndef CONFORMANCE_PAGE_PAGE_H_
#define CONFORMANCE_PAGE_PAGE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "conformance/page/records_file.h"

namespace net::conformance {

// Facts that the page shows in addition to the records.
struct PageFacts {
  std::string date;     // of the records, in UTC: "2026-11-29 18:57 UTC"
  std::string command;  // runs the program: "./bazelw run //conformance --"
};

// The standalone C program of each case, by the case's id. The error is the
// reason why a case has none.
using CasePrograms = std::map<std::string, absl::StatusOr<std::string>>;

// Returns a self-contained HTML page with the records and the programs. They
// are compressed and encoded in base64, so none of their characters is markup.
std::string MakePage(const RecordsOfRun& run, const CasePrograms& programs,
                     const PageFacts& facts);

}  // namespace net::conformance

#endif  // CONFORMANCE_PAGE_PAGE_H_
