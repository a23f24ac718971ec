#ifndef SYSCALLS_SANDBOX_LOOPBACK_INTERFACE_H_
#define SYSCALLS_SANDBOX_LOOPBACK_INTERFACE_H_

#include "absl/status/status.h"

namespace net::sandbox {

// Takes the interface "lo" of the process's network namespace up or down
// (netdevice(7)). In a new namespace it is down.
absl::Status SetLoopback(bool up);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_LOOPBACK_INTERFACE_H_
