#ifndef FAKES_PRELOAD_SIGNALS_H_
#define FAKES_PRELOAD_SIGNALS_H_

#include <sys/types.h>

#include <csignal>

#include "absl/functional/function_ref.h"
#include "fakes/kernel/kernel_section.h"

// Signals of a program that has loaded libnet_fake.so (signal_hooks.cc).
//
// Linux delivers them, to a function that runs before the program's handler. In
// the middle of a call of the FakeKernel, the handler is deferred to its end,
// when the thread has the baton, or to the point at which Linux would restart
// the call.

namespace net::preload {

// The signals with a handler that have arrived in a thread.
struct SignalCounts {
  int arrived = 0;
  int interrupting = 0;  // Those without SA_RESTART.
};
inline constinit thread_local SignalCounts signal_counts;

namespace internal_signals {
// The number of SignalMasks of the thread.
inline constinit thread_local int holds = 0;
}  // namespace internal_signals

// Returns whether the program has installed a handler.
inline bool HasSignalHandlers() {
  return fake::internal_kernel_section::run_deferred != nullptr;
}

// Sends a signal by `send`, to what kill(2) means by `pid`, or to the thread
// with this ID (gettid(2)) if that is not 0. When it returns, the calls that
// the signal interrupts can go on.
int SendSignal(pid_t pid, pid_t thread, int signal,
               absl::FunctionRef<int()> send);

// Returns whether a signal has arrived that a SignalMask defers.
inline bool HasHeldSignal() {
  return fake::internal_kernel_section::has_deferred;
}

// Sets the calling thread's signal mask, from construction to destruction. With
// null, keeps the mask. For ppoll(2), pselect(2), epoll_pwait(2) and
// sigsuspend(2): defers the handlers of the thread, so that a signal that
// arrives between the construction and a wait interrupts the wait. They run
// with the mask, as on Linux.
class SignalMask {
 public:
  explicit SignalMask(const sigset_t* mask) : is_set_(mask != nullptr) {
    ++internal_signals::holds;
    if (is_set_) pthread_sigmask(SIG_SETMASK, mask, &before_);
  }
  SignalMask(const SignalMask&) = delete;
  SignalMask& operator=(const SignalMask&) = delete;
  ~SignalMask() {
    --internal_signals::holds;
    if (!fake::KernelSection::entered()) fake::KernelSection::RunDeferred();
    if (is_set_) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  const bool is_set_;
  sigset_t before_ = {};
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SIGNALS_H_
