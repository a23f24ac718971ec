#ifndef FAKES_PRELOAD_MIXED_WAIT_H_
#define FAKES_PRELOAD_MIXED_WAIT_H_

#include <csignal>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "syscalls/sys_result.h"

namespace net::preload {

// The two halves of a wait for descriptors. Each returns how many are ready, or
// an error, after at most `timeout`.
struct MixedWait {
  // Waits for descriptors of the FakeKernel, in virtual time.
  absl::FunctionRef<SysResult(absl::Duration timeout)> fake;
  // Waits for native descriptors, in real time.
  absl::FunctionRef<SysResult(absl::Duration timeout)> native;
  bool has_native;
};

// Waits until a descriptor is ready or `timeout` has passed in virtual time.
// Returns how many are ready: 0 after the timeout.
//
// While no native descriptor is ready, others run, and the clock stands for
// NativeWait() of real time. Then the clock may jump to its next event, and no
// further. So a native descriptor that becomes ready is found at most
// NativeWait() and one event later.
SysResult Await(const MixedWait& wait, absl::Duration timeout);

// Sets the calling thread's signal mask, unless `mask` is null, until its end.
// For the masks of ppoll(2), pselect(2) and epoll_pwait(2).
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
