#include "fakes/explorer/finding_kind.h"

#include <ostream>

#include "absl/strings/string_view.h"

namespace net {

absl::string_view KindText(FindingKind kind) {
  switch (kind) {
    case FindingKind::kBroken:
      return "fails without faults";
    case FindingKind::kNotInCharge:
      return "not in charge";
    case FindingKind::kNotRepeatable:
      return "does not repeat";
    case FindingKind::kRace:
      return "race";
    case FindingKind::kCrash:
      return "crash";
    case FindingKind::kHang:
      return "hang";
    case FindingKind::kEndless:
      return "endless loop";
    case FindingKind::kDoubleClose:
      return "double close";
    case FindingKind::kCloseOfReusedNumber:
      return "close of a reused number";
    case FindingKind::kUseAfterClose:
      return "use after close";
    case FindingKind::kLeak:
      return "leak";
    case FindingKind::kOutParameter:
      return "out-parameter changed by a failure";
    case FindingKind::kRetryStorm:
      return "retry storm";
    case FindingKind::kNotCloseOnExec:
      return "not close-on-exec";
    case FindingKind::kSigpipe:
      return "can raise SIGPIPE";
    case FindingKind::kSwallowed:
      return "swallowed errno";
    case FindingKind::kMasked:
      return "errno of the clean-up";
    case FindingKind::kNotRetried:
      return "errno not retried";
    case FindingKind::kWrongErrno:
      return "wrong errno";
    case FindingKind::kShortCount:
      return "short count not continued";
    case FindingKind::kFailsOtherwise:
      return "fails with an errno that no fault has";
    case FindingKind::kLeftBehind:
      return "the next run fails";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& os, FindingKind kind) {
  return os << KindText(kind);
}

}  // namespace net
