#ifndef FAKES_PRELOAD_SHARED_REMOTE_SYSCALLS_H_
#define FAKES_PRELOAD_SHARED_REMOTE_SYSCALLS_H_

#include "fakes/invocation.h"
#include "syscalls/complete_syscalls.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net::preload {

// The calling process on a shared FakeKernel: each call is a request to the
// server (fakes/preload/shared/protocol.h). Placeholders, faults and the trace
// are in the server, in front of the FakeProcess.
//
// Thread-safety: see Syscalls.
class RemoteSyscalls final : public CompleteSyscalls {
 public:
// Every method of Syscalls.
#define NET_SYSCALL(method, name, result, ...) \
  SysResult method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) override;
#include "syscalls/syscall_table.inc"

 private:
  static SysResult Run(const Invocation& invocation);
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_REMOTE_SYSCALLS_H_
