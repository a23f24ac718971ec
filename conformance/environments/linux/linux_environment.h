#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_ENVIRONMENT_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_ENVIRONMENT_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>

#include "conformance/suite/environment.h"

namespace net::conformance {

struct LinuxEnvironmentOptions {
  // Disables IPv6 in the case's network, as on a machine without IPv6.
  bool disable_ipv6 = false;
  // If set, the case uses the network namespace of this process.
  std::optional<pid_t> network_of = std::nullopt;
  // The case runs in a thread of a process that runs other cases afterwards.
  // The environment then does not fork, and only the thread moves into a
  // network namespace.
  bool shares_process = false;
  // The case's threads run on one processor. The environment then awaits the
  // delivery of what any of them has sent, and not only the first one.
  bool one_processor = false;
};

// Makes the environment of one case on the machine's own kernel. Moves this
// process into a network namespace of its own where that is permitted, or into
// that of `options.network_of`. For a child process that runs one case and
// ends. The process must have one thread, unless `options.shares_process`.
//
// Each call awaits the delivery of what was sent before: see AwaitDelivery().
//
// If the kernel or the machine lacks something, for instance /proc, the cases
// that need it have the outcome `precondition`.
//
// `abandon` must end the process or, if the process is shared, never return. It
// is called if a task is destroyed while it still runs (see StartLinuxTask()),
// and if the case cannot go on. Throws HarnessError.
std::unique_ptr<Environment> MakeLinuxEnvironment(
    const LinuxEnvironmentOptions& options, std::function<void()> abandon);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_ENVIRONMENT_H_
