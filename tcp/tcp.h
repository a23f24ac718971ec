#ifndef TCP_TCP_H_
#define TCP_TCP_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "tcp/options.h"
#include "tcp/sock_flags.h"
#include "tcp/socket.h"

// TCP for Linux: listen, connect, accept, and the peer's address.
//
//   uint16_t port;
//   absl::StatusOr<net::Socket> listener = net::tcp::Listen(
//       net::ip::kLocalV6, 0, {net::tcp::PortAssignment{&port}});
//   absl::StatusOr<net::Socket> client =
//       net::tcp::Connect(net::ip::kLocalV6, port);
//   absl::StatusOr<net::Socket> server = net::tcp::Accept(*listener);
//
// These rules hold for all functions:
// - Kernel: functions reach the kernel only through the Syscalls that is
//   passed, which must outlive the Sockets. Listen() and Connect() make exactly
//   the system calls that their options need.
// - Memory: a call that succeeds does not allocate.
// - Failure: a call that fails closes its descriptor. Nothing stays bound,
//   listening or connecting. Out-parameters are unchanged. The error is that of
//   the first system call that failed, never one of the clean-up.
// - Errors: absl::Status that contains the errno (syscalls/errors/error.h).
// - Threads: any function may be called from any thread, concurrently.
// - Flags: unknown bits in SockFlags fail with EINVAL before any system call.

namespace net::tcp {

// Listens for connections to `addr` and `port` (host byte order). With port 0,
// the kernel picks an ephemeral port, and PortAssignment receives it. An IPv6
// wildcard listener (ip::kAnyV6) also accepts IPv4 connections, whose addresses
// are v4-mapped, unless net.ipv6.bindv6only is set. Does not block.
//
// Calls, in this order: socket(2), setsockopt(2) for each option, bind(2),
// listen(2) and, with PortAssignment, getsockname(2).
//
// Errors:
// - EADDRINUSE: the port is in use; or, with port 0, all ephemeral ports are.
// - EADDRNOTAVAIL: `addr` is not a local address.
// - EACCES: the port is below net.ipv4.ip_unprivileged_port_start and the
//   process has no CAP_NET_BIND_SERVICE.
// - EMFILE, ENFILE: no descriptor is left for the process or the system.
// - EAFNOSUPPORT: the kernel has no IPv6.
// - EINVAL: a PortAssignment is null, or SockFlags has unknown bits.
// - ENOBUFS, ENOMEM, EPERM: see the calls' man pages.
absl::StatusOr<Socket> Listen(ip::Addr addr, uint16_t port,
                              absl::Span<const ListenOption> options = {},
                              Syscalls& sys = DefaultSyscalls());

// Connects to `addr` and `port` (host byte order). Blocks until the connection
// is established or has failed. The kernel gives up after about two minutes
// without a response (net.ipv4.tcp_syn_retries). A signal does not end the
// attempt: the kernel continues it, and Connect() waits for the outcome.
//
// With SockFlags::kNonblock, Connect() does not block. Success then means that
// the attempt is under way. Once poll(2) reports POLLOUT, the attempt has
// ended, and Socket::PendingError() returns its outcome.
//
// Calls, in this order: socket(2), setsockopt(2) for each option, connect(2).
// If connect(2) fails with EINTR, also calls poll(2) until the socket is
// writable, and getsockopt(2) for SO_ERROR.
//
// Errors:
// - ECONNREFUSED: nothing listens on that port.
// - ETIMEDOUT: the peer did not respond.
// - ENETUNREACH, EHOSTUNREACH: there is no route to the network or host.
// - EADDRNOTAVAIL: no local port or address is available.
// - EACCES, EPERM: a route or a firewall rule forbids it.
// - ECONNRESET: the peer reset the connection during the handshake.
// - EMFILE, ENFILE: no descriptor is left for the process or the system.
// - EAFNOSUPPORT: the kernel has no IPv6.
// - EINPROGRESS, EALREADY, EISCONN: unexpected on a new blocking socket, and
//   reported as errors.
// - EINVAL: SockFlags has unknown bits, or see connect(2).
// - EADDRINUSE, EAGAIN, ENOBUFS, ENOMEM: see the calls' man pages.
absl::StatusOr<Socket> Connect(ip::Addr addr, uint16_t port,
                               absl::Span<const ConnectOption> options = {},
                               Syscalls& sys = DefaultSyscalls());

// Accepts the next connection of `listener`, in the order in which the
// connections were established. Blocks until there is one. The new socket uses
// the listener's Syscalls. It has exactly the given `flags`: sockets accepted
// from a non-blocking listener are blocking unless `flags` has kNonblock.
//
// Calls accept4(2) until it succeeds or fails with an errno other than EINTR
// and ECONNABORTED (the connection ended before it was accepted). These two are
// retried without a limit. To wake a blocked Accept(), call
// listener.Shutdown(SHUT_RD) in another thread.
//
// Errors:
// - EAGAIN: no connection is queued and the listener is non-blocking, or its
//   SO_RCVTIMEO expired.
// - EINVAL: the socket is not listening or was shut down, or `flags` has
//   unknown bits.
// - EBADF: the listener is closed.
// - ENOTSOCK, EOPNOTSUPP: the descriptor is not a TCP socket.
// - EMFILE, ENFILE, ENOBUFS, ENOMEM: no descriptor or memory is left. The
//   connection stays queued.
// - EPERM, EPROTO, and pending network errors of the new socket (ENETDOWN,
//   EHOSTUNREACH and others): see accept(2).
absl::StatusOr<Socket> Accept(const Socket& listener,
                              SockFlags flags = SockFlags::kNone);

// Returns the remote address and port of a connection. Returns nullopt if the
// socket is not connected, still connecting, listening, reset or closed, or if
// it is not an IP socket. The address is still available after the peer's FIN.
// An IPv4 peer of an IPv6 socket has a v4-mapped address. Socket::PeerAddr()
// returns the errno, too.
//
// Calls getpeername(2). Does not block.
std::optional<ip::Endpoint> PeerAddr(const Socket& socket);

}  // namespace net::tcp

#endif  // TCP_TCP_H_
