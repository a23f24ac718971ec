#ifndef FAKES_DIFFERENTIAL_LINUX_NETWORK_H_
#define FAKES_DIFFERENTIAL_LINUX_NETWORK_H_

#include "absl/status/status.h"
#include "fakes/kernel/sysctls.h"

namespace net::differential {

// The network namespace and the privileges of the calling thread
// (network_namespaces(7), capabilities(7)). It should be the process's only
// thread: the others stay where they are.

// Moves the thread into a new network namespace in which loopback is up and
// acknowledges at once, and `sysctls` hold as far as they are a namespace's
// own. Without the privilege for that, the first call makes a user namespace,
// too.
//
// At once: the routes to 127.0.0.0/8 and ::1 get the metric "quickack"
// (RTAX_QUICKACK, rtnetlink(7)), which ends all delay of acknowledgements, and
// with it that of small segments that wait for them (Nagle). Both depend on
// timers, and on loopback nothing else does.
absl::Status EnterNewNetwork(const FakeSysctls& sysctls);

// Puts the thread's effective capabilities aside, so that it may no more than
// anybody else, and takes up again all that are permitted. False: the kernel
// refused, which it has no reason to.
bool DropPrivileges();
bool RestorePrivileges();

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_LINUX_NETWORK_H_
