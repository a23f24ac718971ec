#ifndef CONFORMANCE_PROGRAM_DEBUG_H_
#define CONFORMANCE_PROGRAM_DEBUG_H_

#include <string>

#include "absl/types/span.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Runs one trial in this process, without a time limit, so that a debugger
// that started the program has its breakpoints in it. Prints the record, and
// ends the process with the exit status of the program.
//
// `name` is that of --debug: a case's id, which may end with "/v4" or "/v6".
// The default is the first family of the case. Returns kError if there is no
// such case, or not exactly one target.
int Debug(absl::Span<const Target* const> targets, const std::string& name);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_DEBUG_H_
