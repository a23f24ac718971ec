// The main() of tcp_conformance_test(implementation = ...): judges the result
// of MakeImplementation() on this machine's kernel.

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "conformance/cases/cases.h"
#include "conformance/driver_host/driver_server.h"
#include "conformance/engine/trial.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/program/trial_test.h"
#include "conformance/suite/factory.h"
#include "conformance/targets/driver_targets.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

constexpr char kName[] = "implementation";

Target MakeTarget() {
  Target target = {.name = kName,
                   .cases = AllCases(),
                   .make_environment =
                       [](std::function<void()> abandon) {
                         return MakeLinuxEnvironment({}, std::move(abandon));
                       },
                   .make_implementation = &MakeImplementation};
  if (!HasSyscalls(target)) TrapForFaults(target, CommandToServe(kName), {});
  return target;
}

// Returns whether this program is to be the driver of the implementation: see
// CommandToServe().
bool IsDriver(int argc, char** argv) {
  return argc == 2 && argv[1] == absl::StrCat("--serve=", kName);
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  if (net::conformance::IsDriver(argc, argv)) {
    net::conformance::ServeDriver(
        {.name = net::conformance::kName, .version = "", .make = [] {
           return net::conformance::MakeImplementation(net::DefaultSyscalls());
         }});
  }
  return net::conformance::RunAsTests(argc, argv, net::conformance::MakeTarget);
}
