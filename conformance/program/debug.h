#ifndef CONFORMANCE_PROGRAM_DEBUG_H_
#define CONFORMANCE_PROGRAM_DEBUG_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Returns the trial with this name: a case's id, which may end with "/v4" or
// "/v6". The default is the first family of the case. Fails if there is no such
// case, or not exactly one target.
absl::StatusOr<Trial> FindTrial(absl::Span<const Target* const> targets,
                                absl::string_view name);

// Runs one trial in this process, without a time limit, so that the breakpoints
// of a debugger that started the program take effect. Prints the record, and
// ends the process with the exit status of the program.
//
// `name` is that of --debug: see FindTrial(). Returns kError if there is no
// such trial.
int Debug(absl::Span<const Target* const> targets, const std::string& name);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_DEBUG_H_
