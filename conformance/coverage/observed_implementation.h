#ifndef CONFORMANCE_COVERAGE_OBSERVED_IMPLEMENTATION_H_
#define CONFORMANCE_COVERAGE_OBSERVED_IMPLEMENTATION_H_

#include <functional>
#include <memory>

#include "conformance/coverage/trial_observer.h"
#include "conformance/suite/implementation.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// Returns an implementation that `make` makes over an observed `sys`, and whose
// operations are observed. `kernel` is the trial's kernel, for questions that
// are not observed. All three references must outlive it.
std::unique_ptr<Implementation> MakeObservedImplementation(
    const std::function<std::unique_ptr<Implementation>(Syscalls&)>& make,
    Syscalls& sys, Syscalls& kernel, TrialObserver& observer);

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_OBSERVED_IMPLEMENTATION_H_
