#include "syscalls/errors/error_kind.h"

#include <array>
#include <cerrno>
#include <optional>
#include <ostream>

#include "absl/strings/string_view.h"

namespace net {
namespace {

// In the order of the enum; KindName() depends on it.
constexpr std::array<absl::string_view, 24> kNames = {
    "refused",
    "timeout",
    "again",
    "interrupted",
    "invalid",
    "no_access",
    "net_unreachable",
    "cancelled",
    "unsupported",
    "host_unreachable",
    "permission",
    "address_in_use",
    "address_not_available",
    "too_many_files",
    "no_resources",
    "connection_reset",
    "connection_aborted",
    "broken_pipe",
    "not_connected",
    "already_connected",
    "in_progress",
    "bad_descriptor",
    "not_a_socket",
    "opaque",
};
static_assert(kNames.size() == static_cast<size_t>(ErrorKind::kOpaque) + 1);

}  // namespace

ErrorKind KindOfErrno(int error) {
  switch (error) {
    case ECONNREFUSED:
      return ErrorKind::kRefused;
    case ETIMEDOUT:
      return ErrorKind::kTimeout;
    case EAGAIN:
      static_assert(EWOULDBLOCK == EAGAIN);
      return ErrorKind::kAgain;
    case EINTR:
      return ErrorKind::kInterrupted;
    case EINVAL:
    case EFAULT:
    case EDOM:
      return ErrorKind::kInvalid;
    case EACCES:
      return ErrorKind::kNoAccess;
    case ENETUNREACH:
    case ENETDOWN:
      return ErrorKind::kNetUnreachable;
    case ECANCELED:
      return ErrorKind::kCancelled;
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
    case ENOPROTOOPT:
    case EPROTOTYPE:
    case ENOSYS:
      return ErrorKind::kUnsupported;
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENONET:
      return ErrorKind::kHostUnreachable;
    case EPERM:
      return ErrorKind::kPermission;
    case EADDRINUSE:
      return ErrorKind::kAddressInUse;
    case EADDRNOTAVAIL:
      return ErrorKind::kAddressNotAvailable;
    case EMFILE:
    case ENFILE:
      return ErrorKind::kTooManyFiles;
    case ENOBUFS:
    case ENOMEM:
    case ENOSR:
      return ErrorKind::kNoResources;
    case ECONNRESET:
      return ErrorKind::kConnectionReset;
    case ECONNABORTED:
      return ErrorKind::kConnectionAborted;
    case EPIPE:
      return ErrorKind::kBrokenPipe;
    case ENOTCONN:
      return ErrorKind::kNotConnected;
    case EISCONN:
      return ErrorKind::kAlreadyConnected;
    case EINPROGRESS:
    case EALREADY:
      return ErrorKind::kInProgress;
    case EBADF:
      return ErrorKind::kBadDescriptor;
    case ENOTSOCK:
      return ErrorKind::kNotASocket;
    default:
      return ErrorKind::kOpaque;
  }
}

absl::string_view KindName(ErrorKind kind) {
  return kNames.at(static_cast<size_t>(kind));
}

std::optional<ErrorKind> KindFromName(absl::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == name) return static_cast<ErrorKind>(i);
  }
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& os, ErrorKind kind) {
  return os << KindName(kind);
}

}  // namespace net
