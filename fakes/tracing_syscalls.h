#ifndef FAKES_TRACING_SYSCALLS_H_
#define FAKES_TRACING_SYSCALLS_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// A Syscalls in front of another that passes a line for each call to a sink, in
// the format of strace(1):
//
//   TracingSyscalls traced(kernel, [](absl::string_view line) {
//     std::cerr << line << "\n";
//   }, "server");
//
//   server: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3
//   server: connect(3, {AF_INET, 127.0.0.1:80}, 16) = -1 EINPROGRESS
//   server: poll([{3, POLLOUT}], 1, -1) = 1 [{3, POLLOUT}]
//   server: recv(3, "GET / HTTP/1.1\r\n", 4096, 0) = 16
//
// A line is written when the call has returned, so a call that blocks appears
// after the calls that other threads make meanwhile. An out-parameter that the
// call did not fill in is "?".
//
// Threads that take part in a FakeKernel run one at a time, from one call to
// the next, so the order of their lines is that of the kernel's schedule. Once
// a run can no longer be replayed, a line "# not replayable: " with the reason
// precedes the next call.
//
// A line contains no memory address and nothing else that changes from run to
// run. If two programs make the same calls and get the same results, their
// traces are equal, byte by byte.
//
// The calls, their arguments and their results are not changed. A pointer is
// not read if it is null, outside of user space, or if the call failed with
// EFAULT. Any other invalid pointer crashes the program.
//
// The target must outlive it. Thread-safety: see Syscalls. The thread that made
// the call calls the sink. Only one thread at a time calls a sink of any
// TracingSyscalls, so several of them can share a sink. A sink must not make
// calls through a TracingSyscalls.
class TracingSyscalls final : public InterceptingSyscalls {
 public:
  using Sink = std::function<void(absl::string_view line)>;

  // If `name` is not empty, each line begins with it and a colon.
  TracingSyscalls(Syscalls& target, Sink sink, absl::string_view name = "")
      : InterceptingSyscalls(target), sink_(std::move(sink)), name_(name) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  const Sink sink_;
  const std::string name_;
};

}  // namespace net

#endif  // FAKES_TRACING_SYSCALLS_H_
