#ifndef FAKES_PRELOAD_DESCRIPTORS_H_
#define FAKES_PRELOAD_DESCRIPTORS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "fakes/fake_process.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// The descriptors of the program that belong to the FakeKernel.

namespace net {
class FakeKernel;
}  // namespace net

namespace net::preload {

enum class Kind : uint8_t {
  kNative,   // It does not belong to the FakeKernel.
  kSocket,   // Its placeholder is a Unix socket.
  kCounter,  // An eventfd(2). So is its placeholder.
  // Its placeholder is an epoll, too, to which the native descriptors are added
  // (readiness_hooks.cc).
  kEpoll,
  kPipe,     // An end of a pipe. So is its placeholder.
  kForeign,  // It belongs to the FakeKernel of a parent process.
};

// Returns kNative if the FakeKernel is not in charge. Ends the program if the
// descriptor is foreign (see RefuseForeign()); `call` is the caller's name.
Kind KindOf(int fd, const char* call);
inline bool IsFake(int fd, const char* call) {
  return KindOf(fd, call) != Kind::kNative;
}
// The same for calls that a child makes with its parent's descriptors before
// exec: close(2), dup2(2) and the like. Foreign ones are native to them.
bool IsOwned(int fd);

// Called when a native call is about to close a descriptor, or to give its
// number to another one: it is no longer foreign.
void ForgetForeign(int fd);

// Called in the child of fork(2): makes all descriptors foreign.
void DisownDescriptors();

// A Syscalls in front of the program's FakeProcess.
//
// Each call takes a microsecond of virtual time. Otherwise a program that calls
// poll(2) in a loop would stop the clock, and with it all other threads: one
// that waits for Python's GIL, for instance, asks for it after 5 ms.
//
// Each new descriptor gets a placeholder: a native descriptor of the same
// number and type, which carries no data. The numbers are therefore those that
// Linux chooses, no number is used twice, RLIMIT_NOFILE holds (EMFILE), and
// fstat(2) returns the type.
//
// Linux checks RLIMIT_NOFILE before accept4(2) waits, so the placeholder is
// made before the call. Until the call returns, the number is not open on the
// FakeKernel, either: a call with it fails with EBADF.
class Placeholders final : public InterceptingSyscalls {
 public:
  // `target` is a process that was made with the options of Behind().
  Placeholders(FakeKernel& kernel, Syscalls& target)
      : InterceptingSyscalls(target), kernel_(kernel) {}

  // Returns the options for a process behind placeholders. A call makes a
  // descriptor with a number above those of placeholders, which is then moved:
  // the number of a placeholder may have been taken meanwhile by a call in
  // another thread that is blocked.
  static FakeProcessOptions Behind(FakeProcessOptions options);

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  SysResult MakePipe(int* fds, int flags, absl::FunctionRef<SysResult()> make);
  // Moves the FakeKernel's descriptor to the number of its placeholder.
  SysResult MoveTo(int placeholder, int fd);

  FakeKernel& kernel_;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_DESCRIPTORS_H_
