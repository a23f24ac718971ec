#include "fakes/delivering_syscalls.h"

#include "absl/functional/function_ref.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {

SysResult DeliveringSyscalls::Intercept(Invocation& invocation,
                                        absl::FunctionRef<SysResult()> make) {
  // The time is read to measure a call, which should not seem longer.
  if (invocation.call() != Call::kClockGetTime) delivery_.Await();
  delivery_.Note();
  const SysResult result = make();
  delivery_.Note();
  return result;
}

}  // namespace net
