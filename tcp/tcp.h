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

// TCP for Linux: listen, connect, accept, and who is at the other end.
//
//   uint16_t port;
//   absl::StatusOr<net::Socket> listener = net::tcp::Listen(
//       net::ip::kLocalV6, 0, {net::tcp::PortAssignment{&port}});
//   absl::StatusOr<net::Socket> client =
//       net::tcp::Connect(net::ip::kLocalV6, port);
//   absl::StatusOr<net::Socket> server = net::tcp::Accept(*listener);
//
// Common to all:
//  * The kernel is reached through the Syscalls that is passed, and only
//    through it; it must outlive the Sockets. Listen and Connect make exactly
//    the system calls that their options need; nothing allocates memory when
//    it succeeds.
//  * A failure leaves nothing behind: the descriptor is closed, nothing stays
//    bound, listening or connecting, out-parameters are untouched, and the
//    error is that of the first call that failed, never that of the clean-up.
//  * Errors are absl::Status with the errno inside (syscalls/errors/error.h).
//  * All functions may be called from any thread, concurrently.
//
// SockFlags with unknown bits: EINVAL, before any system call.

namespace net::tcp {

// Listens for connections to `addr` and `port`; port 0: the system picks one,
// and PortAssignment tells which. An IPv6 wildcard listener (ip::kAnyV6) also
// takes IPv4 connections, with v4-mapped addresses, unless
// net.ipv6.bindv6only is set.
//
// Calls, in this order: socket(2), setsockopt(2) for each option, bind(2),
// listen(2), and with PortAssignment getsockname(2). Does not block.
//
// EADDRINUSE: the port is taken, or every ephemeral port is. EADDRNOTAVAIL: the
// address is not this machine's. EACCES: a port below
// net.ipv4.ip_unprivileged_port_start, without CAP_NET_BIND_SERVICE. EMFILE,
// ENFILE: out of descriptors. EAFNOSUPPORT: the kernel has no IPv6. EINVAL: a
// PortAssignment is null, or flags are unknown. ENOBUFS, ENOMEM, EPERM: as in
// the man pages.
absl::StatusOr<Socket> Listen(ip::Addr addr, uint16_t port,
                              absl::Span<const ListenOption> options = {},
                              Syscalls& sys = DefaultSyscalls());

// Connects to `addr` and `port`, and blocks until the connection is
// established or has failed, for as long as the kernel tries (about two
// minutes, net.ipv4.tcp_syn_retries). A signal does not end that: the attempt
// goes on in the kernel, and its outcome is waited for.
//
// With SockFlags::kNonblock it does not wait: success means that the attempt is
// under way; poll(2) tells when it has ended, by POLLOUT, and
// Socket::PendingError() how.
//
// Calls, in this order: socket(2), setsockopt(2) for each option, connect(2);
// after an EINTR, poll(2) until writable and getsockopt(2) for SO_ERROR.
//
// ECONNREFUSED: nothing listens there. ETIMEDOUT: no answer. ENETUNREACH,
// EHOSTUNREACH: no way there. EADDRNOTAVAIL: no local port or address is left
// for it. EACCES, EPERM: forbidden by a route or a firewall rule. ECONNRESET:
// the peer gave up while connecting. EMFILE, ENFILE: out of descriptors.
// EAFNOSUPPORT: the kernel has no IPv6. EINPROGRESS, EALREADY, EISCONN: a
// kernel that says so on a fresh blocking socket is reported, not trusted.
// EINVAL, EADDRINUSE, EAGAIN, ENOBUFS, ENOMEM: as in the man pages.
absl::StatusOr<Socket> Connect(ip::Addr addr, uint16_t port,
                               absl::Span<const ConnectOption> options = {},
                               Syscalls& sys = DefaultSyscalls());

// Takes the next connection of `listener`, in the order in which they were
// established, and blocks until there is one. The new socket uses the
// listener's Syscalls; its flags are `flags`, nothing is inherited of the
// listener's: a non-blocking listener accepts blocking sockets.
//
// EINTR, and ECONNABORTED of a connection that was gone before it was taken,
// are retried without bound. To end a blocked Accept, call
// listener.Shutdown(SHUT_RD) in another thread.
//
// Calls accept4(2), as often as that takes.
//
// EAGAIN: the listener is non-blocking, or has SO_RCVTIMEO, and nothing is
// there. EINVAL: it does not listen, or was shut down; or flags are unknown.
// EBADF: it is closed. ENOTSOCK, EOPNOTSUPP: it is not a TCP socket. EMFILE,
// ENFILE, ENOBUFS, ENOMEM: out of resources; the connection stays queued.
// EPERM, EPROTO and pending network errors of the new socket (ENETDOWN,
// EHOSTUNREACH...): as in accept(2).
absl::StatusOr<Socket> Accept(const Socket& listener,
                              SockFlags flags = SockFlags::kNone);

// The remote end of a connection; nullopt if there is none: not connected, not
// yet connected, listening, reset, closed, not a socket, not an IP socket.
// After the peer's FIN the address is still there; an IPv4 peer of an IPv6
// socket is v4-mapped. Socket::PeerAddr() tells the errno.
//
// Calls getpeername(2). Does not block.
std::optional<ip::Endpoint> PeerAddr(const Socket& socket);

}  // namespace net::tcp

#endif  // TCP_TCP_H_
