#ifndef FAKES_DIFFERENTIAL_TIMED_TIMED_PROGRAM_H_
#define FAKES_DIFFERENTIAL_TIMED_TIMED_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/program.h"

// Programs in which time passes and links fail.

namespace net::differential {

// The two ends of a program's connections. In Step::address, Host::kLocalV4
// stands for the server's address and Host::kOtherV4 for the client's.
enum class Side : uint8_t { kServer, kClient };

struct TimedStep {
  enum class Kind : uint8_t {
    kCall,
    kWait,     // Time passes.
    kCut,      // From now on, all segments towards `side` are lost.
    kRestore,  // Ends that.
  };

  Kind kind = Kind::kCall;
  Step call;             // kCall
  int milliseconds = 0;  // kWait: the least time.
  Side side = Side::kServer;

  friend bool operator==(const TimedStep&, const TimedStep&) = default;

  // Prints "wait 200 ms", or "call of recv".
  friend std::ostream& operator<<(std::ostream& os, Kind one) {
    constexpr const char* kNames[] = {"call", "wait", "cut", "restore"};
    return os << kNames[static_cast<size_t>(one)];
  }
  friend std::ostream& operator<<(std::ostream& os, const TimedStep& step) {
    os << step.kind;
    if (step.kind == Kind::kCall) os << " of " << CallName(step.call.call);
    if (step.kind == Kind::kWait) os << ' ' << step.milliseconds << " ms";
    return os;
  }
};

using TimedProgram = std::vector<TimedStep>;

// A step that has a time. Waits have none: the times of later steps include
// them.
struct PlannedStep {
  TimedStep step;
  // When the step begins, since the start of the program.
  absl::Duration at;
  // When the step ends, if it is a call that blocks until a timeout. Otherwise
  // equal to `at`.
  absl::Duration end;
  // By how much `end` may be later on Linux, because of the timers' rounding.
  absl::Duration lateness;
  std::string result;  // Of the FakeKernel. Empty for a cut.

  friend std::ostream& operator<<(std::ostream& os, const PlannedStep& one) {
    return os << one.step << " at " << one.at << ": " << one.result;
  }
};

// A program as the FakeKernel ran it. Each step is so far from the expiry of
// each of the FakeKernel's timers that a delay on Linux does not move it across
// the expiry.
using TimedPlan = std::vector<PlannedStep>;

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_TIMED_PROGRAM_H_
