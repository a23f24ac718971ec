#ifndef FAKES_PRELOAD_PLACEHOLDERS_H_
#define FAKES_PRELOAD_PLACEHOLDERS_H_

#include "absl/functional/function_ref.h"
#include "fakes/fake_process.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "fakes/preload/native_descriptors.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
class FakeKernel;
}  // namespace net

namespace net::preload {

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
  // `target` is a process whose options are those of Behind(). `natives` are
  // the descriptors of the program that it stands for. All must outlive this
  // object.
  Placeholders(FakeKernel& kernel, Syscalls& target, NativeDescriptors& natives)
      : InterceptingSyscalls(target), kernel_(kernel), natives_(&natives) {}

  // Returns the options for a process behind placeholders. New descriptors of
  // such a process have numbers above all placeholders, and are then moved to
  // the number of their placeholder. If they had low numbers from the start,
  // they could take the number of a placeholder whose call is still blocked in
  // another thread.
  static FakeProcessOptions Behind(FakeProcessOptions options);

  // The process has other native descriptors from now on.
  void MoveTo(NativeDescriptors& natives) { natives_ = &natives; }

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override;

 private:
  SysResult MakePipe(int* fds, int flags, absl::FunctionRef<SysResult()> make);
  // Moves the FakeKernel's descriptor to the number of its placeholder.
  SysResult Renumber(int placeholder, int fd);

  FakeKernel& kernel_;
  NativeDescriptors* natives_;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_PLACEHOLDERS_H_
