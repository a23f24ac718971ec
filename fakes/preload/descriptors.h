#ifndef FAKES_PRELOAD_DESCRIPTORS_H_
#define FAKES_PRELOAD_DESCRIPTORS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// The descriptors of the program that belong to the FakeKernel.

namespace net::preload {

enum class Kind : uint8_t {
  kNative,   // It does not belong to the FakeKernel.
  kSocket,   // Its placeholder is a Unix socket.
  kCounter,  // An eventfd(2). So is its placeholder.
  // Its placeholder is an epoll, too, to which the native descriptors are added
  // (readiness_hooks.cc).
  kEpoll,
};

// Returns kNative if the FakeKernel is not in charge. In a child of fork(2),
// ends the program if the descriptor belongs to the parent's FakeKernel (see
// RefuseInChild()); `call` is the caller's name.
Kind KindOf(int fd, const char* call);
inline bool IsFake(int fd, const char* call) {
  return KindOf(fd, call) != Kind::kNative;
}

// A Syscalls in front of the program's FakeProcess that gives each new
// descriptor a placeholder: a native descriptor of the same number and type,
// which carries no data. The numbers are therefore those that Linux chooses, no
// number is used twice, RLIMIT_NOFILE holds (EMFILE), and fstat(2) returns the
// type.
//
// Linux checks RLIMIT_NOFILE before accept4(2) waits, so the placeholder is
// made before the call.
class Placeholders final : public InterceptingSyscalls {
 public:
  explicit Placeholders(Syscalls& target) : InterceptingSyscalls(target) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  // Moves the FakeKernel's descriptor to the number of its placeholder.
  SysResult MoveTo(int placeholder, int fd);
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_DESCRIPTORS_H_
