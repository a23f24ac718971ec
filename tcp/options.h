#ifndef TCP_OPTIONS_H_
#define TCP_OPTIONS_H_

#include <cstdint>
#include <variant>

#include "syscalls/require_cxx20.h"
#include "tcp/sock_flags.h"

namespace net::tcp {

// The options of Listen() and Connect(). A call takes a list of options, in any
// order and any number:
//
//   Listen(ip::kLocalV6, 0, {ReusePort{}, Backlog{128}, PortAssignment{&port}})
//
// An option may be given several times:
// - KeepAlive, ReuseAddr, ReusePort: one setsockopt(2), at the position of the
//   first.
// - SockFlags: the bits of all are or-ed.
// - Backlog: the last one counts.
// - PortAssignment: each one receives the port.

// Turns on SO_KEEPALIVE (socket(7)): the kernel probes an idle connection and
// ends it if the peer does not respond. The intervals are tcp(7)'s:
// tcp_keepalive_time, tcp_keepalive_intvl, tcp_keepalive_probes. Sockets
// accepted from a listener inherit the option.
struct KeepAlive {};

// Turns on SO_REUSEADDR (socket(7)): a listener can bind to a port while
// connections of an earlier listener on that port are in TIME-WAIT. The earlier
// listener must have had the option, too.
struct ReuseAddr {};

// Turns on SO_REUSEPORT (socket(7)): several listeners share one port. Each
// must have the option and the same effective user ID. The kernel distributes
// the connections among them.
struct ReusePort {};

// The maximum length of the queue of connections that are not yet accepted
// (listen(2)). The default is 10.
// - Linux reduces the value to net.core.somaxconn without an error.
// - Linux queues one connection more than the value.
// - Listen() passes INT_MAX for values above INT_MAX.
struct Backlog {
  uint32_t value;
};

// A place for the port that Listen() listens on, in host byte order. If port 0
// was requested, this is the port that the kernel chose. Listen() writes it
// only on success. A null pointer makes Listen() fail with EINVAL. The caller
// owns `port`.
struct PortAssignment {
  uint16_t* port;
};

using ConnectOption = std::variant<SockFlags, KeepAlive>;
using ListenOption = std::variant<SockFlags, KeepAlive, ReusePort, ReuseAddr,
                                  Backlog, PortAssignment>;

}  // namespace net::tcp

#endif  // TCP_OPTIONS_H_
