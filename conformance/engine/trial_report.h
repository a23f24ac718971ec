#ifndef CONFORMANCE_ENGINE_TRIAL_REPORT_H_
#define CONFORMANCE_ENGINE_TRIAL_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Encodes a report for the pipe from the trial's process to the runner: JSON
// and a NUL, which shows that the report is complete.
std::string EncodeReport(const TrialReport& report);

// Decodes the bytes from the pipe. Fails unless they are exactly one report.
// Any bytes are possible, because the case may have written to the pipe.
absl::StatusOr<TrialReport> DecodeReport(absl::string_view text);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_TRIAL_REPORT_H_
