#ifndef FAKES_FAULTS_CANARY_H_
#define FAKES_FAULTS_CANARY_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "fakes/faults/faults.h"

namespace net {

// Checks that the calls of `scenario` go through `faults`. To be called before
// a sweep: if the scenario bypassed `faults`, the sweep would find nothing and
// report success. Arms the canary "*@1=EMFILE before", which makes the first
// call on a TCP socket fail, and runs the scenario, which returns its error or
// OK. Leaves an empty plan armed.
//
// Errors (FAILED_PRECONDITION):
// - The scenario made no call on a TCP socket that `faults` has seen.
// - The scenario succeeded although its first call failed.
absl::Status CheckInCharge(Faults& faults,
                           absl::FunctionRef<absl::Status()> scenario);

}  // namespace net

#endif  // FAKES_FAULTS_CANARY_H_
