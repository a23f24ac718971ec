#ifndef CONFORMANCE_PAGE_CASE_LIST_H_
#define CONFORMANCE_PAGE_CASE_LIST_H_

#include <cstddef>
#include <string>

#include "absl/types/span.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// The list of cases that a run has judged. Counts of passes can be compared
// only if they belong to the same list.
struct CaseList {
  size_t cases = 0;
  // Eight hexadecimal digits: the CRC-32 of the sorted lines "CASE FAMILY
  // REQUIREMENT\n", each once.
  std::string hash;
};

CaseList CaseListOf(absl::Span<const Record> records);

// Returns "1591 cases (list 1c291ca3), Linux 6.18.1 x86_64, uid 0, " and the
// date.
std::string Provenance(absl::Span<const Record> records,
                       const std::string& date);

}  // namespace net::conformance

#endif  // CONFORMANCE_PAGE_CASE_LIST_H_
