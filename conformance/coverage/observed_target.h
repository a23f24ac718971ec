#ifndef CONFORMANCE_COVERAGE_OBSERVED_TARGET_H_
#define CONFORMANCE_COVERAGE_OBSERVED_TARGET_H_

#include <cstddef>

#include "conformance/coverage/observation_log.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// Returns a target for one trial of `target`, whose implementation and system
// calls are observed: the cells of accounts (cells.h) that the trial reaches
// are added to `log`, which must outlive it. `trial` identifies it there.
//
// `target` must run its implementation in the trial's process.
Target ObservedTarget(const Target& target, ObservationLog& log, size_t trial,
                      AddressFamily family);

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_OBSERVED_TARGET_H_
