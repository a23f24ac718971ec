#ifndef SYSCALLS_SANDBOX_FORBIDDEN_CALLS_H_
#define SYSCALLS_SANDBOX_FORBIDDEN_CALLS_H_

#include "absl/status/status.h"

// Make system calls fail with EPERM in this process and in the processes that
// it forks (seccomp(2)). For tests of code that needs a privilege. Cannot be
// undone, so call these functions in a child: see RunInChild().

namespace net::sandbox {

// Forbids changing the flags of a network interface. Linux forbids the same to
// a process that can make a network namespace but has no capabilities in it.
absl::Status ForbidInterfaceFlags();

// Forbids opening files with O_WRONLY, for example the ID maps of a user
// namespace.
absl::Status ForbidWriting();

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_FORBIDDEN_CALLS_H_
