#include "fakes/tracing_syscalls.h"

#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "fakes/call_text.h"
#include "fakes/invocation.h"
#include "fakes/kernel/trace_mark.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

// Held while a sink is called. It is one for all, because several
// TracingSyscalls may share a sink, and it is never destroyed.
Mutex& SinkMutex() {
  static Mutex& mutex = *new Mutex;
  return mutex;
}

}  // namespace

SysResult TracingSyscalls::Intercept(Invocation& invocation,
                                     absl::FunctionRef<SysResult()> make) {
  const CallText text(invocation);
  const SysResult result = make();
  const std::string line =
      absl::StrCat(name_, name_.empty() ? "" : ": ", text.Call(result), " = ",
                   text.Result(result));
  const std::string mark = std::exchange(fake::PendingTraceMark(), "");
  const MutexLock lock(SinkMutex());
  if (!mark.empty()) sink_(mark);
  sink_(line);
  return result;
}

}  // namespace net
