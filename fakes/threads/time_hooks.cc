#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/wait_queue.h"
#include "fakes/threads/next.h"
#include "fakes/threads/virtual_time.h"

NET_NEXT_FUNCTION(clock_gettime)
NET_NEXT_FUNCTION(gettimeofday)
NET_NEXT_FUNCTION(time)
NET_NEXT_FUNCTION(timespec_get)
NET_NEXT_FUNCTION(nanosleep)
NET_NEXT_FUNCTION(clock_nanosleep)
NET_NEXT_FUNCTION(usleep)
NET_NEXT_FUNCTION(sleep)

namespace net::threads {
namespace {

using fake::Nanoseconds;
using fake::ParticipantState;
using fake::Woken;

// Returns the participant whose virtual time the caller gets, or null.
ParticipantState* Timed(clockid_t clock) {
  return IsVirtual(clock) ? fake::CurrentParticipant() : nullptr;
}

timespec Now(ParticipantState& self, const char* call, clockid_t clock) {
  fake::CountCall(self, call);
  return ShownBy(clock, fake::VirtualTime(self));
}

// Sleeps until a virtual time. Returns 0 or an error.
int SleepUntil(ParticipantState& self, const char* call, Nanoseconds deadline) {
  fake::EnterCall(self, call);
  fake::ObjectWait wait(self, call, /*object=*/nullptr, /*holder=*/nullptr,
                        deadline);
  switch (wait.Block()) {
    case Woken::kTimeout:
    case Woken::kEvent:
      return 0;
    case Woken::kSignal:
    case Woken::kRestart:
      return EINTR;  // Sleeps are not restarted (signal(7)).
    case Woken::kDeadlock:
      return EDEADLK;
  }
  return EINVAL;
}

// Sleeps for a duration. Returns 0 or an error, and what is left after a
// signal.
int SleepFor(ParticipantState& self, const char* call, const timespec& duration,
             timespec* left) {
  const std::optional<Nanoseconds> span = ToDuration(duration);
  if (!span.has_value() || duration.tv_sec < 0) return EINVAL;
  const Nanoseconds deadline = AfterNow(self, *span);
  const int error = SleepUntil(self, call, deadline);
  if (error == EINTR && left != nullptr) {
    *left = ShownBy(CLOCK_MONOTONIC, deadline - fake::VirtualTime(self));
  }
  return error;
}

int ErrnoResult(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

}  // namespace
}  // namespace net::threads

using net::fake::ParticipantState;
using net::threads::Now;
using net::threads::Timed;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int clock_gettime(clockid_t clock, timespec* result) noexcept {
  ParticipantState* const self = Timed(clock);
  if (self == nullptr) {
    return net::threads::next::clock_gettime(clock, result);
  }
  *result = Now(*self, "clock_gettime", clock);
  return 0;
}

int gettimeofday(timeval* result, void* zone) noexcept {
  ParticipantState* const self = Timed(CLOCK_REALTIME);
  if (self == nullptr) return net::threads::next::gettimeofday(result, zone);
  const timespec now = Now(*self, "gettimeofday", CLOCK_REALTIME);
  *result = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* result) noexcept {
  ParticipantState* const self = Timed(CLOCK_REALTIME);
  if (self == nullptr) return net::threads::next::time(result);
  const time_t now = Now(*self, "time", CLOCK_REALTIME).tv_sec;
  if (result != nullptr) *result = now;
  return now;
}

int timespec_get(timespec* result, int base) noexcept {
  ParticipantState* const self = Timed(CLOCK_REALTIME);
  if (self == nullptr || base != TIME_UTC) {
    return net::threads::next::timespec_get(result, base);
  }
  *result = Now(*self, "timespec_get", CLOCK_REALTIME);
  return base;
}

int nanosleep(const timespec* duration, timespec* left) {
  ParticipantState* const self = Timed(CLOCK_REALTIME);
  if (self == nullptr) return net::threads::next::nanosleep(duration, left);
  return net::threads::ErrnoResult(
      net::threads::SleepFor(*self, "nanosleep", *duration, left));
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time,
                    timespec* left) {
  ParticipantState* const self = Timed(clock);
  if (self == nullptr) {
    return net::threads::next::clock_nanosleep(clock, flags, time, left);
  }
  if ((flags & TIMER_ABSTIME) == 0) {
    return net::threads::SleepFor(*self, "clock_nanosleep", *time, left);
  }
  const auto deadline = net::threads::ToDeadline(clock, *time);
  if (!deadline.has_value()) return EINVAL;
  return net::threads::SleepUntil(*self, "clock_nanosleep", *deadline);
}

int usleep(useconds_t microseconds) {
  ParticipantState* const self = Timed(CLOCK_REALTIME);
  if (self == nullptr) return net::threads::next::usleep(microseconds);
  const timespec duration = {
      .tv_sec = microseconds / 1'000'000,
      .tv_nsec = static_cast<int64_t>(microseconds % 1'000'000) * 1000};
  return net::threads::ErrnoResult(
      net::threads::SleepFor(*self, "usleep", duration, nullptr));
}

unsigned sleep(unsigned seconds) {
  ParticipantState* const self = Timed(CLOCK_REALTIME);
  if (self == nullptr) return net::threads::next::sleep(seconds);
  timespec left = {};
  net::threads::SleepFor(*self, "sleep",
                         {.tv_sec = static_cast<time_t>(seconds), .tv_nsec = 0},
                         &left);
  return static_cast<unsigned>(left.tv_sec);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
