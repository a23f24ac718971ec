#include "fakes/threads/virtual_time.h"

#include <algorithm>
#include <ctime>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"

namespace net::threads {
namespace {

using fake::kForever;
using fake::kSecond;
using fake::Nanoseconds;

// The virtual time at which the clock shows 0.
Nanoseconds Start(clockid_t clock) {
  const bool real = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
                    clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
  return real ? fake::kRealTimeAtStart : 0;
}

}  // namespace

bool IsVirtual(clockid_t clock) {
  return clock >= 0 && clock != CLOCK_PROCESS_CPUTIME_ID &&
         clock != CLOCK_THREAD_CPUTIME_ID && clock <= CLOCK_TAI;
}

std::optional<Nanoseconds> ToDuration(const timespec& time) {
  if (time.tv_nsec < 0 || time.tv_nsec >= kSecond) return std::nullopt;
  if (time.tv_sec < 0) return 0;
  if (time.tv_sec >= kForever / kSecond) return kForever;
  return time.tv_sec * kSecond + time.tv_nsec;
}

std::optional<Nanoseconds> ToDeadline(clockid_t clock, const timespec& time) {
  const std::optional<Nanoseconds> shown = ToDuration(time);
  if (!shown.has_value() || *shown == kForever) return shown;
  return std::max<Nanoseconds>(0, *shown - Start(clock));
}

Nanoseconds AfterNow(fake::ParticipantState& self, Nanoseconds duration) {
  const Nanoseconds now = fake::VirtualTime(self);
  return duration >= kForever - now ? kForever : now + duration;
}

timespec ShownBy(clockid_t clock, Nanoseconds now) {
  return fake::ToTimespec(Start(clock) + now);
}

timespec RealDeadline(fake::ParticipantState& self, Nanoseconds deadline) {
  const Nanoseconds left =
      std::max<Nanoseconds>(0, deadline - fake::VirtualTime(self));
  timespec now = {};
  {
    const fake::KernelSection section;
    clock_gettime(CLOCK_MONOTONIC, &now);
  }
  const Nanoseconds start = now.tv_sec * kSecond + now.tv_nsec;
  return fake::ToTimespec(left >= kForever - start ? kForever : start + left);
}

}  // namespace net::threads
