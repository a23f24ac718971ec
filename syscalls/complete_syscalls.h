#ifndef SYSCALLS_COMPLETE_SYSCALLS_H_
#define SYSCALLS_COMPLETE_SYSCALLS_H_

#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net {

// Syscalls in which every method is pure: the base of kernels and wrappers that
// must have every call. A derived class that lacks a call cannot be
// instantiated. Small fakes derive from Syscalls instead: a call that they lack
// fails with ENOSYS.
class CompleteSyscalls : public Syscalls {
 public:
#define NET_SYSCALL(method, name, result, ...) \
  SysResult method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) override = 0;
#include "syscalls/syscall_table.inc"
};

}  // namespace net

#endif  // SYSCALLS_COMPLETE_SYSCALLS_H_
