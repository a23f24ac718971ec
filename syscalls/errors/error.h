#ifndef SYSCALLS_ERRORS_ERROR_H_
#define SYSCALLS_ERRORS_ERROR_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

namespace net {

// Makes an absl::Status from an errno, and reads the errno back. No other code
// of this project makes such a Status.
//
// They are in syscalls/ and not in tcp/, because the fakes, the loopback
// harness and the matchers report errnos, too, and must not depend on tcp/.

// Returns the error of an operation that failed with the errno `error`.
// Requires `error` > 0. `operation` is a lower-case verb such as "listen". The
// code is that of absl::ErrnoToStatusCode(). The message has the operation, the
// endpoint if given, the errno's symbol and text, and for some errors a remedy
// in parentheses:
//
//   listen [::1]:80: EACCES: Permission denied (ports below
//   net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE)
//
// The message is for people and may change. Programs use ErrnoOf() and
// KindOf().
absl::Status ErrnoError(int error, absl::string_view operation);
absl::Status ErrnoError(int error, absl::string_view operation,
                        const ip::Endpoint& endpoint);

// Returns the errno inside a status. Returns 0 if the status is OK, or if
// ErrnoError() did not make it.
int ErrnoOf(const absl::Status& status);
template <typename T>
int ErrnoOf(const absl::StatusOr<T>& result) {
  return ErrnoOf(result.status());
}
inline int ErrnoOf(SysResult result) { return result.error(); }

// Returns the kind of an error. Returns nullopt for OK, and kOpaque for an
// error that ErrnoError() did not make.
std::optional<ErrorKind> KindOf(const absl::Status& status);
template <typename T>
std::optional<ErrorKind> KindOf(const absl::StatusOr<T>& result) {
  return KindOf(result.status());
}
std::optional<ErrorKind> KindOf(SysResult result);

}  // namespace net

#endif  // SYSCALLS_ERRORS_ERROR_H_
