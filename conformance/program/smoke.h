#ifndef CONFORMANCE_PROGRAM_SMOKE_H_
#define CONFORMANCE_PROGRAM_SMOKE_H_

#include <optional>
#include <string>

#include "absl/types/span.h"
#include "conformance/engine/trial.h"
#include "conformance/program/run.h"

namespace net::conformance {

// Runs the cases about drivers themselves (driver_host/smoke_cases.h) and
// returns the exit status of the program.
int Smoke(absl::Span<const Target* const> targets, const RunOptions& options);

// Returns the failure of a driver behind which no implementation can be judged:
// its hello failed, or none of the smoke cases passed. Returns nullopt if at
// least one passed. Ignores leaks, which the judged cases report.
std::optional<std::string> FaultOfDriver(const Target& target,
                                         const RunOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_SMOKE_H_
