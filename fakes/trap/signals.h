#ifndef FAKES_TRAP_SIGNALS_H_
#define FAKES_TRAP_SIGNALS_H_

#include <csignal>

namespace net::trap {

// Blocks all signals in the calling thread, from construction to destruction.
// Threads that are started meanwhile inherit the mask. The program's signals
// therefore go to its other threads, and SIGPIPE and similar signals stay
// pending.
class SignalsBlocked {
 public:
  SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked();

 private:
  sigset_t before_ = {};
};

// The signal that ends a blocking system call of a thread of this room:
// SIGRTMAX. The first call installs its handler, which does nothing.
int WakeSignal();

// Unblock and block it in the calling thread.
void AllowWakeSignal();
void BlockWakeSignal();

}  // namespace net::trap

#endif  // FAKES_TRAP_SIGNALS_H_
