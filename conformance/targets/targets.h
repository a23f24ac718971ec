#ifndef CONFORMANCE_TARGETS_TARGETS_H_
#define CONFORMANCE_TARGETS_TARGETS_H_

#include <vector>

#include "conformance/driver_host/driver_server.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

struct TargetOptions {
  bool disable_ipv6 = false;  // see LinuxEnvironmentOptions
};

// Returns the targets of this tree that run in the trial's process:
// implementations, judged by cases/, and kernels, judged by kernel_cases/, each
// with its environment.
std::vector<Target> MakeTargets(const TargetOptions& options);

// Returns the implementations of this tree that ServeDriver() can serve, with
// the names of their targets on this machine's kernel.
std::vector<Served> ServedImplementations();

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_TARGETS_H_
