#ifndef CONFORMANCE_PROGRAM_EXPLAIN_H_
#define CONFORMANCE_PROGRAM_EXPLAIN_H_

#include <string>

#include "absl/types/span.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Prints a case: its requirement, why it matters, the bugs that it finds, and a
// C program that shows what this kernel does. Returns the exit status of the
// program.
//
// `name` is that of --explain: a case's id, which may end with "/v4" or "/v6".
// With `only_program`, prints the C program alone, and fails if there is none.
int Explain(absl::Span<const Target> targets, const std::string& name,
            bool only_program);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_EXPLAIN_H_
