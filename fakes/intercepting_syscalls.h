#ifndef FAKES_INTERCEPTING_SYSCALLS_H_
#define FAKES_INTERCEPTING_SYSCALLS_H_

#include "absl/functional/function_ref.h"
#include "fakes/invocation.h"
#include "syscalls/complete_syscalls.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net {

// A Syscalls in front of another whose calls all go through one method. It is
// the base of classes that count, fail, change, record or delay calls. A
// subclass overrides Intercept():
//
//   // Sends at most one byte at a time over one socket.
//   class OneByteAtATime final : public InterceptingSyscalls {
//    public:
//     OneByteAtATime(Syscalls& target, int fd)
//         : InterceptingSyscalls(target), fd_(fd) {}
//
//    protected:
//     SysResult Intercept(Invocation& invocation,
//                         absl::FunctionRef<SysResult()> make) override {
//       auto* const send = invocation.As<Call::kSend>();
//       if (send != nullptr && send->fd == fd_ && send->size > 1) {
//         send->size = 1;
//       }
//       return make();
//     }
//
//    private:
//     const int fd_;
//   };
//
// The target must outlive it. Thread-safety: see Syscalls. The caller's thread
// calls Intercept(), concurrently with other threads. Intercept() must not hold
// a lock while it makes a call that may block.
class InterceptingSyscalls : public CompleteSyscalls {
 public:
  explicit InterceptingSyscalls(Syscalls& target) : target_(target) {}

// Every method of Syscalls.
#define NET_SYSCALL(method, name, result, ...) \
  SysResult method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) final;
#include "syscalls/syscall_table.inc"

 protected:
  // Returns the result of a call. `make` makes the call on the target, with the
  // arguments that `invocation` has at that time. Intercept() may call `make`
  // any number of times, or not at all.
  virtual SysResult Intercept(Invocation& invocation,
                              absl::FunctionRef<SysResult()> make) = 0;

  Syscalls& target() const { return target_; }

 private:
  SysResult Run(Invocation invocation);

  Syscalls& target_;
};

}  // namespace net

#endif  // FAKES_INTERCEPTING_SYSCALLS_H_
