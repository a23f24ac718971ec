#ifndef SYSCALLS_SANDBOX_LATE_LOOPBACK_H_
#define SYSCALLS_SANDBOX_LATE_LOOPBACK_H_

#include "absl/status/status.h"

namespace net::sandbox {

// Lets another processor deliver what this process sends over the loopback
// interface of its network (receive packet steering,
// Documentation/networking/scaling.rst). A segment then arrives some
// microseconds after the call that sent it has returned, as on a busy machine.
// For tests of Delivery.
//
// The process must have a network of its own and one thread. It stays on one
// processor, and moves into a mount namespace of its own. Fails if there is one
// processor, or if the process must not mount sysfs.
absl::Status DeliverOnAnotherProcessor();

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_LATE_LOOPBACK_H_
