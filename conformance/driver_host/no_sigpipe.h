#ifndef CONFORMANCE_DRIVER_HOST_NO_SIGPIPE_H_
#define CONFORMANCE_DRIVER_HOST_NO_SIGPIPE_H_

#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace net::conformance {

// Blocks SIGPIPE in this thread from construction to destruction, and discards
// the SIGPIPEs that arise meanwhile. (write(2) to a pipe without readers sends
// SIGPIPE to the writing thread.) Does not change the process's signal action,
// because the judged implementation may depend on it.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending = {};
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  ~NoSigpipe() {
    const timespec at_once = {};
    // A signal that was pending before must stay pending.
    while (!was_pending_ && sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 &&
           errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_ = {};
  sigset_t before_ = {};
  bool was_pending_ = false;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_NO_SIGPIPE_H_
