#ifndef TCP_OPTIONS_H_
#define TCP_OPTIONS_H_

#include <cstdint>
#include <variant>

#include "syscalls/require_cxx20.h"
#include "tcp/sock_flags.h"

namespace net::tcp {

// The options of Listen() and Connect(). A call takes a list of them, in any
// order and any number:
//
//   Listen(ip::kLocalV6, 0, {ReusePort{}, Backlog{128}, PortAssignment{&port}})
//
// Given twice, KeepAlive, ReuseAddr and ReusePort are set once, where they
// stand first; flags add up; the last Backlog wins; every PortAssignment is
// filled in.

// SO_KEEPALIVE (socket(7)): probe a silent peer, after the intervals of tcp(7).
// On a listener, the sockets that it accepts inherit it.
struct KeepAlive {};

// SO_REUSEADDR (socket(7)): bind to a port although connections of an earlier
// listener, which had the option too, linger in TIME_WAIT.
struct ReuseAddr {};

// SO_REUSEPORT (socket(7)): share the port with other listeners that have the
// option too and the same effective user; the kernel spreads connections.
struct ReusePort {};

// How many connections may wait to be accepted (listen(2)). Without it, 10.
// Linux queues one more than that, and caps it at net.core.somaxconn without a
// word; values beyond INT_MAX are taken for INT_MAX.
struct Backlog {
  uint32_t value;
};

// Where Listen() tells the port that it listens on, in host byte order: the
// system's choice if the port given was 0. Written when Listen() succeeds, and
// else left alone. Must not be null (EINVAL).
struct PortAssignment {
  uint16_t* port;
};

using ConnectOption = std::variant<SockFlags, KeepAlive>;
using ListenOption = std::variant<SockFlags, KeepAlive, ReusePort, ReuseAddr,
                                  Backlog, PortAssignment>;

}  // namespace net::tcp

#endif  // TCP_OPTIONS_H_
