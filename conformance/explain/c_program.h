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

// Longer programs show nothing to a reader.
inline constexpr size_t kMostStatements = 400;

// Returns a C program that makes the calls of a trial's scripts and exits with
// 0 if each has the same result. `one` and `other` are those of two runs:
// values that differ between them are not compared.
//
// Fails with UNIMPLEMENTED if a program cannot do what the trial did; the
// message is the reason, a clause: "it runs as another user".
absl::StatusOr<std::string> CProgram(const Trial& trial, const Script& one,
                                     const Script& other);

// Returns the program of each trial, or why there is none. Records each trial
// twice, `jobs` at a time, and calls the above. If a trial injects faults, the
// message has the plans.
std::vector<absl::StatusOr<std::string>> ProgramsOf(
    absl::Span<const Trial> trials, int jobs);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_C_PROGRAM_H_
