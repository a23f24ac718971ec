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
// The expectations list what older kernels than the one that the cases were
// measured on do otherwise, and since when it is as measured.
inline Target MakeLinuxTarget(const LinuxEnvironmentOptions& options = {}) {
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
