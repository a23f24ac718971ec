#ifndef FAKES_EXPLORER_FAULT_CHOICES_H_
#define FAKES_EXPLORER_FAULT_CHOICES_H_

#include <array>
#include <vector>

#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/declaration.h"
#include "fakes/faults/fault_plan.h"

namespace net {

// One fault that a call can have.
struct FaultChoice {
  FaultAction action;
  // The number of calls of that name that it hits, from its position on.
  int times = 1;
};

// The number of calls that a storm hits: more than any sensible program
// retries.
inline constexpr int kStormTimes = 16;

// All faults that the explorer tries, by call:
//
// - Each errno of the table (fakes/errno_table.h), with each effect: before,
//   after and, where bytes are moved, partial(1). But
//   - close(2) always releases the descriptor, so it fails afterwards only;
//   - EINTR, EAGAIN, EINPROGRESS, EALREADY and errnos that are declared as
//     retried have only the effect that they have on Linux. With another
//     effect, a retry would do the same thing twice, which does not happen on
//     Linux.
//   - accept4(2) fails with ECONNABORTED before its effect: another connection
//     was aborted.
// - A storm of each errno that persists: EINTR, EAGAIN, ECONNABORTED, EMFILE,
//   ENFILE, ENOBUFS and ENOMEM.
// - short(1), once and from there on.
// - The hostile successes: fd0, truncated(4), consumed, reset.
class FaultChoices {
 public:
  explicit FaultChoices(const std::vector<Declaration>& declarations);

  absl::Span<const FaultChoice> Of(Call call) const {
    return choices_[static_cast<size_t>(call)];
  }

 private:
  std::array<std::vector<FaultChoice>, kCallCount> choices_;
};

// Returns whether the fault changes the outcome of a call that returned the
// result of `call` without the fault.
bool MakesDifference(const FaultChoice& choice, const MonitoredCall& call);

// Returns whether a scenario must succeed in spite of the action.
bool MustSucceed(const FaultAction& action);

// Returns the best-known errnos of a call, the most usual first.
std::vector<int> UsualErrnos(Call call);

}  // namespace net

#endif  // FAKES_EXPLORER_FAULT_CHOICES_H_
