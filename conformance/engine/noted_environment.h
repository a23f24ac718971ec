#ifndef CONFORMANCE_ENGINE_NOTED_ENVIRONMENT_H_
#define CONFORMANCE_ENGINE_NOTED_ENVIRONMENT_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/last_calls.h"
#include "conformance/suite/environment.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// A Syscalls in front of another that notes each call in a LastCalls:
//
//   case: connect(5, {AF_INET, 127.0.0.1:4711}, 16) = 0
//   net_tcp: recv(6, ?, 10, 0) <unfinished ...>
//
// The format is that of TracingSyscalls, which lists the pointers that it
// reads. The target and the LastCalls must outlive this object. Thread-safety:
// see Syscalls.
class NotedSyscalls final : public InterceptingSyscalls {
 public:
  // `caller` is the first word of each line.
  NotedSyscalls(Syscalls& target, LastCalls& calls, absl::string_view caller)
      : InterceptingSyscalls(target), calls_(calls), caller_(caller) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  LastCalls& calls_;
  const std::string caller_;
};

// Returns `environment`, whose syscalls() also note the calls in `calls`.
std::unique_ptr<Environment> NoteCallsOf(
    std::unique_ptr<Environment> environment, LastCalls& calls);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_NOTED_ENVIRONMENT_H_
