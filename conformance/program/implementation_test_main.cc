// The main() of tcp_conformance_test(implementation = ...): judges the result
// of MakeImplementation() on this machine's kernel.

#include <functional>
#include <utility>

#include "conformance/cases/cases.h"
#include "conformance/engine/trial.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/program/trial_test.h"
#include "conformance/suite/factory.h"

namespace net::conformance {
namespace {

Target MakeTarget() {
  return {.name = "implementation",
          .cases = AllCases(),
          .make_environment =
              [](std::function<void()> abandon) {
                return MakeLinuxEnvironment({}, std::move(abandon));
              },
          .make_implementation = &MakeImplementation};
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  return net::conformance::RunAsTests(argc, argv, net::conformance::MakeTarget);
}
