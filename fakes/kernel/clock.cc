#include "fakes/kernel/clock.h"

#include <algorithm>

namespace net::fake {

Clock::TimerId Clock::Set(Nanoseconds when, TimerTarget& target) {
  const TimerId id = {std::max(when, now_), next_number_++};
  timers_.emplace(id, &target);
  return id;
}

void Clock::Remove(TimerId& id) {
  timers_.erase(id);
  id = kNone;
}

bool Clock::FireNext(Nanoseconds limit) {
  for (;;) {
    const auto next = timers_.begin();
    if (next == timers_.end() || next->first.first > limit) return false;
    const Nanoseconds when = next->first.first;
    TimerTarget* const target = next->second;
    timers_.erase(next);
    if (target->Postpones(when)) continue;
    now_ = when;
    target->OnTimer();
#ifndef NDEBUG
    if (after_timer_) after_timer_();
#endif
    return true;
  }
}

void Clock::Advance(Nanoseconds span) {
  const Nanoseconds end = After(span);
  while (FireNext(end)) {
  }
  now_ = end;
}

}  // namespace net::fake
