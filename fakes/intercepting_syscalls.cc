#include "fakes/intercepting_syscalls.h"

#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {

#define NET_SYSCALL(method, name, result, ...)                        \
  SysResult InterceptingSyscalls::method(                             \
      NET_SYSCALL_PARAMETERS(__VA_ARGS__)) {                          \
    return Run(Invocation(                                            \
        Arguments<Call::k##method>{NET_SYSCALL_NAMES(__VA_ARGS__)})); \
  }
#include "syscalls/syscall_table.inc"

SysResult InterceptingSyscalls::Run(Invocation invocation) {
  return Intercept(invocation, [&] { return invocation.MakeOn(target_); });
}

}  // namespace net
