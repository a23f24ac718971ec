#ifndef FAKES_PRELOAD_WORLD_H_
#define FAKES_PRELOAD_WORLD_H_

#include <cerrno>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
class FakeKernel;
}  // namespace net

// The FakeKernel of the program that has loaded libnet_fake.so, and the process
// on it that stands for the program.

namespace net::preload {

// Returns whether the program's calls go to the FakeKernel: from the start of
// the program on, but not in the FakeKernel's own code. A child of fork(2) has
// a FakeKernel of its own, whose time goes on from its parent's.
bool IsInCharge();

// The following need IsInCharge().

// The process. Faults and the trace are in front of it.
Syscalls& Sys();
FakeKernel& Kernel();
// See Options::native_wait.
absl::Duration NativeWait();

// Runs `body`, which may block in a native call, without the baton.
void Outside(absl::FunctionRef<void()> body);

// Prints that `call` uses a descriptor of the FakeKernel of another process,
// and ends this one with status 2.
[[noreturn]] void RefuseForeign(const char* call, int fd);

// Returns the result as functions of the C library do: -1 and errno, or the
// value.
template <typename Number = int>
Number Returned(SysResult result) {
  if (result.ok()) return static_cast<Number>(result.value());
  errno = result.error();
  return -1;
}

}  // namespace net::preload

#endif  // FAKES_PRELOAD_WORLD_H_
