#ifndef FAKES_THREADS_VIRTUAL_TIME_H_
#define FAKES_THREADS_VIRTUAL_TIME_H_

#include <ctime>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"

// Conversions between a participant's virtual time and timespec.

namespace net::threads {

// Returns whether the clock is one that shows virtual time to participants. The
// others are those of processor time.
bool IsVirtual(clockid_t clock);

// Returns whether the clock is one of those to which pthread functions wait.
inline bool IsWaitClock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

// Returns the duration, or nullopt if it is not a valid timespec. A negative
// one is 0; one that is too long is kForever.
std::optional<fake::Nanoseconds> ToDuration(const timespec& time);

// Returns the virtual time at which `clock` shows `time`, or nullopt if `time`
// is not valid.
std::optional<fake::Nanoseconds> ToDeadline(clockid_t clock,
                                            const timespec& time);

// Returns the virtual time that is `duration` from now.
fake::Nanoseconds AfterNow(fake::ParticipantState& self,
                           fake::Nanoseconds duration);

// Returns what `clock` shows at the virtual time `now`.
timespec ShownBy(clockid_t clock, fake::Nanoseconds now);

// Returns the time of the real CLOCK_MONOTONIC that is as far away as
// `deadline` is in virtual time: for waits outside of virtual time.
timespec RealDeadline(fake::ParticipantState& self, fake::Nanoseconds deadline);

}  // namespace net::threads

#endif  // FAKES_THREADS_VIRTUAL_TIME_H_
