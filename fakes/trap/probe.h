#ifndef FAKES_TRAP_PROBE_H_
#define FAKES_TRAP_PROBE_H_

#include "absl/status/status.h"

namespace net::trap {

// Returns whether WAIT_KILLABLE_RECV works: a signal does not interrupt a call
// that was received. Tries it in a child process. Only the first call tries.
bool WaitKillableWorks();

// Returns OK if this process can trap a child. Otherwise fails with
// FAILED_PRECONDITION and the reason: a sandbox forbids seccomp(2) or
// pidfd_getfd(2), or this process already has a filter with a listener (a
// process can have only one). Tries it in a child process.
absl::Status CheckSeccomp();

}  // namespace net::trap

#endif  // FAKES_TRAP_PROBE_H_
