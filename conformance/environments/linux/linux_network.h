#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_NETWORK_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_NETWORK_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {

// The network namespace of this process (network_namespaces(7)).

// Why EnterOwnNetwork() is not possible; nullopt if it is. Tries it, once, in a
// child process: some systems let everybody make a user namespace, but give
// no capabilities in it (Ubuntu 24.04's AppArmor profile), and there is no way
// back out of one. Children of this process inherit the answer.
std::optional<std::string> LacksOwnNetwork();

// Moves the process into a network namespace of its own, with the loopback
// interface up: as it is if it may, else in a user namespace of its own, too.
// Returns why that is not possible, and then leaves it where it was; nullopt if
// it was done. The process must have one thread.
std::optional<std::string> EnterOwnNetwork();

// Moves the process into the network namespace of another, `pid`, and into its
// user namespace if that is another one. Returns why that network is not one
// of its own: it is this process's, too. Throws HarnessError where it fails.
// The process must have one thread.
std::optional<std::string> EnterNetworkOf(pid_t pid);

// The others throw HarnessError where they fail, and belong into a namespace of
// one's own.

// Takes the loopback interface up or down.
void SetLoopback(bool up);

// Writes a file of /proc/sys: "net.ipv4.tcp_syn_retries".
void WriteSysctl(absl::string_view name, absl::string_view value);

// Adds a route to a single address that answers connect(2) with `error`:
// EHOSTUNREACH, EACCES or EINVAL (rtnetlink(7): RTN_UNREACHABLE, RTN_PROHIBIT,
// RTN_BLACKHOLE).
void AddFailingRoute(const ip::Addr& addr, int error);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_LINUX_NETWORK_H_
