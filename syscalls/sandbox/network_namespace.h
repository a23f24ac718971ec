#ifndef SYSCALLS_SANDBOX_NETWORK_NAMESPACE_H_
#define SYSCALLS_SANDBOX_NETWORK_NAMESPACE_H_

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// The network namespace of this process (network_namespaces(7)). A process must
// have one thread when it moves: the namespace is the thread's.

namespace net::sandbox {

// Returns OK if EnterOwnNetwork() is possible; otherwise the message says why
// it is not: "no network namespace of its own: unshare: EPERM: ...".
//
// Tries it in a child process, because there is no way back: some systems let
// everybody make a user namespace, but give no capabilities in it (Ubuntu
// 24.04's AppArmor profile). Only the first call tries. Later calls, also those
// of child processes, return the first result.
absl::Status CheckOwnNetwork();

// Moves the process into a new network namespace, in which the loopback
// interface is up. If the process lacks the capability, it also moves into a
// new user namespace, in which it is root and no other user exists.
//
// Fails as CheckOwnNetwork() does, and then leaves the process where it was.
absl::Status EnterOwnNetwork();

// Moves only the calling thread, in a process that may have others. Threads
// that it starts are in the same network. Needs the capability, and forks
// nothing.
//
// Fails as EnterOwnNetwork() does.
absl::Status EnterOwnNetworkOfThread();

// Returns whether process `pid` is in this process's network namespace.
absl::StatusOr<bool> SharesNetworkWith(pid_t pid);

// Moves the process into the network namespace of process `pid`, and into its
// user namespace if that is not this process's.
absl::Status EnterNetworkOf(pid_t pid);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_NETWORK_NAMESPACE_H_
