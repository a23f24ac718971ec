#ifndef FAKES_EXPLORER_NET_TCP_SCENARIOS_H_
#define FAKES_EXPLORER_NET_TCP_SCENARIOS_H_

#include <vector>

#include "absl/status/status.h"
#include "fakes/explorer/declaration.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

// Scenarios with net::tcp for the tests and the benchmark of the explorer.

namespace net {

// Listens, connects, accepts, asks for the peer's address, and closes all
// three.
absl::Status ListenConnectAccept(const ip::Addr& addr, Syscalls& sys);

// Does the same, and sends a message there and back before it closes.
absl::Status Echo(const ip::Addr& addr, Syscalls& sys);

// Returns the errnos that net::tcp handles in another way than by reporting
// them (tcp/CONTRACT.md).
std::vector<Declaration> NetTcpDeclarations();

}  // namespace net

#endif  // FAKES_EXPLORER_NET_TCP_SCENARIOS_H_
