#ifndef FAKES_KERNEL_CLOCK_H_
#define FAKES_KERNEL_CLOCK_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/container/btree_map.h"

namespace net::fake {

// A point in virtual time, or a span of it, in nanoseconds. The machine starts
// at 0, which CLOCK_REALTIME shows as some day (see FakeProcess).
using Nanoseconds = int64_t;
inline constexpr Nanoseconds kSecond = 1'000'000'000;
inline constexpr Nanoseconds kForever = std::numeric_limits<int64_t>::max();

// Something that happens at a time set before.
class TimerTarget {
 public:
  virtual ~TimerTarget() = default;
  // The time has come; the timer is no longer set.
  virtual void OnTimer() = 0;
};

// The virtual clock and what is to happen when. It moves only when told to.
//
// Timers of one time fire in the order in which they were set, so that a
// program that runs twice sees the same twice. Setting, clearing and firing
// take logarithmic time.
//
// Guarded by the kernel's mutex.
class Clock {
 public:
  // Says which timer was set. 0 is none.
  using TimerId = std::pair<Nanoseconds, uint64_t>;
  static constexpr TimerId kNone = {0, 0};

  Nanoseconds now() const { return now_; }
  // The time so much later; kForever for kForever.
  Nanoseconds After(Nanoseconds span) const {
    return span >= kForever - now_ ? kForever : now_ + span;
  }

  // `target` must live until the timer has fired or is cleared.
  TimerId Set(Nanoseconds when, TimerTarget& target);
  // Does nothing for a timer that has fired, or for kNone. Makes `id` kNone.
  void Clear(TimerId& id);

  // Moves to the next timer and fires it. False: there is none, or it is later
  // than `limit`, and nothing happened.
  bool FireNext(Nanoseconds limit = kForever);

  // Moves by `span`, firing what is due on the way.
  void Advance(Nanoseconds span);

 private:
  Nanoseconds now_ = 0;
  uint64_t next_number_ = 1;
  absl::btree_map<TimerId, TimerTarget*> timers_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_CLOCK_H_
