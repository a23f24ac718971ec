#ifndef CONFORMANCE_TARGETS_TARGETS_H_
#define CONFORMANCE_TARGETS_TARGETS_H_

#include <vector>

#include "conformance/engine/trial.h"

namespace net::conformance {

struct TargetOptions {
  bool disable_ipv6 = false;  // see LinuxEnvironmentOptions
};

// Returns the targets of this tree that run in the trial's process:
// implementations, judged by cases/, and kernels, judged by kernel_cases/, each
// with its environment.
std::vector<Target> MakeTargets(const TargetOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_COLUMNS_H_
