#ifndef FAKES_EXPLORER_FAULT_OUTCOME_H_
#define FAKES_EXPLORER_FAULT_OUTCOME_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace net {

// The outcome of a fault.
enum class FaultOutcome : uint8_t {
  kReported,
  kTranslated,  // Reported as another errno, as declared.
  kRetried,
  kIgnored,     // As declared.
  kAfterError,  // The run had failed before, so nothing was to be reported.
  kNoErrno,     // The fault was not an errno.
  kFinding,
  kNotHit,  // The fault applied to no call.
};

// Returns one word: "reported".
absl::string_view OutcomeText(FaultOutcome outcome);

}  // namespace net

#endif  // FAKES_EXPLORER_FAULT_OUTCOME_H_
