#ifndef CONFORMANCE_ENGINE_RERUN_H_
#define CONFORMANCE_ENGINE_RERUN_H_

#include "absl/functional/function_ref.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Runs a trial again that ended unexpectedly, and returns the reason that this
// suggests. The trial runs twice alone. If it ends as expected both times, it
// runs up to eight times more, while other processes use the processors. Each
// run has a process of its own, and a network of its own if the trial had one.
// `ends_unexpectedly` runs the trial once, and returns whether it ended
// unexpectedly.
Rerun ClassifyAgain(absl::FunctionRef<bool()> ends_unexpectedly);

// Calls ClassifyAgain() for `trial`. `is_expected` judges the record of a run.
Rerun RunAgain(const Trial& trial, const RunnerOptions& options,
               absl::FunctionRef<bool(const Record&)> is_expected,
               IdleSubjects& subjects);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_RERUN_H_
