#ifndef FAKES_PRELOAD_TESTDATA_HANDLERS_H_
#define FAKES_PRELOAD_TESTDATA_HANDLERS_H_

// A handler of signals, and the timers that call it. For the programs that
// include checks.h, too.

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fakes/preload/testdata/checks.h"

static volatile sig_atomic_t handled;
static int written_by_handler = -1;  // The handler writes a byte to it.

static inline void Handle(int signal) {
  (void)signal;
  const int error = errno;
  ++handled;
  if (written_by_handler >= 0) (void)!write(written_by_handler, "h", 1);
  errno = error;
}

static inline void Install(int signal, int flags) {
  struct sigaction action = {.sa_flags = flags};
  action.sa_handler = &Handle;
  CHECK(sigaction(signal, &action, NULL) == 0);
  struct sigaction shown;
  CHECK(sigaction(signal, NULL, &shown) == 0);
  enum { kRestorer = 0x04000000 };  // SA_RESTORER, which glibc adds.
  CHECK(shown.sa_handler == &Handle && (shown.sa_flags & ~kRestorer) == flags);
  handled = 0;
}

// Blocks a signal, and returns the set of it.
static inline sigset_t Block(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  return set;
}

static inline void Unblock(const sigset_t* set) {
  CHECK(sigprocmask(SIG_UNBLOCK, set, NULL) == 0);
}

// Sends SIGALRM to the process in some milliseconds.
static inline void AlarmAfter(int milliseconds) {
  const struct itimerval value = {.it_value.tv_usec = milliseconds * 1000};
  CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
}

static inline long Milliseconds(void) {
  struct timespec now;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif  // FAKES_PRELOAD_TESTDATA_HANDLERS_H_
