#ifndef SYSCALLS_SANDBOX_CAPABILITIES_H_
#define SYSCALLS_SANDBOX_CAPABILITIES_H_

#include "absl/status/status.h"

// The capabilities of the calling thread (capabilities(7)). A test drops
// effective capabilities so that the kernel refuses the operations that require
// them. Dropped capabilities stay permitted, so the test can restore them.

namespace net::sandbox {

// Drops one effective capability, such as CAP_NET_BIND_SERVICE.
absl::Status DropCapability(int capability);

// Drops all effective capabilities.
absl::Status DropCapabilities();

// Makes all permitted capabilities effective.
absl::Status RestoreCapabilities();

// Drops a capability from the bounding set. Programs that this thread executes
// then lack it, even as root. Cannot be undone.
absl::Status DropCapabilityForExec(int capability);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_CAPABILITIES_H_
