// The parts of TcpSocket that return other things than data: control messages,
// the error queue and the saved SYN.

// clang-format off
#include <ctime>  // <linux/errqueue.h> needs timespec.

#include <linux/errqueue.h>
// clang-format on
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/control_messages.h"
#include "fakes/kernel/iovec_cursor.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/tcp/message_state.h"
#include "fakes/kernel/tcp/saved_syn.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/zero_copy.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

constexpr Nanoseconds kMicrosecond = 1000;

timeval ToTimeval(Nanoseconds time) {
  return {.tv_sec = time / kSecond, .tv_usec = time % kSecond / kMicrosecond};
}

// Timestamping's message: the time in software, and two of hardware.
struct Stamps {
  timespec software = {};
  timespec unused[2] = {};
};

// SO_TIMESTAMP and SO_TIMESTAMPNS, and SO_TIMESTAMPING of what was received
// (tcp_recv_timestamp() in net/ipv4/tcp.c).
void PutStamps(const SocketOptions& options, Nanoseconds time,
               ControlWriter& out) {
  const bool is_new = options.timestamp_new();
  if (options.timestamp_ns()) {
    out.Put(SOL_SOCKET, is_new ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD,
            ToTimespec(time));
  } else if (options.timestamp()) {
    out.Put(SOL_SOCKET, is_new ? SO_TIMESTAMP_NEW : SO_TIMESTAMP_OLD,
            ToTimeval(time));
  }
  constexpr uint32_t kFiltered = 1U << 17;  // SOF_TIMESTAMPING_OPT_RX_FILTER
  const uint32_t flags = options.timestamping();
  const bool wants = (flags & SOF_TIMESTAMPING_RX_SOFTWARE) != 0;
  if ((flags & SOF_TIMESTAMPING_SOFTWARE) == 0) return;
  // Segments have a time if anybody has asked for it.
  if (!wants && (!options.timestamp() || (flags & kFiltered) != 0)) return;
  out.Put(SOL_SOCKET, is_new ? SO_TIMESTAMPING_NEW : SO_TIMESTAMPING_OLD,
          Stamps{.software = ToTimespec(time)});
}

// The messages of IP_RECVERR and IPV6_RECVERR: the error, and who caused it.
struct V4Error {
  sock_extended_err error = {};
  sockaddr_in offender = {};
};
struct V6Error {
  sock_extended_err error = {};
  sockaddr_in6 offender = {};
};

}  // namespace

MessageState& TcpSocket::Messages() {
  if (messages_ == nullptr) messages_ = std::make_unique<MessageState>();
  return *messages_;
}

void TcpSocket::NoteArrival(uint64_t begin) {
  // A sender that is gone keeps nothing.
  const uint64_t acknowledged =
      peer() == nullptr ? receive_.nxt() : peer()->send_.una();
  Messages().arrivals.Add(begin, receive_.nxt(), receive_.first_unread(),
                          acknowledged, kernel_.clock.now());
}

// The option may have been set after the data has arrived. Then the time is
// that of the last data.
Nanoseconds TcpSocket::ArrivalOf(uint64_t byte) const {
  const Nanoseconds last = ack_.last_data_at();
  return messages_ == nullptr ? last
                              : messages_->arrivals.Of(byte).value_or(last);
}

SysResult TcpSocket::RecvMsg(const Caller& caller,
                             absl::Span<const iovec> parts, int flags,
                             ControlWriter& control) {
  if ((flags & MSG_ERRQUEUE) != 0) return TakeNotification(&control);
  const bool peek = (flags & MSG_PEEK) != 0;
  const uint64_t offset = peek ? PeekOffset() : 0;
  const SysResult received = Recv(caller, parts, flags);
  if (!received.ok()) return received;
  const auto size = static_cast<uint64_t>(received.value());
  const bool has_data =
      size > 0 || (IovecCursor(parts).total() == 0 && receive_.ready() > 0);
  if (has_data) {
    // The first byte that this call could read.
    const uint64_t first = receive_.first_unread() - (peek ? 0 : size) + offset;
    const uint64_t last = size > 0 ? first + size - 1 : first;
    PutStamps(options_, kRealTimeAtStart + ArrivalOf(last), control);
  }
  if (options_.inq()) {
    // A FIN counts as a byte, and still does when it has been read.
    const int left =
        static_cast<int>(receive_.ready()) + (receive_.fin_received() ? 1 : 0);
    control.Put(IPPROTO_TCP, TCP_CM_INQ, left);
  }
  return received;
}

// --- MSG_ZEROCOPY

void TcpSocket::NoteZeroCopy() { Messages().zero_copy.Add(send_.written()); }

// Returns whether the error queue holds a notification.
bool TcpSocket::HasNotification() const {
  if (messages_ == nullptr) return false;
  messages_->zero_copy.Complete(send_.una());
  return messages_->zero_copy.ready();
}

SysResult TcpSocket::TakeNotification(ControlWriter* control) {
  if (!HasNotification()) return SysResult::Error(EAGAIN);
  const std::optional<ZeroCopySends::Range> range = messages_->zero_copy.Take();
  if (control == nullptr) return SysResult::Ok();
  // Over loopback Linux copies after all.
  const sock_extended_err error = {.ee_errno = 0,
                                   .ee_origin = SO_EE_ORIGIN_ZEROCOPY,
                                   .ee_type = 0,
                                   .ee_code = SO_EE_CODE_ZEROCOPY_COPIED,
                                   .ee_pad = 0,
                                   .ee_info = range->first,
                                   .ee_data = range->last};
  if (family_ == AF_INET) {
    control->Put(IPPROTO_IP, IP_RECVERR, V4Error{.error = error});
  } else {
    control->Put(IPPROTO_IPV6, IPV6_RECVERR, V6Error{.error = error});
  }
  control->AddFlags(MSG_ERRQUEUE);
  return SysResult::Ok();
}

// --- TCP_SAVED_SYN

void TcpSocket::SaveSyn(const TcpSocket& client, int saves) {
  if (saves == 0) return;
  constexpr int kFromTheLink = 2;
  syn_bytes_ = std::make_unique<std::vector<uint8_t>>(
      MakeSyn(client.tuple(), client.options_, sysctls(),
              static_cast<uint32_t>(client.cookie_),
              /*with_link_header=*/saves == kFromTheLink));
}

// The SYN can be read once. A buffer that is too small gets its length only.
SysResult TcpSocket::GetSavedSyn(void* value, socklen_t* size) {
  socklen_t room = 0;
  if (!CopyIn(&room, size, sizeof(room))) return SysResult::Error(EFAULT);
  if (static_cast<int>(room) < 0) return SysResult::Error(EINVAL);
  const bool saved = !opened_actively_ && syn_bytes_ != nullptr;
  const auto length = static_cast<socklen_t>(saved ? syn_bytes_->size() : 0);
  if (!CopyOut(size, &length, sizeof(length))) return SysResult::Error(EFAULT);
  if (room < length) return SysResult::Error(EINVAL);
  if (length == 0) return SysResult::Ok();
  if (!CopyOut(value, syn_bytes_->data(), length)) {
    return SysResult::Error(EFAULT);
  }
  syn_bytes_.reset();
  return SysResult::Ok();
}

}  // namespace net::fake
