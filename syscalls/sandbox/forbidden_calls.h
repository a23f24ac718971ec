#ifndef SYSCALLS_SANDBOX_FORBIDDEN_CALLS_H_
#define SYSCALLS_SANDBOX_FORBIDDEN_CALLS_H_

#include "absl/status/status.h"

// For tests of code that needs a right: in this process and those that it
// forks, the system calls that need the right fail with EPERM from now on
// (seccomp(2)). There is no way back, so call these in a child: see
// RunInChild().

namespace net::sandbox {

// Forbids changing the flags of a network interface. A process that may make a
// network namespace, but has no capabilities in it, is denied the same.
absl::Status ForbidInterfaceFlags();

// Forbids opening a file with O_WRONLY: the maps of a user namespace, for
// example.
absl::Status ForbidWriting();

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_FORBIDDEN_CALLS_H_
