#ifndef FAKES_DIFFERENTIAL_LINUX_NETWORK_H_
#define FAKES_DIFFERENTIAL_LINUX_NETWORK_H_

#include "absl/status/status.h"
#include "fakes/kernel/sysctls.h"

namespace net::differential {

// The network namespace and the privileges of the calling thread
// (network_namespaces(7), capabilities(7)). It should be the only thread of the
// process, because other threads are not affected.

// Moves the thread into a new network namespace. Loopback is up there and
// acknowledges immediately, and `sysctls` hold as far as they belong to the
// namespace. If the thread lacks the privilege, the first call also creates a
// user namespace.
//
// Immediate acknowledgement: the routes to 127.0.0.0/8 and ::1 get the metric
// "quickack" (RTAX_QUICKACK, rtnetlink(7)). It ends the delay of
// acknowledgements and, with it, the delay of small segments that wait for them
// (Nagle). Both depend on timers, and nothing else on loopback does.
absl::Status EnterNewNetwork(const FakeSysctls& sysctls);

// DropPrivileges() clears the thread's effective capabilities.
// RestorePrivileges() sets them to all permitted ones. Both return false if the
// kernel refuses, for which it has no reason.
bool DropPrivileges();
bool RestorePrivileges();

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_LINUX_NETWORK_H_
