#include "syscalls/net/socket_names.h"

#include <cerrno>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

absl::StatusOr<ip::Endpoint> ToEndpoint(SysResult result,
                                        const ip::SockAddr& address,
                                        absl::string_view operation) {
  if (!result.ok()) return ErrnoError(result.error(), operation);
  const std::optional<ip::Endpoint> endpoint = address.ToEndpoint();
  if (!endpoint.has_value()) return ErrnoError(EAFNOSUPPORT, operation);
  return *endpoint;
}

}  // namespace

absl::StatusOr<ip::Endpoint> LocalEndpoint(Syscalls& sys, int fd,
                                           absl::string_view operation) {
  ip::SockAddr address;
  const SysResult result =
      sys.GetSockName(fd, address.get(), address.size_ptr());
  return ToEndpoint(result, address, operation);
}

absl::StatusOr<ip::Endpoint> PeerEndpoint(Syscalls& sys, int fd,
                                          absl::string_view operation) {
  ip::SockAddr address;
  const SysResult result =
      sys.GetPeerName(fd, address.get(), address.size_ptr());
  return ToEndpoint(result, address, operation);
}

}  // namespace net
