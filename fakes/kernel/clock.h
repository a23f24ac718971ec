#ifndef FAKES_KERNEL_CLOCK_H_
#define FAKES_KERNEL_CLOCK_H_

#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"

namespace net::fake {

// A point in virtual time or a duration, in nanoseconds. The machine starts at
// 0; CLOCK_REALTIME is then 2020-01-01 00:00:00 UTC.
using Nanoseconds = int64_t;
inline constexpr Nanoseconds kSecond = 1'000'000'000;
inline constexpr Nanoseconds kForever = std::numeric_limits<int64_t>::max();
// CLOCK_REALTIME when the machine starts.
inline constexpr Nanoseconds kRealTimeAtStart = 1'577'836'800 * kSecond;

// Returns whether a program may pass the time: timespec64_valid() of Linux.
inline bool IsValidTime(const timespec& time) {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < kSecond;
}

// Converts a valid time; one that is out of range to kForever.
inline Nanoseconds ToNanoseconds(const timespec& time) {
  if (time.tv_sec >= kForever / kSecond) return kForever;
  return time.tv_sec * kSecond + time.tv_nsec;
}

inline timespec ToTimespec(Nanoseconds time) {
  return {.tv_sec = time / kSecond, .tv_nsec = time % kSecond};
}

// An object with a timer.
class TimerTarget {
 public:
  virtual ~TimerTarget() = default;
  // Called when the timer expires. The timer is no longer set.
  virtual void OnTimer() = 0;
  // Called before the clock moves to a timer that was set for `when`. The timer
  // is no longer set. Returns true if the target does not need the timer at
  // that time any more. The target has then set another timer, if it needs one,
  // and the clock does not move to `when`.
  //
  // A target that often moves its timer therefore need not set it each time.
  virtual bool Postpones(Nanoseconds /*when*/) { return false; }
};

// The virtual clock and its timers. It moves only by FireNext() and Advance().
//
// Timers with equal times fire in the order in which they were set, so that a
// program behaves the same in each run. Setting, clearing and firing take
// logarithmic time.
//
// Guarded by the kernel's mutex.
class Clock {
 public:
  // Identifies a timer.
  using TimerId = std::pair<Nanoseconds, uint64_t>;
  static constexpr TimerId kNone = {0, 0};

  Nanoseconds now() const { return now_; }
  // Returns the time `span` from now, or kForever if that is out of range.
  Nanoseconds After(Nanoseconds span) const {
    return span >= kForever - now_ ? kForever : now_ + span;
  }

  // Sets a timer. `target` must live until the timer fires or is cleared.
  TimerId Set(Nanoseconds when, TimerTarget& target);
  // Clears a timer and sets `id` to kNone. Does nothing for a timer that has
  // fired, and for kNone.
  void Clear(TimerId& id) {
    if (id != kNone) Remove(id);
  }

  // Sets a function that debug builds call after each timer that has fired. For
  // checks only.
  void set_after_timer(std::function<void()> function) {
    after_timer_ = std::move(function);
  }

  // Returns the times at which timers expire, in order.
  std::vector<Nanoseconds> Timers();

  // Moves the clock to the next timer and fires it. Returns false, with no
  // effect, if there is no timer up to `limit`.
  bool FireNext(Nanoseconds limit = kForever);

  // Moves the clock by `span` and fires all timers that expire on the way.
  void Advance(Nanoseconds span);

 private:
  friend class InvariantWalk;
  friend struct StateCorruption;

  using Timer = std::pair<TimerId, TimerTarget*>;

  // Removes the first timer and returns it, unless it expires after `limit`.
  std::optional<Timer> TakeFirst(Nanoseconds limit);

  void Remove(TimerId& id);

  Nanoseconds now_ = 0;
  uint64_t next_number_ = 1;
  absl::btree_map<TimerId, TimerTarget*> timers_;
  std::function<void()> after_timer_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_CLOCK_H_
