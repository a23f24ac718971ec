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
// the program on, but not in a child of fork(2), and not in the FakeKernel's
// own code.
bool IsInCharge();

// The following need IsInCharge().

// The process. Faults and the trace are in front of it.
Syscalls& Sys();
FakeKernel& Kernel();
// See Options::native_wait.
absl::Duration NativeWait();

// Runs `body`, which may block in a native call, without the baton.
void Outside(absl::FunctionRef<void()> body);

// In a child of fork(2), prints that `call` needs the FakeKernel of the parent,
// and ends the child with status 2. Otherwise does nothing.
void RefuseInChild(const char* call);

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
