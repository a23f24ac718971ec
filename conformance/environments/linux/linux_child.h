#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_CHILD_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_CHILD_H_

#include <functional>
#include <memory>

#include "absl/functional/function_ref.h"
#include "conformance/suite/environment.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Forks a process that runs `body` and exits: see Environment::Fork().
// `abandon` ends the case, and does not return.
std::unique_ptr<ChildProcess> ForkLinuxChild(
    absl::FunctionRef<void(Syscalls&)> body, std::function<void()> abandon);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_CHILD_H_
