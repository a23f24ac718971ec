#ifndef CONFORMANCE_KERNEL_CASES_TIMES_H_
#define CONFORMANCE_KERNEL_CASES_TIMES_H_

#include "absl/functional/function_ref.h"
#include "conformance/suite/context.h"

// Helpers for cases whose results depend on time. A machine that is busy may
// take the core away from the case at any point, for longer than the kernel's
// timers need.

namespace net::conformance {

// Returns the time of CLOCK_MONOTONIC in milliseconds.
double Now(Context& c);

// For what a loss probe or a delayed acknowledgement would change: Linux was
// seen to wait for at least 6 ms.
inline constexpr double kBeforeAcknowledgement = 4;
// For what TCP_CORK and MSG_MORE hold back: Linux sends it after 200 ms.
inline constexpr double kWhileHeldBack = 100;

// Calls `act` until it has taken less than `longest` milliseconds. Forgets what
// it expected in vain when it took longer. Calls it up to 1000 times; if all
// took longer, the outcome of the case is `precondition`.
void Undisturbed(Context& c, double longest, absl::FunctionRef<void()> act);
inline void Undisturbed(Context& c, absl::FunctionRef<void()> act) {
  Undisturbed(c, kBeforeAcknowledgement, act);
}

// Expects that `measure` returns about `value`: within 15 %. Repeats a
// measurement that is not, because it may have been interrupted, `most` times
// at most. The shorter the time, the smaller is the part of the measurements on
// a busy machine that are not interrupted.
inline constexpr int kMostOfMilliseconds = 100;  // for less than 100 ms
void ExpectAbout(double value, absl::FunctionRef<double()> measure,
                 int most = 10);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_TIMES_H_
