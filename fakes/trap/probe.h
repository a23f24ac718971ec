#ifndef FAKES_TRAP_PROBE_H_
#define FAKES_TRAP_PROBE_H_

#include "absl/status/status.h"

namespace net::trap {

// Returns whether WAIT_KILLABLE_RECV has its effect: a signal does not
// interrupt a call that was received. Tries it in a child process. Only the
// first call tries.
bool WaitKillableWorks();

// Returns OK if this process can trap a child. Else the error is
// FAILED_PRECONDITION, and the message says why not: a sandbox that forbids
// seccomp(2) or pidfd_getfd(2), or a filter with a listener in this process
// already (a process can have only one). Tries it in a child process.
absl::Status CheckSeccomp();

}  // namespace net::trap

#endif  // FAKES_TRAP_PROBE_H_
