#ifndef FAKES_PRELOAD_MIXED_WAIT_H_
#define FAKES_PRELOAD_MIXED_WAIT_H_

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "syscalls/sys_result.h"

namespace net::preload {

// The two halves of a wait for descriptors. Each function waits for at most
// `timeout`, and returns the number of ready descriptors or an error.
struct MixedWait {
  // Waits for descriptors of the FakeKernel, in virtual time.
  absl::FunctionRef<SysResult(absl::Duration timeout)> fake;
  // Waits for native descriptors, in real time.
  absl::FunctionRef<SysResult(absl::Duration timeout)> native;
  bool has_native;
};

// Waits until a descriptor is ready or `timeout` has passed in virtual time.
// Returns the number of ready descriptors; 0 after the timeout. Fails with
// EINTR if a signal with a handler arrives.
//
// While no descriptor is ready, the two halves alternate. First the other
// participants do all that they can do without time passing, which may make
// descriptors ready. Then the native half waits for NativeWait() of real time;
// other threads run meanwhile, and the clock stands still. Unless one has run,
// the fake half lets the clock jump to its next event, and no further. A native
// descriptor that becomes ready is therefore found at most one event and
// NativeWait() later.
SysResult Await(const MixedWait& wait, absl::Duration timeout);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_MIXED_WAIT_H_
