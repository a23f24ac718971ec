#include "fakes/threads/mutex.h"

#include <pthread.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"
#include "fakes/threads/next.h"
#include "fakes/threads/virtual_time.h"
#include "fakes/threads/waiter.h"

NET_NEXT_FUNCTION(pthread_mutex_lock)
NET_NEXT_FUNCTION(pthread_mutex_trylock)
NET_NEXT_FUNCTION(pthread_mutex_timedlock)
NET_NEXT_FUNCTION(pthread_mutex_clocklock)
NET_NEXT_FUNCTION(pthread_mutex_unlock)

namespace net::threads {
namespace {

using fake::Nanoseconds;
using fake::ParticipantState;

// Returns the thread that holds the mutex, or 0.
pid_t HolderOf(const void* mutex) {
  return __atomic_load_n(
      &static_cast<const pthread_mutex_t*>(mutex)->__data.__owner,
      __ATOMIC_RELAXED);
}

// Waits for an outsider, in real time.
int LockOutside(ParticipantState& self, pthread_mutex_t* mutex,
                Nanoseconds deadline) {
  int error = 0;
  const timespec real = RealDeadline(self, deadline);
  fake::RunOutside(self, [&] {
    error = deadline == fake::kForever
                ? next::pthread_mutex_lock(mutex)
                : next::pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &real);
  });
  return error;
}

bool ChecksErrors(const pthread_mutex_t* mutex) {
  constexpr int kTypeBits = 3;  // Others: robust, with priorities, shared.
  return (mutex->__data.__kind & kTypeBits) == PTHREAD_MUTEX_ERRORCHECK;
}

// Locks the mutex if no participant holds it; otherwise returns EBUSY.
int TryLock(ParticipantState& self, pthread_mutex_t* mutex,
            Nanoseconds deadline) {
  const int error = next::pthread_mutex_trylock(mutex);
  if (error != EBUSY) return error;
  const pid_t holder = HolderOf(mutex);
  if (holder == gettid() && ChecksErrors(mutex)) {
    return next::pthread_mutex_lock(mutex);  // Returns EDEADLK.
  }
  return fake::TakesPart(self, holder) ? EBUSY
                                       : LockOutside(self, mutex, deadline);
}

// Implements pthread_mutex_timedlock(3) and pthread_mutex_clocklock(3).
int LockUntil(ParticipantState& self, pthread_mutex_t* mutex, const char* call,
              clockid_t clock, const timespec& time) {
  fake::EnterCall(self, call);
  const int error = next::pthread_mutex_trylock(mutex);
  if (error != EBUSY) return error;
  const std::optional<Nanoseconds> deadline = ToDeadline(clock, time);
  return deadline.has_value() ? LockMutex(self, mutex, call, *deadline)
                              : EINVAL;
}

}  // namespace

int LockMutex(ParticipantState& self, pthread_mutex_t* mutex, const char* call,
              Nanoseconds deadline) {
  const int error = next::pthread_mutex_trylock(mutex);
  if (error != EBUSY) return error;
  return AwaitSuccess({.self = self,
                       .object = mutex,
                       .call = call,
                       .holder = &HolderOf,
                       .deadline = deadline},
                      [&] { return TryLock(self, mutex, deadline); });
}

int UnlockMutex(pthread_mutex_t* mutex) {
  const int error = next::pthread_mutex_unlock(mutex);
  Wake(mutex, 1);
  return error;
}

}  // namespace net::threads

using net::fake::CurrentParticipant;
using net::fake::ParticipantState;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) return net::threads::next::pthread_mutex_lock(mutex);
  static constexpr char kCall[] = "pthread_mutex_lock";
  net::fake::EnterCall(*self, kCall);
  return net::threads::LockMutex(*self, mutex, kCall);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self != nullptr) net::fake::EnterCall(*self, "pthread_mutex_trylock");
  return net::threads::next::pthread_mutex_trylock(mutex);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex,
                            const timespec* time) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::pthread_mutex_timedlock(mutex, time);
  }
  return net::threads::LockUntil(*self, mutex, "pthread_mutex_timedlock",
                                 CLOCK_REALTIME, *time);
}

int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                            const timespec* time) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr || !net::threads::IsWaitClock(clock)) {
    return net::threads::next::pthread_mutex_clocklock(mutex, clock, time);
  }
  return net::threads::LockUntil(*self, mutex, "pthread_mutex_clocklock", clock,
                                 *time);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  return net::threads::UnlockMutex(mutex);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
