#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_SLEEP_WATCH_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_SLEEP_WATCH_H_

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

namespace net::conformance {

// The pauses between looks at a thread: no event tells that one begins to wait.
// They grow from 20 us to 2 ms.
class LookPauses {
 public:
  std::chrono::microseconds Next() {
    const std::chrono::microseconds pause = next_;
    next_ = std::min(2 * next_, kLongest);
    return pause;
  }

 private:
  static constexpr std::chrono::microseconds kLongest{2000};
  std::chrono::microseconds next_{20};
};

// How often each of some threads has gone to sleep, all of which sleep.
using Sleep = std::map<pid_t, uint64_t>;

// Recognizes a sleep that does not end: the time after which a wait for
// something else is given up. Ends nothing that still moves, however slowly.
class SleepWatch {
 public:
  // True once all looks of the last five seconds have shown the same sleep.
  // `sleep` is empty if a thread runs.
  bool Lasts(Sleep sleep) {
    const auto now = std::chrono::steady_clock::now();
    if (sleep.empty() || sleep != sleep_) {
      sleep_ = std::move(sleep);
      since_ = now;
    }
    return now - since_ > kLong;
  }

 private:
  static constexpr std::chrono::seconds kLong{5};
  Sleep sleep_;
  std::chrono::steady_clock::time_point since_ =
      std::chrono::steady_clock::now();
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_SLEEP_WATCH_H_
