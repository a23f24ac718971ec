#ifndef CONFORMANCE_COVERAGE_OBSERVED_IMPLEMENTATION_H_
#define CONFORMANCE_COVERAGE_OBSERVED_IMPLEMENTATION_H_

#include <functional>
#include <memory>

#include "conformance/coverage/trial_observer.h"
#include "conformance/suite/implementation.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Calls `make` with an observed `sys`, and returns the implementation with
// observed operations. `kernel` is the trial's kernel, for calls that are not
// observed. `sys`, `kernel` and `observer` must outlive the result.
std::unique_ptr<Implementation> MakeObservedImplementation(
    const std::function<std::unique_ptr<Implementation>(Syscalls&)>& make,
    Syscalls& sys, Syscalls& kernel, TrialObserver& observer);

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_OBSERVED_IMPLEMENTATION_H_
