#ifndef CONFORMANCE_PAGE_PAGE_H_
#define CONFORMANCE_PAGE_PAGE_H_

#include <string>

#include "conformance/page/records_file.h"

namespace net::conformance {

// Facts that the page shows in addition to the records.
struct PageFacts {
  std::string date;     // of the records, in UTC: "2026-11-29 18:57 UTC"
  std::string command;  // runs the program: "./bazelw run //conformance --"
};

// Returns a self-contained HTML page with the records. They are compressed and
// encoded in base64, so none of their characters is markup.
std::string MakePage(const RecordsOfRun& run, const PageFacts& facts);

}  // namespace net::conformance

#endif  // CONFORMANCE_PAGE_PAGE_H_
