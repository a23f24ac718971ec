#ifndef CONFORMANCE_EXPLAIN_RECORDING_H_
#define CONFORMANCE_EXPLAIN_RECORDING_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// The most bytes of data that are written into a program.
inline constexpr size_t kLongestLiteral = 64;

// Runs trials, each in a process of its own and `jobs` at a time, and returns
// for each the lines of its script (script.h). Their targets must run the
// implementation in the trial's process. The error of a trial that does not
// pass begins with the outcome.
//
// The operations of a script are:
//
//   limit N, unlimit                  LimitDescriptors()
//   drop_privileged_ports
//   sysctl NAME VALUE
//   loopback up, loopback down
//   route                             AddFailingRoute()
//   other_user                        AsOtherUser() begins
//   exec FD...                        the descriptors that are open after exec
//   plan TEXT                         a fault plan is armed
//   fill N                            all of the long data that follows is this
//                                     character; -1: it is not
//
// Data of more than kLongestLiteral bytes is not part of it: "?".
std::vector<absl::StatusOr<std::string>> RecordTrials(
    absl::Span<const Trial> trials, int jobs);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_RECORDING_H_
