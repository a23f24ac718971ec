#ifndef FAKES_DELIVERING_SYSCALLS_H_
#define FAKES_DELIVERING_SYSCALLS_H_

#include "absl/functional/function_ref.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/sandbox/delivery.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

// A kernel in which a call sees everything that was sent over the loopback
// interface before it. For the thread that made `delivery`.
class DeliveringSyscalls final : public InterceptingSyscalls {
 public:
  // Both must outlive this object.
  DeliveringSyscalls(Syscalls& target, sandbox::Delivery& delivery)
      : InterceptingSyscalls(target), delivery_(delivery) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  sandbox::Delivery& delivery_;
};

}  // namespace net

#endif  // FAKES_DELIVERING_SYSCALLS_H_
