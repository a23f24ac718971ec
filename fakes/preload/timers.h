#ifndef FAKES_PRELOAD_TIMERS_H_
#define FAKES_PRELOAD_TIMERS_H_

#include "fakes/preload/machine.h"

namespace net::preload {

// Returns the timer of alarm(2) and of setitimer(2) with ITIMER_REAL. The
// caller takes part, in all of these.
AlarmTimer CurrentAlarm();
// Arms it in a program that execve(2) has begun.
void RestoreAlarm(const AlarmTimer& alarm);

// Ends the thread that serves the timers of the process (timer_hooks.cc), from
// construction to destruction. The caller takes part.
class TimersSuspended {
 public:
  TimersSuspended();
  TimersSuspended(const TimersSuspended&) = delete;
  TimersSuspended& operator=(const TimersSuspended&) = delete;
  ~TimersSuspended();
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_TIMERS_H_
