#ifndef FAKES_PRELOAD_TIMERS_H_
#define FAKES_PRELOAD_TIMERS_H_

namespace net::preload {

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
