#ifndef CONFORMANCE_ENGINE_NEXT_H_
#define CONFORMANCE_ENGINE_NEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// Returns the record of the failure that is the cheapest to mend, or null if
// nothing ended unexpectedly. That is the first in this order:
//
// 1. `must` before `should` before `variation`;
// 2. a case that needs nothing before one with needs;
// 3. fewer system calls until the trial ended, of which Verdict::calls has 30
//    at most. Behind a driver they are not known, which counts as more;
// 4. the id of the case.
const Record* CheapestFailure(absl::Span<const Record> records);

// Returns a paragraph about it: the requirement, why it is the cheapest, and
// commands. `command` runs the program with the same implementation.
std::string FormatNext(absl::Span<const Record> records,
                       absl::string_view command);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_NEXT_H_
