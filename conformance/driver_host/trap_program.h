#ifndef CONFORMANCE_DRIVER_HOST_TRAP_PROGRAM_H_
#define CONFORMANCE_DRIVER_HOST_TRAP_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"

namespace net::conformance {

// Returns the path of the program `trap` (fakes/trap). An error says why
// programs cannot be trapped here: the program was not built, or a sandbox
// forbids seccomp(2). The first call runs the program to find out; later calls
// return the same result.
//
// The calling process must have one thread.
absl::StatusOr<std::string> FindTrap();

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_TRAP_PROGRAM_H_
