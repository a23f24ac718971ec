#ifndef SYSCALLS_NET_SOCKET_NAMES_H_
#define SYSCALLS_NET_SOCKET_NAMES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net {

// The two ends of the socket `fd` of `sys`, by getsockname(2) and
// getpeername(2), whose errnos they report; `operation` is what the message of
// an error calls it. EAFNOSUPPORT: not an IP socket. One system call each, and
// no allocation unless it fails.
absl::StatusOr<ip::Endpoint> LocalEndpoint(
    Syscalls& sys, int fd, absl::string_view operation = "getsockname");
absl::StatusOr<ip::Endpoint> PeerEndpoint(
    Syscalls& sys, int fd, absl::string_view operation = "getpeername");

}  // namespace net

#endif  // SYSCALLS_NET_SOCKET_NAMES_H_
