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

NET_NEXT_FUNCTION(pthread_rwlock_rdlock)
NET_NEXT_FUNCTION(pthread_rwlock_wrlock)
NET_NEXT_FUNCTION(pthread_rwlock_tryrdlock)
NET_NEXT_FUNCTION(pthread_rwlock_trywrlock)
NET_NEXT_FUNCTION(pthread_rwlock_timedrdlock)
NET_NEXT_FUNCTION(pthread_rwlock_timedwrlock)
NET_NEXT_FUNCTION(pthread_rwlock_clockrdlock)
NET_NEXT_FUNCTION(pthread_rwlock_clockwrlock)
NET_NEXT_FUNCTION(pthread_rwlock_unlock)

namespace net::threads {
namespace {

enum class Mode : unsigned char { kRead, kWrite };

// Returns the thread that holds the lock for writing, or 0. Readers are not
// recorded.
pid_t WriterOf(const void* lock) {
  return __atomic_load_n(
      &static_cast<const pthread_rwlock_t*>(lock)->__data.__cur_writer,
      __ATOMIC_RELAXED);
}

int LockNow(pthread_rwlock_t* lock, Mode mode) {
  return mode == Mode::kRead ? next::pthread_rwlock_rdlock(lock)
                             : next::pthread_rwlock_wrlock(lock);
}

// Waits for an outsider, in real time.
int LockOutside(ParticipantState& self, pthread_rwlock_t* lock, Mode mode,
                Nanoseconds deadline) {
  int error = 0;
  const timespec real = RealDeadline(self, deadline);
  fake::RunOutside(self, [&] {
    if (deadline == fake::kForever) {
      error = LockNow(lock, mode);
    } else {
      error =
          mode == Mode::kRead
              ? next::pthread_rwlock_clockrdlock(lock, CLOCK_MONOTONIC, &real)
              : next::pthread_rwlock_clockwrlock(lock, CLOCK_MONOTONIC, &real);
    }
  });
  return error;
}

int TryLock(ParticipantState& self, pthread_rwlock_t* lock, Mode mode,
            Nanoseconds deadline) {
  const int error = mode == Mode::kRead ? next::pthread_rwlock_tryrdlock(lock)
                                        : next::pthread_rwlock_trywrlock(lock);
  if (error != EBUSY) return error;
  const pid_t writer = WriterOf(lock);
  if (writer == gettid()) return LockNow(lock, mode);  // Returns EDEADLK.
  return writer == 0 || fake::TakesPart(self, writer)
             ? EBUSY
             : LockOutside(self, lock, mode, deadline);
}

int Lock(ParticipantState& self, pthread_rwlock_t* lock, Mode mode,
         const char* call, Nanoseconds deadline = fake::kForever) {
  fake::EnterCall(self, call);
  const int error = TryLock(self, lock, mode, deadline);
  if (error != EBUSY) return error;
  return AwaitSuccess({.self = self,
                       .object = lock,
                       .call = call,
                       .holder = &WriterOf,
                       .deadline = deadline},
                      [&] { return TryLock(self, lock, mode, deadline); });
}

int LockUntil(ParticipantState& self, pthread_rwlock_t* lock, Mode mode,
              const char* call, clockid_t clock, const timespec& time) {
  const std::optional<Nanoseconds> deadline = ToDeadline(clock, time);
  if (!deadline.has_value()) return EINVAL;
  return Lock(self, lock, mode, call, *deadline);
}

}  // namespace
}  // namespace net::threads

using net::fake::CurrentParticipant;
using net::fake::ParticipantState;
using net::threads::Mode;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) return net::threads::next::pthread_rwlock_rdlock(lock);
  return net::threads::Lock(*self, lock, Mode::kRead, "pthread_rwlock_rdlock");
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) return net::threads::next::pthread_rwlock_wrlock(lock);
  return net::threads::Lock(*self, lock, Mode::kWrite, "pthread_rwlock_wrlock");
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self != nullptr) net::fake::EnterCall(*self, "pthread_rwlock_tryrdlock");
  return net::threads::next::pthread_rwlock_tryrdlock(lock);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self != nullptr) net::fake::EnterCall(*self, "pthread_rwlock_trywrlock");
  return net::threads::next::pthread_rwlock_trywrlock(lock);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock,
                               const timespec* time) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::pthread_rwlock_timedrdlock(lock, time);
  }
  return net::threads::LockUntil(*self, lock, Mode::kRead,
                                 "pthread_rwlock_timedrdlock", CLOCK_REALTIME,
                                 *time);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock,
                               const timespec* time) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::pthread_rwlock_timedwrlock(lock, time);
  }
  return net::threads::LockUntil(*self, lock, Mode::kWrite,
                                 "pthread_rwlock_timedwrlock", CLOCK_REALTIME,
                                 *time);
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* time) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr || !net::threads::IsWaitClock(clock)) {
    return net::threads::next::pthread_rwlock_clockrdlock(lock, clock, time);
  }
  return net::threads::LockUntil(*self, lock, Mode::kRead,
                                 "pthread_rwlock_clockrdlock", clock, *time);
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* time) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr || !net::threads::IsWaitClock(clock)) {
    return net::threads::next::pthread_rwlock_clockwrlock(lock, clock, time);
  }
  return net::threads::LockUntil(*self, lock, Mode::kWrite,
                                 "pthread_rwlock_clockwrlock", clock, *time);
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  const int error = net::threads::next::pthread_rwlock_unlock(lock);
  net::threads::Wake(lock, net::threads::kAll);
  return error;
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
