#ifndef FAKES_EXPLORER_FINDING_KIND_H_
#define FAKES_EXPLORER_FINDING_KIND_H_

#include <cstdint>
#include <ostream>

#include "absl/strings/string_view.h"

namespace net {

// A kind of mistake in a scenario. The first kinds are reported first, because
// they often cause the others.
enum class FindingKind : uint8_t {
  kBroken,               // Fails without a fault.
  kNotInCharge,          // The explorer does not choose the schedules.
  kNotRepeatable,        // Does something else under the same schedule.
  kRace,                 // Fails under some schedules, without a fault.
  kCrash,                // Ends its process.
  kHang,                 // A call blocks, and no event is left to wake it.
  kEndless,              // Makes more than ExploreOptions::max_calls calls.
  kDoubleClose,          // Closes a descriptor twice, or one that it never had.
  kCloseOfReusedNumber,  // Closes a descriptor whose number has a new owner.
  kUseAfterClose,        // Uses a descriptor that it has closed.
  kLeak,                 // Does not close a descriptor.
  kOutParameter,         // Changes an out-parameter, and then fails.
  kRetryStorm,           // Repeats a failing call at once, again and again.
  kNotCloseOnExec,       // Makes a descriptor that execve(2) does not close.
  kSigpipe,              // A send that can raise SIGPIPE.
  kSwallowed,            // Succeeds although a call failed.
  kMasked,               // Reports the errno of the clean-up, not the first.
  kNotRetried,           // Reports an errno that is to be retried.
  kWrongErrno,           // Reports another errno than that of the fault.
  kShortCount,           // Fails because a call has moved fewer bytes.
  kFailsOtherwise,       // Fails although nothing that it reports has failed.
  kLeftBehind,  // Fails afterwards, without a fault, on the same kernel.
};

// Returns a few words: "leak", "double close".
absl::string_view KindText(FindingKind kind);

std::ostream& operator<<(std::ostream& os, FindingKind kind);

}  // namespace net

#endif  // FAKES_EXPLORER_FINDING_KIND_H_
