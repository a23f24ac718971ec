#ifndef FAKES_THREADS_VIRTUAL_TIME_H_
#define FAKES_THREADS_VIRTUAL_TIME_H_

#include <ctime>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"

// Conversions between a participant's virtual time and timespec.

namespace net::threads {

// Returns whether the clock shows virtual time to participants. Only clocks of
// processor time do not.
bool IsVirtual(clockid_t clock);

// Returns whether pthread functions can wait by this clock.
inline bool IsWaitClock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

// Returns the duration, or nullopt if it is not a valid timespec. Returns 0 for
// a negative duration, and kForever for one that is too long.
std::optional<fake::Nanoseconds> ToDuration(const timespec& time);

// Returns the virtual time at which `clock` shows `time`, or nullopt if `time`
// is not valid.
std::optional<fake::Nanoseconds> ToDeadline(clockid_t clock,
                                            const timespec& time);

// Returns the virtual time that is `duration` from now.
fake::Nanoseconds AfterNow(fake::ParticipantState& self,
                           fake::Nanoseconds duration);

// Returns the time that `clock` shows at the virtual time `now`.
timespec ShownBy(clockid_t clock, fake::Nanoseconds now);

// Returns the time of the real CLOCK_MONOTONIC that is as far in the future as
// `deadline` is in virtual time. For waits outside of virtual time.
timespec RealDeadline(fake::ParticipantState& self, fake::Nanoseconds deadline);

}  // namespace net::threads

#endif  // FAKES_THREADS_VIRTUAL_TIME_H_
