#ifndef CONFORMANCE_ENGINE_RERUN_H_
#define CONFORMANCE_ENGINE_RERUN_H_

#include "absl/functional/function_ref.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Runs a trial that ended unexpectedly again: twice alone, and, unless it ended
// unexpectedly both times, eight times while other processes take the
// processors. Each run is in a process of its own, and in a network of its own
// where the trial had one. `ends_unexpectedly` runs the trial once.
Rerun ClassifyAgain(absl::FunctionRef<bool()> ends_unexpectedly);

// As above. `is_expected` judges the record of a run.
Rerun RunAgain(const Trial& trial, const RunnerOptions& options,
               absl::FunctionRef<bool(const Record&)> is_expected,
               IdleSubjects& subjects);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_RERUN_H_
