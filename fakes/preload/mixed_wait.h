#ifndef FAKES_PRELOAD_MIXED_WAIT_H_
#define FAKES_PRELOAD_MIXED_WAIT_H_

#include <csignal>

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
// Returns the number of ready descriptors; 0 after the timeout.
//
// While no descriptor is ready, the two halves alternate. The native half waits
// for NativeWait() of real time; other threads run meanwhile, and the clock
// stands still. The fake half then lets the clock jump to its next event, and
// no further. A native descriptor that becomes ready is therefore found at most
// one event and NativeWait() later.
SysResult Await(const MixedWait& wait, absl::Duration timeout);

// Sets the calling thread's signal mask from construction to destruction. Does
// nothing if `mask` is null. For ppoll(2), pselect(2) and epoll_pwait(2).
class SignalMask {
 public:
  explicit SignalMask(const sigset_t* mask) : is_set_(mask != nullptr) {
    if (is_set_) pthread_sigmask(SIG_SETMASK, mask, &before_);
  }
  SignalMask(const SignalMask&) = delete;
  SignalMask& operator=(const SignalMask&) = delete;
  ~SignalMask() {
    if (is_set_) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  const bool is_set_;
  sigset_t before_ = {};
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_MIXED_WAIT_H_
