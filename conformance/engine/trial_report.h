#ifndef CONFORMANCE_ENGINE_TRIAL_REPORT_H_
#define CONFORMANCE_ENGINE_TRIAL_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// A report as text, for the pipe from the trial's process to the runner: JSON
// and a NUL, which shows that the report is complete.
std::string EncodeReport(const TrialReport& report);

// Reads what came through the pipe. The case may have written to the pipe, too,
// so any text is possible: fails if it is not exactly one report.
absl::StatusOr<TrialReport> DecodeReport(absl::string_view text);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_TRIAL_REPORT_H_
