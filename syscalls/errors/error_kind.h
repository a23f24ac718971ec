#ifndef SYSCALLS_ERRORS_ERROR_KIND_H_
#define SYSCALLS_ERRORS_ERROR_KIND_H_

#include <optional>
#include <ostream>

#include "absl/strings/string_view.h"
#include "syscalls/require_cxx20.h"

namespace net {

// The kind of an error, coarse enough for socket layers that hide the errno.
// The first nine names are those of Hare's `errors` module. The others name the
// remaining failures that users of TCP meet.
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
  kOpaque,               // Every other errno.
};

// Returns the kind of an errno. Every number has a kind: kOpaque if it is not
// in the table above.
ErrorKind KindOfErrno(int error);

// Returns the kind's name in reports and in the drivers' protocol: "refused",
// "address_in_use".
absl::string_view KindName(ErrorKind kind);

// Returns the kind with the given name, or nullopt if there is none.
std::optional<ErrorKind> KindFromName(absl::string_view name);

std::ostream& operator<<(std::ostream& os, ErrorKind kind);

}  // namespace net

#endif  // SYSCALLS_ERRORS_ERROR_KIND_H_
