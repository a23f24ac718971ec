#ifndef CONFORMANCE_EXPLAIN_C_PROGRAM_H_
#define CONFORMANCE_EXPLAIN_C_PROGRAM_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/engine/trial.h"
#include "conformance/explain/script.h"

namespace net::conformance {

// The most statements of a program. A longer program would not help a reader.
inline constexpr size_t kMostStatements = 400;

// Returns a C program that makes the calls of a trial, and exits with status 0
// if each call has the same result. `one` and `other` are the scripts of two
// runs. The program does not check values that differ between the two.
//
// Fails with UNIMPLEMENTED if a C program cannot do the same as the trial. The
// message is the reason, a clause such as "it runs as another user".
absl::StatusOr<std::string> CProgram(const Trial& trial, const Script& one,
                                     const Script& other);

// Returns the program of each trial, or the reason why there is none. Records
// each trial twice, `jobs` trials at a time, and calls CProgram(). If a trial
// injects faults, the message has the plans.
std::vector<absl::StatusOr<std::string>> ProgramsOf(
    absl::Span<const Trial> trials, int jobs);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_C_PROGRAM_H_
