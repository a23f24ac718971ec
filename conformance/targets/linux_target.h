#ifndef CONFORMANCE_TARGETS_LINUX_TARGET_H_
#define CONFORMANCE_TARGETS_LINUX_TARGET_H_

#include <functional>
#include <utility>

#include "conformance/engine/trial.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/targets/no_implementation.h"

namespace net::conformance {

// Returns the target "linux": this machine's kernel, judged by kernel_cases/.
// Its expectations list the differences of older kernels from Linux 6.18, on
// which the cases were measured. Each has the version in which the difference
// ended.
inline Target MakeLinuxTarget(LinuxEnvironmentOptions options = {}) {
  options.one_processor = true;
  return {.name = "linux",
          .cases = AllKernelCases(),
          .make_environment =
              [options](std::function<void()> abandon) {
                return MakeLinuxEnvironment(options, std::move(abandon));
              },
          .make_implementation = &MakeNoImplementation,
          .expectations = "conformance/targets/linux.expectations"};
}

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_LINUX_TARGET_H_
