#ifndef FAKES_TRAP_CONTROL_SERVER_H_
#define FAKES_TRAP_CONTROL_SERVER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fakes/trap/syscall_trap.h"

namespace net::trap {

// The side of the trap in control mode; see fakes/trap/trap_control.h for the
// requests and answers.

// Answers one request.
std::string AnswerRequest(SyscallTrap& trap, absl::string_view request);

// Answers requests until the program ends, and returns its wait status. If the
// channel ends first, the program goes on with the last plan.
absl::StatusOr<int> ServeControl(SyscallTrap& trap, int channel);

}  // namespace net::trap

#endif  // FAKES_TRAP_CONTROL_SERVER_H_
