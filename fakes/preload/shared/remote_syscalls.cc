#include "fakes/preload/shared/remote_syscalls.h"

#include <pthread.h>

#include <csignal>

#include "fakes/call.h"
#include "fakes/invocation.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/shared/call_codec.h"
#include "fakes/preload/shared/client.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net::preload {

#define NET_SYSCALL(method, name, result, ...)                            \
  SysResult RemoteSyscalls::method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) { \
    return Run(Invocation(                                                \
        Arguments<Call::k##method>{NET_SYSCALL_NAMES(__VA_ARGS__)}));     \
  }
#include "syscalls/syscall_table.inc"

SysResult RemoteSyscalls::Run(const Invocation& invocation) {
  SysResult result;
  bool raises_sigpipe = false;
  {
    const fake::KernelSection section;
    const ClientCall call(invocation);
    MessageWriter message;
    call.Put(message);
    ServerConnection& connection = ConnectionOfThread();
    MessageReader reply = connection.Exchange(Request::kCall, message);
    result = call.TakeResult(reply);
    raises_sigpipe = connection.epilogue().raises_sigpipe;
  }
  if (raises_sigpipe) pthread_kill(pthread_self(), SIGPIPE);
  return result;
}

}  // namespace net::preload
