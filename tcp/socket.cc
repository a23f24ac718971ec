#include "tcp/socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <ostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/socket_names.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

Socket::Socket(Socket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), sys_(other.sys_) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this == &other) return *this;
  if (is_open()) static_cast<void>(sys_->Close(fd_));
  fd_ = std::exchange(other.fd_, -1);
  sys_ = other.sys_;
  return *this;
}

Socket::~Socket() {
  if (is_open()) static_cast<void>(sys_->Close(fd_));
}

absl::StatusOr<size_t> Socket::Send(absl::string_view data, int flags) const {
  const SysResult sent =
      sys_->Send(fd_, data.data(), data.size(), flags | MSG_NOSIGNAL);
  if (!sent.ok()) return ErrnoError(sent.error(), "send");
  return static_cast<size_t>(sent.value());
}

Socket::SendAllResult Socket::SendAll(absl::string_view data, int flags) const {
  SendAllResult result;
  while (result.sent < data.size()) {
    const absl::string_view rest = data.substr(result.sent);
    const SysResult sent =
        sys_->Send(fd_, rest.data(), rest.size(), flags | MSG_NOSIGNAL);
    if (sent.ok()) {
      result.sent += static_cast<size_t>(sent.value());
    } else if (sent.error() != EINTR) {
      result.status = ErrnoError(sent.error(), "send");
      break;
    }
  }
  return result;
}

absl::StatusOr<size_t> Socket::Recv(absl::Span<char> buffer, int flags) const {
  const SysResult received =
      sys_->Recv(fd_, buffer.data(), buffer.size(), flags);
  if (!received.ok()) return ErrnoError(received.error(), "recv");
  return static_cast<size_t>(received.value());
}

absl::Status Socket::Shutdown(int how) const {
  const SysResult result = sys_->Shutdown(fd_, how);
  if (!result.ok()) return ErrnoError(result.error(), "shutdown");
  return absl::OkStatus();
}

absl::StatusOr<ip::Endpoint> Socket::LocalAddr() const {
  return LocalEndpoint(*sys_, fd_, "local address");
}

absl::StatusOr<ip::Endpoint> Socket::PeerAddr() const {
  return PeerEndpoint(*sys_, fd_, "peer address");
}

absl::Status Socket::PendingError() const {
  int error = 0;
  socklen_t size = sizeof(error);
  const SysResult result =
      sys_->GetSockOpt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (!result.ok()) return ErrnoError(result.error(), "pending error");
  if (error != 0) return ErrnoError(error, "pending error");
  return absl::OkStatus();
}

absl::Status Socket::Close() {
  const SysResult result = sys_->Close(std::exchange(fd_, -1));
  if (!result.ok()) return ErrnoError(result.error(), "close");
  return absl::OkStatus();
}

int Socket::Release() { return std::exchange(fd_, -1); }

std::ostream& operator<<(std::ostream& os, const Socket& socket) {
  if (!socket.is_open()) return os << "closed socket";
  return os << "socket " << socket.fd();
}

std::ostream& operator<<(std::ostream& os,
                         const Socket::SendAllResult& result) {
  if (result.ok()) return os << "OK: " << result.sent << " bytes sent";
  return os << result.status << " (after " << result.sent << " bytes)";
}

}  // namespace net
