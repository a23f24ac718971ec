#ifndef CONFORMANCE_ONE_FILE_ONE_PROCESS_H_
#define CONFORMANCE_ONE_FILE_ONE_PROCESS_H_

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Runs the trials one after the other, each in a thread of this process, and
// passes their records to `on_record`. For kernels without fork(2). Differences
// from RunTrials():
//
// - A crash ends the program.
// - A trial that exceeds its time has the outcome `timeout`, even if it makes
//   system calls. Its threads keep running. So do those of a trial that has
//   ended although one of its tasks still runs.
//
// The targets must have no subjects. Their environments must set
// LinuxEnvironmentOptions::shares_process.
void RunTrialsInOneProcess(absl::Span<const Trial> trials,
                           const RunnerOptions& options,
                           absl::FunctionRef<void(const Record&)> on_record);

}  // namespace net::conformance

#endif  // CONFORMANCE_ONE_FILE_ONE_PROCESS_H_
