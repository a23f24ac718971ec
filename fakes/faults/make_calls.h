#ifndef FAKES_FAULTS_MAKE_CALLS_H_
#define FAKES_FAULTS_MAKE_CALLS_H_

#include "absl/status/status.h"
#include "fakes/faults/trace.h"
#include "syscalls/syscalls.h"

namespace net {

// Plays the program's side of a trace: makes its calls on `kernel`, with the
// recorded arguments. Of several calls that do the same, makes the one that the
// Replayer plays: recv for recvfrom. Buffers have at most 1 MiB.
//
// Returns FAILED_PRECONDITION at the first call whose result or out-parameters
// are not the recorded ones:
//
//   line 5: recorded listen(3, 10) = 0, the kernel returned
//   listen(3, 10) = -1 EADDRINUSE
//
// Each thread of the trace has a thread of its own, which begins when the
// thread before it has ended.
absl::Status MakeCalls(const Trace& trace, Syscalls& kernel);

}  // namespace net

#endif  // FAKES_FAULTS_MAKE_CALLS_H_
