#include <semaphore.h>

#include <cerrno>
#include <ctime>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"
#include "fakes/threads/next.h"
#include "fakes/threads/virtual_time.h"
#include "fakes/threads/waiter.h"

NET_NEXT_FUNCTION(sem_wait)
NET_NEXT_FUNCTION(sem_trywait)
NET_NEXT_FUNCTION(sem_timedwait)
NET_NEXT_FUNCTION(sem_clockwait)
NET_NEXT_FUNCTION(sem_post)

namespace net::threads {
namespace {

// Returns EBUSY if the semaphore is 0.
int TryWait(sem_t* semaphore) {
  if (next::sem_trywait(semaphore) == 0) return 0;
  return errno == EAGAIN ? EBUSY : errno;
}

int FailWith(int error) {
  errno = error;
  return -1;
}

// Waits as sem_clockwait(3) does. `time` is null for sem_wait(3).
int WaitFor(ParticipantState& self, sem_t* semaphore, const char* call,
            clockid_t clock, const timespec* time) {
  fake::EnterCall(self, call);
  const int saved_errno = errno;
  int error = TryWait(semaphore);
  if (error == EBUSY) {
    const std::optional<Nanoseconds> deadline =
        time == nullptr ? fake::kForever : ToDeadline(clock, *time);
    if (!deadline.has_value()) return FailWith(EINVAL);
    error = AwaitSuccess(
        {.self = self,
         .object = semaphore,
         .call = call,
         .deadline = *deadline},
        [&] { return TryWait(semaphore); }, Signals::kEndWait);
  }
  if (error != 0) return FailWith(error);
  errno = saved_errno;
  return 0;
}

}  // namespace
}  // namespace net::threads

using net::fake::CurrentParticipant;
using net::fake::ParticipantState;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int sem_wait(sem_t* semaphore) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) return net::threads::next::sem_wait(semaphore);
  return net::threads::WaitFor(*self, semaphore, "sem_wait", CLOCK_REALTIME,
                               nullptr);
}

int sem_trywait(sem_t* semaphore) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self != nullptr) net::fake::EnterCall(*self, "sem_trywait");
  return net::threads::next::sem_trywait(semaphore);
}

int sem_timedwait(sem_t* semaphore, const timespec* time) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::sem_timedwait(semaphore, time);
  }
  return net::threads::WaitFor(*self, semaphore, "sem_timedwait",
                               CLOCK_REALTIME, time);
}

int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* time) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr || !net::threads::IsWaitClock(clock)) {
    return net::threads::next::sem_clockwait(semaphore, clock, time);
  }
  return net::threads::WaitFor(*self, semaphore, "sem_clockwait", clock, time);
}

int sem_post(sem_t* semaphore) noexcept {
  const int result = net::threads::next::sem_post(semaphore);
  if (result == 0) net::threads::Wake(semaphore, 1);
  return result;
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
