#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_SLEEP_WATCH_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_SLEEP_WATCH_H_

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

namespace net::conformance {

// The pauses between samples of a thread's state. The state must be polled,
// because no event reports that a thread begins to wait. The pauses grow from
// 20 us to 2 ms.
class InspectionPauses {
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

// Some sleeping threads, each with the number of times that it has gone to
// sleep.
using Sleep = std::map<pid_t, uint64_t>;

// Recognizes that threads sleep for good, so that a wait for something else can
// be given up. A thread that makes progress, however slow, is never taken for
// one that sleeps for good.
class SleepWatch {
 public:
  // Returns true once all calls of the last five seconds had the same `sleep`.
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
