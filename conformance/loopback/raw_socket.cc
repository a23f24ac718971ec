#include "conformance/loopback/raw_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <ostream>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/socket_names.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::loopback {
namespace {

SysResult PollOne(Syscalls& sys, int fd, int16_t events, int timeout_ms) {
  pollfd entry = {.fd = fd, .events = events, .revents = 0};
  const SysResult result = sys.Poll(&entry, 1, timeout_ms);
  return result.ok() ? SysResult::Ok(entry.revents) : result;
}

}  // namespace

RawSocket::RawSocket(RawSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), sys_(other.sys_) {}

RawSocket& RawSocket::operator=(RawSocket&& other) noexcept {
  if (this == &other) return *this;
  if (is_open()) static_cast<void>(Close());
  fd_ = std::exchange(other.fd_, -1);
  sys_ = other.sys_;
  return *this;
}

RawSocket::~RawSocket() {
  if (is_open()) static_cast<void>(Close());
}

SysResult RawSocket::Send(absl::string_view data, int flags) const {
  return sys_->Send(fd_, data.data(), data.size(), flags | MSG_NOSIGNAL);
}

SysResult RawSocket::Recv(absl::Span<char> buffer, int flags) const {
  return sys_->Recv(fd_, buffer.data(), buffer.size(), flags);
}

SysResult RawSocket::Shutdown(int how) const {
  return sys_->Shutdown(fd_, how);
}

SysResult RawSocket::HalfClose() const { return Shutdown(SHUT_WR); }

SysResult RawSocket::Close() { return sys_->Close(std::exchange(fd_, -1)); }

SysResult RawSocket::Reset() {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  const SysResult set =
      sys_->SetSockOpt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  const SysResult closed = Close();
  return set.ok() ? closed : set;
}

int RawSocket::Release() { return std::exchange(fd_, -1); }

SysResult RawSocket::SetOption(int level, int name, int value) const {
  return sys_->SetSockOpt(fd_, level, name, &value, sizeof(value));
}

absl::StatusOr<int> RawSocket::Option(int level, int name) const {
  int value = 0;
  socklen_t size = sizeof(value);
  const SysResult result = sys_->GetSockOpt(fd_, level, name, &value, &size);
  if (!result.ok()) return ErrnoError(result.error(), "getsockopt");
  return value;
}

absl::StatusOr<int> RawSocket::PendingError() const {
  return Option(SOL_SOCKET, SO_ERROR);
}

absl::StatusOr<int> RawSocket::TcpState() const {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  const SysResult result =
      sys_->GetSockOpt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size);
  if (!result.ok()) return ErrnoError(result.error(), "getsockopt TCP_INFO");
  return info.tcpi_state;
}

SysResult RawSocket::Ready(int16_t events) const {
  return PollOne(*sys_, fd_, events, /*timeout_ms=*/0);
}

SysResult RawSocket::Wait(int16_t events) const {
  SysResult result;
  do {
    result = PollOne(*sys_, fd_, events, /*timeout_ms=*/-1);
  } while (result.error() == EINTR);
  return result;
}

absl::StatusOr<ip::Endpoint> RawSocket::LocalEndpoint() const {
  return net::LocalEndpoint(*sys_, fd_);
}

absl::StatusOr<ip::Endpoint> RawSocket::PeerEndpoint() const {
  return net::PeerEndpoint(*sys_, fd_);
}

std::ostream& operator<<(std::ostream& os, const RawSocket& socket) {
  if (!socket.is_open()) return os << "closed socket";
  return os << "socket " << socket.fd();
}

}  // namespace net::loopback
