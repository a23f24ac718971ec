#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_DELIVERY_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_DELIVERY_H_

#include <memory>

#include "conformance/suite/environment.h"

namespace net::conformance {

// Returns `environment`, in which a call sees everything that was sent over the
// loopback interface before it (syscalls/sandbox/delivery.h). A case that
// inspects a socket without blocking would otherwise judge the machine's load.
//
// Each call of the case's first thread, and each look at a task, waits for the
// segments that this thread has sent. Call it in that thread.
std::unique_ptr<Environment> AwaitDelivery(
    std::unique_ptr<Environment> environment);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_DELIVERY_H_
