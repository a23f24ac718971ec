#include "conformance/targets/targets.h"

#include <functional>
#include <utility>
#include <vector>

#include "conformance/cases/cases.h"
#include "conformance/driver_host/driver_server.h"
#include "conformance/engine/trial.h"
#include "conformance/environments/fake/fake_environment.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/targets/asio.h"
#include "conformance/targets/libuv.h"
#include "conformance/targets/net_tcp.h"
#include "conformance/targets/no_implementation.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

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
           .make_implementation = &MakeAsio,
           .expectations = "conformance/targets/asio.expectations"},
          {.name = "libuv",
           .version = LibuvVersion(),
           .cases = AllCases(),
           .make_environment = make_linux,
           .make_implementation = &MakeLibuv,
           .expectations = "conformance/targets/libuv.expectations"},
          {.name = "linux",
           .cases = AllKernelCases(),
           .make_environment = make_linux,
           .make_implementation = &MakeNoImplementation},
          {.name = "fake_kernel",
           .cases = AllKernelCases(),
           .make_environment = make_fake,
           .make_implementation = &MakeNoImplementation,
           .is_reference = true}};
}

std::vector<Served> ServedImplementations() {
  return {{.name = "net_tcp",
           .version = "",
           .make = [] { return MakeNetTcp(DefaultSyscalls()); }},
          {.name = "asio",
           .version = AsioVersion(),
           .make = [] { return MakeAsio(DefaultSyscalls()); }},
          {.name = "libuv", .version = LibuvVersion(), .make = [] {
             return MakeLibuv(DefaultSyscalls());
           }}};
}

}  // namespace net::conformance
