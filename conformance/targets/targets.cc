#include "conformance/targets/targets.h"

#include <functional>
#include <utility>
#include <vector>

#include "conformance/cases/cases.h"
#include "conformance/driver_host/driver_server.h"
#include "conformance/engine/trial.h"
#include "conformance/environments/fake/fake_environment.h"
#include "conformance/environments/hooked/hooked_environment.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/targets/asio.h"
#include "conformance/targets/libuv.h"
#include "conformance/targets/linux_target.h"
#include "conformance/targets/net_tcp.h"
#include "conformance/targets/no_implementation.h"
#include "conformance/targets/python.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Makes an implementation that calls the C library, in a hooked environment.
template <typename Make>
auto OnHooks(Make make) {
  return [make](Syscalls& sys) {
    CallThrough(sys);
    return make(&CallThrough);
  };
}

}  // namespace

std::vector<Target> MakeTargets(const TargetOptions& options) {
  // Called here, the check runs once, and not in the process of each trial.
  static_cast<void>(sandbox::CheckOwnNetwork());
  const auto make_linux = [options](std::function<void()> abandon) {
    return MakeLinuxEnvironment({.disable_ipv6 = options.disable_ipv6},
                                std::move(abandon));
  };
  const auto make_fake = [options](const std::function<void()>&) {
    return MakeFakeEnvironment({.disable_ipv6 = options.disable_ipv6});
  };
  const auto make_hooked = [options](std::function<void()> abandon) {
    return MakeHookedEnvironment({.disable_ipv6 = options.disable_ipv6},
                                 std::move(abandon));
  };
  return {{.name = "net_tcp",
           .cases = AllCases(),
           .make_environment = make_linux,
           .make_implementation = &MakeNetTcp,
           .is_reference = true},
          {.name = "net_tcp_on_fake_kernel",
           .cases = AllCases(),
           .make_environment = make_fake,
           .make_implementation = &MakeNetTcp,
           .is_reference = true},
          {.name = "asio",
           .version = AsioVersion(),
           .cases = AllCases(),
           .make_environment = make_linux,
           .make_implementation = [](Syscalls&) { return MakeAsio(); },
           .expectations = "conformance/targets/asio.expectations"},
          {.name = "asio_on_fake_kernel",
           .version = AsioVersion(),
           .cases = AllCases(),
           .make_environment = make_hooked,
           .make_implementation = OnHooks(&MakeAsio),
           .on_fake_kernel = true,
           .expectations = "conformance/targets/asio.expectations"},
          {.name = "libuv",
           .version = LibuvVersion(),
           .cases = AllCases(),
           .make_environment = make_linux,
           .make_implementation = [](Syscalls&) { return MakeLibuv(); },
           .expectations = "conformance/targets/libuv.expectations"},
          {.name = "libuv_on_fake_kernel",
           .version = LibuvVersion(),
           .cases = AllCases(),
           .make_environment = make_hooked,
           .make_implementation = OnHooks(&MakeLibuv),
           .on_fake_kernel = true,
           .expectations = "conformance/targets/libuv.expectations"},
          {.name = "python_on_fake_kernel",
           .version = PythonVersion(),
           .cases = AllCases(),
           .make_environment = make_hooked,
           .make_implementation = OnHooks(&MakePython),
           .on_fake_kernel = true,
           .expectations = "conformance/drivers/python.expectations",
           .missing = WhyNoPython()},
          MakeLinuxTarget({.disable_ipv6 = options.disable_ipv6}),
          {.name = "fake_kernel",
           .cases = AllKernelCases(),
           .make_environment = make_fake,
           .make_implementation = &MakeNoImplementation,
           .is_reference = true}};
}

std::vector<Served> ServedImplementations() {
  Syscalls& sys = DefaultSyscalls();
  std::vector<Served> all(3);
  all[0] = {.name = "net_tcp", .version = "", .has_syscalls = true};
  all[0].make = [&sys] { return MakeNetTcp(sys); };
  all[1] = {.name = "asio", .version = AsioVersion()};
  all[1].make = [] { return MakeAsio(); };
  all[2] = {.name = "libuv", .version = LibuvVersion()};
  all[2].make = [] { return MakeLibuv(); };
  return all;
}

}  // namespace net::conformance
