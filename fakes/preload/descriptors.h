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
  kNative,  // It belongs to Linux alone.
  kSocket,  // Its placeholder is a Unix socket.
  // An eventfd(2) or a timerfd. Its placeholder is one, too.
  kCounter,
  // Its placeholder is an epoll, too. Native descriptors are added to the
  // placeholder (readiness_hooks.cc).
  kEpoll,
  kPipe,     // An end of a pipe. Its placeholder is one, too.
  kForeign,  // It belongs to the FakeKernel of a parent process.
};

// Returns the kind of a descriptor; kNative if the FakeKernel is not in charge
// (IsInCharge()). Ends the program if the descriptor is foreign (see
// RefuseForeign()). `call` is the name of the caller's function, for the
// message.
Kind KindOf(int fd, const char* call);
inline bool IsFake(int fd, const char* call) {
  return KindOf(fd, call) != Kind::kNative;
}
// Returns whether the descriptor belongs to the FakeKernel of this process. For
// close(2), dup2(2) and similar calls, which a child may make on its parent's
// descriptors before exec: they treat foreign descriptors as native.
bool IsOwned(int fd);

// Makes a foreign descriptor native. Called when a native call is about to
// close it, or to reuse its number.
void ForgetForeign(int fd);

// Makes all descriptors foreign. Called in the child of fork(2).
void DisownDescriptors();

// A Syscalls in front of the program's FakeProcess.
//
// Each call takes a microsecond of virtual time. Otherwise a program that calls
// poll(2) in a loop would stop the clock and all threads that wait for it. For
// example, a thread that waits for Python's GIL requests it after 5 ms.
//
// Each new descriptor gets a placeholder: a native descriptor of the same
// number and type, which carries no data. Linux therefore chooses the numbers,
// no number is used twice, RLIMIT_NOFILE is enforced (EMFILE), and fstat(2)
// returns the type.
//
// The placeholder is made before the call, because Linux checks RLIMIT_NOFILE
// before accept4(2) waits. (For socket(2) it is made afterwards, because Linux
// checks the arguments first.) Until the call returns, the number is not open
// on the FakeKernel: calls on it fail with EBADF.
class Placeholders final : public InterceptingSyscalls {
 public:
  // `target` is a process whose options are those of Behind(). Kernel and
  // process must outlive this object.
  Placeholders(FakeKernel& kernel, Syscalls& target)
      : InterceptingSyscalls(target), kernel_(kernel) {}

  // Returns the options for a process behind placeholders. New descriptors of
  // such a process have numbers above all placeholders, and are then moved to
  // the number of their placeholder. If they had low numbers from the start,
  // they could take the number of a placeholder whose call is still blocked in
  // another thread.
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
