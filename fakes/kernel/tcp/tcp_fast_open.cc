// TCP Fast Open (RFC 7413): data in the SYN.

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "fakes/kernel/iovec_cursor.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/raw_address.h"
#include "fakes/kernel/tcp/send_side.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// Bits of net.ipv4.tcp_fastopen (Documentation/networking/ip-sysctl.rst).
constexpr int kClient = 1;
constexpr int kServer = 2;
constexpr int kClientWithoutCookie = 4;
constexpr int kAllListeners = 0x400;

// The most data in a SYN, in bytes.
constexpr size_t kMostInSyn = kFirstMss;

using Parts = absl::InlinedVector<iovec, 4>;

Parts FirstBytes(absl::Span<const iovec> parts, size_t most) {
  Parts first;
  for (iovec part : parts) {
    part.iov_len = std::min(part.iov_len, most);
    most -= part.iov_len;
    first.push_back(part);
  }
  return first;
}

Parts WithoutFirstBytes(absl::Span<const iovec> parts, size_t size) {
  Parts rest;
  for (iovec part : parts) {
    const size_t dropped = std::min(part.iov_len, size);
    part.iov_base = static_cast<char*>(part.iov_base) + dropped;
    part.iov_len -= dropped;
    size -= dropped;
    rest.push_back(part);
  }
  return rest;
}

}  // namespace

bool TcpSocket::HasFastOpenCookie() const {
  return options_.fast_open_no_cookie() ||
         (sysctls().tcp_fastopen & kClientWithoutCookie) != 0 ||
         host_.machine.HasFastOpenCookie(remote_.addr.Unmapped());
}

// connect(2) sends no SYN before there is data for it.
bool TcpSocket::DefersConnect() const {
  return options_.fast_open_connect() && !fast_open_ && has_cookie_;
}

// A server gives its cookie to a client that asks for one.
void TcpSocket::GiveFastOpenCookie(TcpSocket& client) {
  const int enabled = sysctls().tcp_fastopen;
  const bool asks = client.fast_open_ || client.options_.fast_open_connect();
  const bool listens =
      options_.fast_open_queue() > 0 || (enabled & kAllListeners) != 0;
  if (!asks || !listens || (enabled & kServer) == 0) return;
  client.host_.machine.AddFastOpenCookie(client.tuple().remote.addr);
}

SysResult TcpSocket::SendTo(const Caller& caller, const RawAddress* address,
                            absl::Span<const iovec> parts, int flags) {
  return (flags & MSG_FASTOPEN) == 0
             ? Send(caller, parts, flags)
             : SendFastOpen(caller, address, parts, flags);
}

SysResult TcpSocket::SendFastOpen(const Caller& caller,
                                  const RawAddress* address,
                                  absl::Span<const iovec> parts, int flags) {
  const bool unspecified =
      address != nullptr &&
      address->size >= static_cast<int>(sizeof(sa_family_t)) &&
      FamilyOf(*address) == AF_UNSPEC;
  if ((sysctls().tcp_fastopen & kClient) == 0 || unspecified) {
    return SysResult::Error(EOPNOTSUPP);
  }
  if (deferred_connect_) return Send(caller, parts, flags);
  if (socket_state_ == SocketState::kConnecting) {
    const SysResult connected =
        WaitForConnect(caller, nonblocking_call(flags), EALREADY);
    return connected.ok() ? Send(caller, parts, flags) : connected;
  }
  const bool is_free =
      socket_state_ == SocketState::kUnconnected && state_ == TcpState::kClosed;
  if (!is_free) return SysResult::Error(EISCONN);
  if (address == nullptr ||
      address->size < static_cast<int>(sizeof(sa_family_t))) {
    return SysResult::Error(EINVAL);
  }
  fast_open_ = true;
  const SysResult started = StartConnect(*address);
  if (!started.ok()) return started;
  socket_state_ = SocketState::kConnecting;
  kernel_.network.Deliver();
  return SendWithSyn(caller, parts, flags);
}

SysResult TcpSocket::SendDeferred(const Caller& caller,
                                  absl::Span<const iovec> parts, int flags) {
  deferred_connect_ = false;
  head_sent_at_ = kernel_.clock.now();
  SendSyn();
  kernel_.network.Deliver();
  return SendWithSyn(caller, parts, flags);
}

// The SYN has been sent, and with a cookie the data in it.
SysResult TcpSocket::SendWithSyn(const Caller& caller,
                                 absl::Span<const iovec> parts, int flags) {
  const size_t size = std::min(IovecCursor(parts).total(), kMostInSyn);
  if (has_cookie_ && size > 0 && state_ == TcpState::kSynSent) {
    return SendWithLostSyn(caller, parts, size, flags);
  }
  if (!nonblocking_call(flags)) {
    const SysResult connected = WaitForAnswer(caller);
    return connected.ok() ? Send(caller, parts, flags) : connected;
  }
  if (size == 0 || !has_cookie_) return SysResult::Error(EINPROGRESS);
  // A reset does not take back what send(2) has returned.
  if (state_ == TcpState::kClosed) {
    return SysResult::Ok(static_cast<int64_t>(size));
  }
  return Send(caller, FirstBytes(parts, size), flags);
}

// The SYN and `size` bytes in it got no answer: they are lost, or on a link
// with a delay. The bytes follow the handshake (tcp_rcv_fastopen_synack() of
// Linux).
SysResult TcpSocket::SendWithLostSyn(const Caller& caller,
                                     absl::Span<const iovec> parts, size_t size,
                                     int flags) {
  auto bytes = std::make_unique<std::vector<uint8_t>>();
  IovecCursor cursor(parts);
  while (bytes->size() < size) {
    size_t length = 0;
    const char* const piece = cursor.Next(size - bytes->size(), &length);
    if (piece == nullptr) return SysResult::Error(EFAULT);
    bytes->insert(bytes->end(), piece, piece + length);
  }
  syn_bytes_ = std::move(bytes);
  const SysResult connected =
      WaitForConnect(caller, nonblocking_call(flags), EINPROGRESS);
  if (!connected.ok() && connected.error() != EINPROGRESS) return connected;
  const auto sent = static_cast<int64_t>(size);
  if (!connected.ok() || size == IovecCursor(parts).total()) {
    return SysResult::Ok(sent);
  }
  const SysResult rest = Send(caller, WithoutFirstBytes(parts, size), flags);
  return SysResult::Ok(rest.ok() ? sent + rest.value() : sent);
}

// The SYN-ACK has arrived.
void TcpSocket::SendSynData() {
  const std::unique_ptr<std::vector<uint8_t>> bytes = std::move(syn_bytes_);
  if (peer() != nullptr) {
    peer()->receive_.queue().Append(
        kernel_.chunks, reinterpret_cast<const char*>(bytes->data()),
        bytes->size());
  }
  send_.Write(bytes->size());
  Push(SendSide::Hold::kNone);
}

}  // namespace net::fake
