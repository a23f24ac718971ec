#ifndef SYSCALLS_SANDBOX_NETWORK_NAMESPACE_H_
#define SYSCALLS_SANDBOX_NETWORK_NAMESPACE_H_

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// The network namespace of this process (network_namespaces(7)). A process must
// have one thread when it moves, because each thread has a network namespace of
// its own.

namespace net::sandbox {

// Returns OK if EnterOwnNetwork() is possible; otherwise the message says why
// it is not: "no network namespace of its own: unshare: EPERM: ...".
//
// Tries it in a child process, because a move cannot be undone. Without a try
// the result would not be known: some systems let every user make a user
// namespace, but grant no capabilities in it (Ubuntu 24.04's AppArmor profile).
// Only the first call tries. Later calls return the first result, also in child
// processes.
absl::Status CheckOwnNetwork();

// Moves the process into a new network namespace, in which the loopback
// interface is up. If the process lacks CAP_SYS_ADMIN, it also moves into a new
// user namespace, in which it is root and no other user exists.
//
// Fails as CheckOwnNetwork() does. The process then stays in its network
// namespace.
absl::Status EnterOwnNetwork();

// Moves only the calling thread. The process may have other threads. Threads
// that the calling thread starts later are in the same network namespace.
// Requires CAP_SYS_ADMIN. Does not fork.
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
