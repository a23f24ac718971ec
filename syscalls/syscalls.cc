#include "syscalls/syscalls.h"

#include <type_traits>

#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {

// Defines the methods of Syscalls, which fail with ENOSYS. A method without a
// row is not defined here, so programs that use Syscalls do not link.
#define NET_SYSCALL(method, name, result, ...)                                 \
  static_assert(                                                               \
      std::is_same_v<decltype(&Syscalls::method),                              \
                     SysResult (Syscalls::*)(NET_SYSCALL_TYPES(__VA_ARGS__))>, \
      "Syscalls::" #method " differs from syscall_table.inc");                 \
  SysResult Syscalls::method(NET_SYSCALL_TYPES(__VA_ARGS__)) { return {}; }

#include "syscalls/syscall_table.inc"

}  // namespace net
