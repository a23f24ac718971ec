#ifndef SYSCALLS_SYSCALLS_FWD_H_
#define SYSCALLS_SYSCALLS_FWD_H_

#include "syscalls/require_cxx20.h"

// Declares what syscalls.h defines, for headers that only pass references on.

namespace net {

class Syscalls;

// Returns the kernel that this process runs on (a LinuxSyscalls). It needs no
// initialisation and is never destroyed, so constructors and destructors of
// global objects may use it, too.
Syscalls& DefaultSyscalls();

}  // namespace net

#endif  // SYSCALLS_SYSCALLS_FWD_H_
