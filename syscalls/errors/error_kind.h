#ifndef SYSCALLS_ERRORS_ERROR_KIND_H_
#define SYSCALLS_ERRORS_ERROR_KIND_H_

#include <optional>
#include <ostream>

#include "absl/strings/string_view.h"
#include "syscalls/require_cxx20.h"

namespace net {

// What sort of failure an errno is, coarse enough to be told by socket layers
// that hide the errno. The first nine are the names of Hare's `errors` module;
// the others give a name to each failure that users of TCP meet.
enum class ErrorKind {
  kRefused,              // ECONNREFUSED
  kTimeout,              // ETIMEDOUT
  kAgain,                // EAGAIN, EWOULDBLOCK
  kInterrupted,          // EINTR
  kInvalid,              // EINVAL, EFAULT, EDOM
  kNoAccess,             // EACCES
  kNetUnreachable,       // ENETUNREACH, ENETDOWN
  kCancelled,            // ECANCELED
  kUnsupported,          // EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT,
                         // ESOCKTNOSUPPORT, ENOPROTOOPT, EPROTOTYPE, ENOSYS
  kHostUnreachable,      // EHOSTUNREACH, EHOSTDOWN, ENONET
  kPermission,           // EPERM
  kAddressInUse,         // EADDRINUSE
  kAddressNotAvailable,  // EADDRNOTAVAIL
  kTooManyFiles,         // EMFILE, ENFILE
  kNoResources,          // ENOBUFS, ENOMEM, ENOSR
  kConnectionReset,      // ECONNRESET
  kConnectionAborted,    // ECONNABORTED
  kBrokenPipe,           // EPIPE
  kNotConnected,         // ENOTCONN
  kAlreadyConnected,     // EISCONN
  kInProgress,           // EINPROGRESS, EALREADY
  kBadDescriptor,        // EBADF
  kNotASocket,           // ENOTSOCK
  kOpaque,               // every other errno
};

// The kind of an errno. Total: what is not in the table above is kOpaque.
ErrorKind KindOfErrno(int error);

// The kind's name in reports and on the wire: "refused", "address_in_use".
absl::string_view KindName(ErrorKind kind);

// The inverse of KindName(); nullopt if there is no such kind.
std::optional<ErrorKind> KindFromName(absl::string_view name);

std::ostream& operator<<(std::ostream& os, ErrorKind kind);

}  // namespace net

#endif  // SYSCALLS_ERRORS_ERROR_KIND_H_
