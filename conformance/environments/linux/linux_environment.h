#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_ENVIRONMENT_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_ENVIRONMENT_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>

#include "conformance/suite/environment.h"

namespace net::conformance {

struct LinuxEnvironmentOptions {
  // Takes IPv6 away from the case's network: shows what the suite does on a
  // machine without it.
  bool disable_ipv6 = false;
  // The process whose network namespace is the case's.
  std::optional<pid_t> network_of = std::nullopt;
};

// Makes this process the world of one case, on the machine's own kernel: moves
// it into a network namespace of its own where that is allowed, or into that of
// the process named. For a child
// process that runs one case and ends; it must have one thread.
//
// `abandon` must end the process: it is called when a task is destroyed that
// still runs (see StartLinuxTask()). Throws HarnessError.
std::unique_ptr<Environment> MakeLinuxEnvironment(
    const LinuxEnvironmentOptions& options, std::function<void()> abandon);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_ENVIRONMENT_H_
