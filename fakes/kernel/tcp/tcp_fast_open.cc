// TCP Fast Open (RFC 7413): data in the SYN.

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "fakes/kernel/iovec_cursor.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/raw_address.h"
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

absl::InlinedVector<iovec, 4> FirstBytes(absl::Span<const iovec> parts,
                                         size_t most) {
  absl::InlinedVector<iovec, 4> first;
  for (iovec part : parts) {
    part.iov_len = std::min(part.iov_len, most);
    most -= part.iov_len;
    first.push_back(part);
  }
  return first;
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
  if ((flags & MSG_FASTOPEN) == 0) return Send(caller, parts, flags);
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
  syn_sent_at_ = kernel_.clock.now();
  SendSyn();
  kernel_.network.Deliver();
  return SendWithSyn(caller, parts, flags);
}

// The SYN has been sent, and with a cookie the data in it.
SysResult TcpSocket::SendWithSyn(const Caller& caller,
                                 absl::Span<const iovec> parts, int flags) {
  if (!nonblocking_call(flags)) {
    const SysResult connected =
        WaitForConnect(caller, /*nonblocking=*/false, EINPROGRESS);
    return connected.ok() ? Send(caller, parts, flags) : connected;
  }
  const size_t size = std::min(IovecCursor(parts).total(), kMostInSyn);
  // Without an answer, the data is not kept for the next SYN here.
  if (size == 0 || !has_cookie_ || state_ == TcpState::kSynSent) {
    return SysResult::Error(EINPROGRESS);
  }
  // A reset does not take back what send(2) has returned.
  if (state_ == TcpState::kClosed) {
    return SysResult::Ok(static_cast<int64_t>(size));
  }
  return Send(caller, FirstBytes(parts, size), flags);
}

}  // namespace net::fake
