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

// Errors are absl::Status values made from an errno, all of them here.
//
// They stand with the values that cross the seam and not in tcp/, because the
// fakes, the loopback harness and the matchers report errnos too and must not
// know tcp/.

// The error of `operation` (a lower-case verb, "listen") that failed with the
// errno `error` (> 0). The code is absl::ErrnoToStatusCode()'s; the message
// names the operation, the endpoint if there is one, the errno's symbol and
// text, and, where there is something to be done, what:
//
//   listen [::1]:80: EACCES: Permission denied (ports below
//   net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE)
//
// The message is for people: programs ask ErrnoOf() and KindOf().
absl::Status ErrnoError(int error, absl::string_view operation);
absl::Status ErrnoError(int error, absl::string_view operation,
                        const ip::Endpoint& endpoint);

// The errno that an error was made from; 0 if OK or not made by ErrnoError().
int ErrnoOf(const absl::Status& status);
template <typename T>
int ErrnoOf(const absl::StatusOr<T>& result) {
  return ErrnoOf(result.status());
}
inline int ErrnoOf(SysResult result) { return result.error(); }

// The kind of an error; kOpaque for an error not made by ErrnoError(),
// nullopt if OK.
std::optional<ErrorKind> KindOf(const absl::Status& status);
template <typename T>
std::optional<ErrorKind> KindOf(const absl::StatusOr<T>& result) {
  return KindOf(result.status());
}
std::optional<ErrorKind> KindOf(SysResult result);

}  // namespace net

#endif  // SYSCALLS_ERRORS_ERROR_H_
