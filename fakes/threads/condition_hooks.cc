#include <pthread.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <system_error>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/wait_queue.h"
#include "fakes/threads/mutex.h"
#include "fakes/threads/next.h"
#include "fakes/threads/virtual_time.h"
#include "fakes/threads/waiter.h"

NET_NEXT_FUNCTION(pthread_cond_wait)
NET_NEXT_FUNCTION(pthread_cond_timedwait)
NET_NEXT_FUNCTION(pthread_cond_clockwait)
NET_NEXT_FUNCTION(pthread_cond_signal)
NET_NEXT_FUNCTION(pthread_cond_broadcast)

namespace net::threads {
namespace {

using fake::Nanoseconds;
using fake::ParticipantState;
using fake::Woken;

// Returns the clock of pthread_condattr_setclock(3).
clockid_t ClockOf(const pthread_cond_t* condition) {
  constexpr unsigned kMonotonic = 2;  // A flag beside the count in __wrefs.
  const unsigned flags =
      __atomic_load_n(&condition->__data.__wrefs, __ATOMIC_RELAXED);
  return (flags & kMonotonic) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

// Reports a deadlock to the caller. std::condition_variable ignores the errors
// of pthread_cond_wait(3), so a loop that waits for a condition would never
// end. It lets exceptions through, as it does for pthread_cancel(3).
[[noreturn]] void FailWithDeadlock() {
  throw std::system_error(EDEADLK, std::generic_category(),
                          "FakeKernel: a condition variable that nobody will "
                          "notify");
}

// Waits as pthread_cond_clockwait(3) does.
int WaitForCondition(ParticipantState& self, pthread_cond_t* condition,
                     pthread_mutex_t* mutex, const char* call,
                     Nanoseconds deadline) {
  fake::EnterCall(self, call);
  Woken woken = Woken::kEvent;
  {
    Waiter waiter({.self = self,
                   .object = condition,
                   .call = call,
                   .deadline = deadline});
    const int error = UnlockMutex(mutex);
    if (error != 0) return error;
    woken = waiter.BlockOverSignals();
  }
  const int error = LockMutex(self, mutex, call);
  if (error == EDEADLK) {
    std::fputs(
        "FakeKernel: after the deadlock, the mutex of a condition "
        "variable is never unlocked\n",
        stderr);
    std::abort();
  }
  if (woken == Woken::kDeadlock) FailWithDeadlock();
  if (error != 0) return error;  // EOWNERDEAD: with the mutex locked.
  return woken == Woken::kTimeout ? ETIMEDOUT : 0;
}

int WaitUntil(ParticipantState& self, pthread_cond_t* condition,
              pthread_mutex_t* mutex, const char* call, clockid_t clock,
              const timespec& time) {
  const std::optional<Nanoseconds> deadline = ToDeadline(clock, time);
  if (!deadline.has_value()) return EINVAL;
  return WaitForCondition(self, condition, mutex, call, *deadline);
}

}  // namespace
}  // namespace net::threads

using net::fake::CurrentParticipant;
using net::fake::ParticipantState;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::pthread_cond_wait(condition, mutex);
  }
  return net::threads::WaitForCondition(
      *self, condition, mutex, "pthread_cond_wait", net::fake::kForever);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* time) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::pthread_cond_timedwait(condition, mutex, time);
  }
  return net::threads::WaitUntil(*self, condition, mutex,
                                 "pthread_cond_timedwait",
                                 net::threads::ClockOf(condition), *time);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           clockid_t clock, const timespec* time) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr || !net::threads::IsWaitClock(clock)) {
    return net::threads::next::pthread_cond_clockwait(condition, mutex, clock,
                                                      time);
  }
  return net::threads::WaitUntil(*self, condition, mutex,
                                 "pthread_cond_clockwait", clock, *time);
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  net::threads::Wake(condition, 1);
  return net::threads::next::pthread_cond_signal(condition);
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  net::threads::Wake(condition, net::threads::kAll);
  return net::threads::next::pthread_cond_broadcast(condition);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
