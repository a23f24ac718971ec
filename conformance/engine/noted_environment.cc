#include "conformance/engine/noted_environment.h"

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "conformance/engine/environment_with_syscalls.h"
#include "conformance/engine/last_calls.h"
#include "conformance/suite/environment.h"
#include "fakes/call_text.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"

namespace net::conformance {
SysResult NotedSyscalls::Intercept(Invocation& invocation,
                                   absl::FunctionRef<SysResult()> make) {
  const CallText text(invocation);
  // After EFAULT no pointer is read: any of them may be invalid.
  const LastCalls::Entry entry = calls_.Enter(absl::StrCat(
      caller_, ": ", text.Call(SysResult::Error(EFAULT)), " <unfinished ...>"));
  const SysResult result = make();
  LastCalls::Return(entry, absl::StrCat(caller_, ": ", text.Call(result), " = ",
                                        text.Result(result)));
  return result;
}

std::unique_ptr<Environment> NoteCallsOf(
    std::unique_ptr<Environment> environment, LastCalls& calls) {
  auto noted =
      std::make_unique<NotedSyscalls>(environment->syscalls(), calls, "case");
  return WithSyscalls(std::move(environment), std::move(noted));
}

}  // namespace net::conformance
