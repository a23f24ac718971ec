// Judges this machine's kernel by the cases for kernels.

#include <functional>
#include <utility>

#include "conformance/engine/trial.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/program/trial_test.h"
#include "conformance/targets/no_implementation.h"

namespace net::conformance {
namespace {

Target MakeTarget() {
  return {.name = "linux",
          .cases = AllKernelCases(),
          .make_environment =
              [](std::function<void()> abandon) {
                return MakeLinuxEnvironment({}, std::move(abandon));
              },
          .make_implementation = &MakeNoImplementation};
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  return net::conformance::RunAsTests(argc, argv, net::conformance::MakeTarget);
}
