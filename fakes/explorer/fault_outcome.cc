#include "fakes/explorer/fault_outcome.h"

#include "absl/strings/string_view.h"

namespace net {

absl::string_view OutcomeText(FaultOutcome outcome) {
  switch (outcome) {
    case FaultOutcome::kReported:
      return "reported";
    case FaultOutcome::kTranslated:
      return "translated";
    case FaultOutcome::kRetried:
      return "retried";
    case FaultOutcome::kIgnored:
      return "ignored";
    case FaultOutcome::kAfterError:
      return "after an error";
    case FaultOutcome::kNoErrno:
      return "no errno";
    case FaultOutcome::kFinding:
      return "FINDING";
    case FaultOutcome::kNotHit:
      return "not hit";
  }
  return "";
}

}  // namespace net
