#ifndef SYSCALLS_NET_SOCKET_NAMES_H_
#define SYSCALLS_NET_SOCKET_NAMES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls_fwd.h"

namespace net {

// Return the local and the remote endpoint of the socket `fd` of `sys`. Make
// one getsockname(2) or getpeername(2). Allocate only on failure. The error's
// message names `operation`.
//
// Errors:
// - EAFNOSUPPORT: the socket is not an IP socket.
// - Any errno of getsockname(2) or getpeername(2), for example ENOTCONN.
absl::StatusOr<ip::Endpoint> LocalEndpoint(
    Syscalls& sys, int fd, absl::string_view operation = "getsockname");
absl::StatusOr<ip::Endpoint> PeerEndpoint(
    Syscalls& sys, int fd, absl::string_view operation = "getpeername");

}  // namespace net

#endif  // SYSCALLS_NET_SOCKET_NAMES_H_
