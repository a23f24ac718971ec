#include "fakes/trap/signals.h"

#include <pthread.h>

#include <csignal>

namespace net::trap {
namespace {

void Mask(int how) {
  sigset_t wake;
  sigemptyset(&wake);
  sigaddset(&wake, WakeSignal());
  pthread_sigmask(how, &wake, nullptr);
}

}  // namespace

SignalsBlocked::SignalsBlocked() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int WakeSignal() {
  static const int signal = [] {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    // Without SA_RESTART: the call is to end.
    sigaction(SIGRTMAX, &action, nullptr);
    return SIGRTMAX;
  }();
  return signal;
}

void AllowWakeSignal() { Mask(SIG_UNBLOCK); }

void BlockWakeSignal() { Mask(SIG_BLOCK); }

}  // namespace net::trap
