#ifndef FAKES_THREADS_RAW_SYSCALLS_H_
#define FAKES_THREADS_RAW_SYSCALLS_H_

#include <cstdint>

namespace net::threads {

// Called with the number and the first argument of each system call that the
// program makes by the function syscall(2). Null: nobody asks.
using SyscallObserver = void (*)(intptr_t number, intptr_t first);
inline constinit SyscallObserver on_syscall = nullptr;

}  // namespace net::threads

#endif  // FAKES_THREADS_RAW_SYSCALLS_H_
