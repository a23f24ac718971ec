#ifndef CONFORMANCE_DRIVER_HOST_NO_SIGPIPE_H_
#define CONFORMANCE_DRIVER_HOST_NO_SIGPIPE_H_

#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace net::conformance {

// Keeps SIGPIPE from this thread, while it lives: write(2) to a pipe that
// nobody reads sends it to the thread that writes. (The process's disposition
// is left alone. It is the business of what is judged.)
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
    // One that was pending before is not this thread's own.
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
