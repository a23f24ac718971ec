#ifndef SYSCALLS_SYSCALLS_FWD_H_
#define SYSCALLS_SYSCALLS_FWD_H_

// Declares what syscalls.h defines, for headers that only pass references on.

namespace net {

class Syscalls;
Syscalls& DefaultSyscalls();

}  // namespace net

#endif  // SYSCALLS_SYSCALLS_FWD_H_
