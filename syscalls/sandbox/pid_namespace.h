#ifndef SYSCALLS_SANDBOX_PID_NAMESPACE_H_
#define SYSCALLS_SANDBOX_PID_NAMESPACE_H_

#include "absl/status/status.h"

// PID namespaces (pid_namespaces(7)).

namespace net::sandbox {

// Makes a new PID namespace for the children that this process forks from now
// on. The first child is process 1 there: when it ends, all others are killed.
absl::Status UnsharePids();

// Mounts the /proc of this process's PID namespace, in a new mount namespace.
// Before that, /proc shows the process IDs of the PID namespace in which it was
// mounted.
absl::Status MountOwnProc();

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_PID_NAMESPACE_H_
