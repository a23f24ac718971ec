#ifndef FAKES_DIFFERENTIAL_TIMED_FAKE_TIMED_H_
#define FAKES_DIFFERENTIAL_TIMED_FAKE_TIMED_H_

#include "absl/time/time.h"
#include "fakes/differential/timed/timed_program.h"

namespace net::differential {

// The longest delay of a step on Linux.
inline constexpr absl::Duration kMostDelay = absl::Milliseconds(40);

// The longest duration of a program. Later steps are not in the plan.
inline constexpr absl::Duration kLongestProgram = absl::Seconds(6);

// Runs a program on a FakeKernel and returns its steps with their times and
// results.
//
// A wait ends midway between two of the FakeKernel's timers: at least
// kMostDelay and a margin before the next one, and as much after the time at
// which Linux has certainly handled the one before. Linux rounds a timer up to
// the granularity of its timer wheel (kernel/time/timer.c), and a chain of
// timers, such as a backoff, adds that up.
TimedPlan PlanOnFake(const TimedProgram& program);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_FAKE_TIMED_H_
