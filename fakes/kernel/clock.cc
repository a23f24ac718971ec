#include "fakes/kernel/clock.h"

#include <algorithm>
#include <optional>
#include <vector>

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

std::optional<Clock::Timer> Clock::TakeFirst(Nanoseconds limit) {
  for (;;) {
    const auto next = timers_.begin();
    if (next == timers_.end() || next->first.first > limit) return std::nullopt;
    const Timer first = {next->first, next->second};
    timers_.erase(next);
    if (!first.second->Postpones(first.first.first)) return first;
  }
}

std::vector<Nanoseconds> Clock::Timers() {
  std::vector<Timer> all;
  while (const std::optional<Timer> first = TakeFirst(kForever)) {
    all.push_back(*first);
  }
  timers_.insert(all.begin(), all.end());
  std::vector<Nanoseconds> times;
  times.reserve(all.size());
  for (const Timer& timer : all) times.push_back(timer.first.first);
  return times;
}

bool Clock::FireNext(Nanoseconds limit) {
  const std::optional<Timer> first = TakeFirst(limit);
  if (!first.has_value()) return false;
  now_ = first->first.first;
  first->second->OnTimer();
#ifndef NDEBUG
  if (after_timer_) after_timer_();
#endif
  return true;
}

void Clock::Advance(Nanoseconds span) {
  const Nanoseconds end = After(span);
  while (FireNext(end)) {
  }
  now_ = end;
}

}  // namespace net::fake
