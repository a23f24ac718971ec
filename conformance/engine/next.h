#ifndef CONFORMANCE_ENGINE_NEXT_H_
#define CONFORMANCE_ENGINE_NEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// Returns the record of the failure that is the cheapest to mend: the first in
// the order below. Returns null if nothing ended unexpectedly.
//
// 1. `must` before `should` before `variation`;
// 2. a case that needs nothing before one with needs;
// 3. fewer system calls until the trial ended. Verdict::calls has at most 30 of
//    them. The calls of a driver are unknown, which counts as more than 30;
// 4. the id of the case.
const Record* CheapestFailure(absl::Span<const Record> records);

// Returns a paragraph about the cheapest failure: the requirement, why it is
// the cheapest, and commands. `command` is the command line that runs the
// program with the same implementation.
std::string FormatNext(absl::Span<const Record> records,
                       absl::string_view command);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_NEXT_H_
