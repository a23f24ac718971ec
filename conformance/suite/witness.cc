#include "conformance/suite/witness.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "absl/status/statusor.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/socket_names.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

absl::StatusOr<int> Witness::Option(int level, int name) const {
  int value = 0;
  socklen_t size = sizeof(value);
  const SysResult result = sys_->GetSockOpt(fd_, level, name, &value, &size);
  if (!result.ok()) return ErrnoError(result.error(), "witness: getsockopt");
  return value;
}

absl::StatusOr<bool> Witness::Nonblocking() const {
  const SysResult flags = sys_->Fcntl(fd_, F_GETFL, 0);
  if (!flags.ok()) return ErrnoError(flags.error(), "witness: F_GETFL");
  return (flags.value() & O_NONBLOCK) != 0;
}

absl::StatusOr<bool> Witness::CloseOnExec() const {
  const SysResult flags = sys_->Fcntl(fd_, F_GETFD, 0);
  if (!flags.ok()) return ErrnoError(flags.error(), "witness: F_GETFD");
  return (flags.value() & FD_CLOEXEC) != 0;
}

absl::StatusOr<Witness::TcpInfo> Witness::Info() const {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  const SysResult result =
      sys_->GetSockOpt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size);
  if (!result.ok()) return ErrnoError(result.error(), "witness: TCP_INFO");
  return TcpInfo{.state = info.tcpi_state,
                 .queued = info.tcpi_unacked,
                 .backlog = info.tcpi_sacked};
}

absl::StatusOr<ip::Endpoint> Witness::LocalEndpoint() const {
  return net::LocalEndpoint(*sys_, fd_, "witness: getsockname");
}

absl::StatusOr<ip::Endpoint> Witness::PeerEndpoint() const {
  return net::PeerEndpoint(*sys_, fd_, "witness: getpeername");
}

}  // namespace net::conformance
