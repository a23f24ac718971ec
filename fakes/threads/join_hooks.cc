#include <pthread.h>

#include <cerrno>
#include <ctime>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"
#include "fakes/threads/next.h"
#include "fakes/threads/virtual_time.h"

NET_NEXT_FUNCTION(pthread_join)
NET_NEXT_FUNCTION(pthread_tryjoin_np)
NET_NEXT_FUNCTION(pthread_timedjoin_np)
NET_NEXT_FUNCTION(pthread_clockjoin_np)

namespace net::threads {
namespace {

using fake::Joined;
using fake::Nanoseconds;
using fake::ParticipantState;

// Joins a thread that has never taken part, in real time.
int JoinOutside(ParticipantState& self, pthread_t thread, void** result,
                Nanoseconds deadline) {
  int error = 0;
  const timespec real = RealDeadline(self, deadline);
  fake::RunOutside(self, [&] {
    error = deadline == fake::kForever
                ? next::pthread_join(thread, result)
                : next::pthread_clockjoin_np(thread, result, CLOCK_MONOTONIC,
                                             &real);
  });
  return error;
}

// Joins a thread that takes part no longer. It ends without the baton, so this
// is short, and the real function may block.
int JoinEnded(ParticipantState& self, pthread_t thread, void** result) {
  const int error = next::pthread_join(thread, result);
  if (error == 0) fake::ForgetThread(self, thread);
  return error;
}

// Joins the thread as pthread_clockjoin_np(3) does.
int Join(ParticipantState& self, pthread_t thread, void** result,
         const char* call, Nanoseconds deadline) {
  fake::EnterCall(self, call);
  if (pthread_equal(thread, pthread_self()) != 0) return EDEADLK;
  switch (fake::AwaitEnd(self, thread, call, deadline)) {
    case Joined::kOutsider:
      return JoinOutside(self, thread, result, deadline);
    case Joined::kEnded:
      return JoinEnded(self, thread, result);
    case Joined::kTimeout:
      return ETIMEDOUT;
    case Joined::kDeadlock:
      return EDEADLK;
  }
  return EINVAL;
}

int JoinUntil(ParticipantState& self, pthread_t thread, void** result,
              const char* call, clockid_t clock, const timespec* time) {
  const std::optional<Nanoseconds> deadline =
      time == nullptr ? fake::kForever : ToDeadline(clock, *time);
  if (!deadline.has_value()) return EINVAL;
  return Join(self, thread, result, call, *deadline);
}

int TryJoin(ParticipantState& self, pthread_t thread, void** result) {
  fake::EnterCall(self, "pthread_tryjoin_np");
  switch (fake::AwaitEnd(self, thread, "pthread_tryjoin_np", /*deadline=*/0)) {
    case Joined::kOutsider:
      return next::pthread_tryjoin_np(thread, result);
    case Joined::kEnded:
      return JoinEnded(self, thread, result);
    case Joined::kTimeout:
    case Joined::kDeadlock:
      return EBUSY;
  }
  return EINVAL;
}

}  // namespace
}  // namespace net::threads

using net::fake::CurrentParticipant;
using net::fake::ParticipantState;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int pthread_join(pthread_t thread, void** result) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) return net::threads::next::pthread_join(thread, result);
  return net::threads::Join(*self, thread, result, "pthread_join",
                            net::fake::kForever);
}

int pthread_tryjoin_np(pthread_t thread, void** result) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::pthread_tryjoin_np(thread, result);
  }
  return net::threads::TryJoin(*self, thread, result);
}

int pthread_timedjoin_np(pthread_t thread, void** result,
                         const timespec* time) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::pthread_timedjoin_np(thread, result, time);
  }
  return net::threads::JoinUntil(*self, thread, result, "pthread_timedjoin_np",
                                 CLOCK_REALTIME, time);
}

int pthread_clockjoin_np(pthread_t thread, void** result, clockid_t clock,
                         const timespec* time) {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr || !net::threads::IsWaitClock(clock)) {
    return net::threads::next::pthread_clockjoin_np(thread, result, clock,
                                                    time);
  }
  return net::threads::JoinUntil(*self, thread, result, "pthread_clockjoin_np",
                                 clock, time);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
