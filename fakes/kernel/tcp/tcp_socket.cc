#include "fakes/kernel/tcp/tcp_socket.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/raw_address.h"
#include "fakes/kernel/tcp/socket_pool.h"
#include "fakes/kernel/tcp/tcp_data_path.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

constexpr uint32_t kLoopbackMtu = 65536;
// IP_MAX_MTU of Linux.
constexpr uint32_t kLargestV4Packet = 65535;
// The MTU without the headers and the timestamps.
constexpr uint32_t kAdvertisedMssV4 = 65483;
constexpr uint32_t kAdvertisedMssV6 = 65464;

bool ChangesSendRoom(int level, int name) {
  if (level == IPPROTO_TCP) return name == TCP_NOTSENT_LOWAT;
  return level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_SNDBUFFORCE);
}

}  // namespace

TcpSocket::TcpSocket(Kernel& kernel, Host& host, int family, uid_t uid)
    : TcpSocket(kernel, host, family, uid, /*listener=*/nullptr,
                /*over_ipv6=*/false) {}

// The options are made in their place. Moving them would take half as long as
// the rest.
TcpSocket::TcpSocket(Kernel& kernel, Host& host, int family, uid_t uid,
                     const TcpSocket* listener, bool over_ipv6)
    : Socket(/*is_tcp=*/true),
      kernel_(kernel),
      host_(host),
      options_(listener == nullptr
                   ? SocketOptions(family, host.machine.sysctls())
                   : listener->options_.ForAccepted(over_ipv6)),
      next_socket_(kernel.first_socket),
      cookie_(++kernel.last_cookie),
      family_(family),
      uid_(uid),
      local_addr_(family == AF_INET ? ip::kAnyV4 : ip::kAnyV6),
      timers_(kernel.clock, kernel.network.timers(), *this) {
  if (next_socket_ != nullptr) next_socket_->previous_socket_ = this;
  kernel.first_socket = this;
}

TcpSocket::~TcpSocket() {
  if constexpr (kChecksInvariants) {
    if (kernel_.observer != nullptr) {
      kernel_.observer->OnFree(*this, next_socket_);
    }
  }
  if (next_socket_ != nullptr)
    next_socket_->previous_socket_ = previous_socket_;
  if (previous_socket_ != nullptr)
    previous_socket_->next_socket_ = next_socket_;
  if (kernel_.first_socket == this) kernel_.first_socket = next_socket_;
}

void TcpSocket::operator delete(TcpSocket* socket, std::destroying_delete_t) {
  SocketPool& pool = socket->kernel_.sockets;
  socket->~TcpSocket();
  pool.Give(socket);
}

void TcpSocket::SetState(TcpState state) {
  state_ = state;
  if (state != TcpState::kClosed) return;
  fast_open_ = false;
  deferred_connect_ = false;
  if (messages_ != nullptr) messages_->zero_copy.CompleteAll();
  timers_.ClearAll();
  host_.connections.Remove(*this);
  Unlink();
  if (!port_locked_) host_.ports.Release(*this);
}

void TcpSocket::Done() {
  SetState(TcpState::kClosed);
  shut_down_ = kBoth;
  waiters().WakeAll();
  if (orphaned()) Die();
}

void TcpSocket::Forget() {
  if (half_open()) return DropHalfOpen();
  error_ = ECONNRESET;
  receive_.Cut(kernel_.chunks);
  Done();
}

void TcpSocket::Die() {
  if (dead_) return;
  dead_ = true;
  receive_.Reset(kernel_.chunks);
  timers_.ClearAll();
  Unlink();
  host_.connections.Remove(*this);
  host_.ports.Release(*this);
  queue_next_ = std::exchange(kernel_.first_dead, this);
}

PortClaim TcpSocket::claim() const {
  return {.addr = local_addr_,
          .v6only = options_.v6only(),
          .reuse_addr = options_.reuse_addr(),
          .reuse_port = options_.reuse_port(),
          .uid = uid_,
          .listening = state_ == TcpState::kListen,
          .time_wait = false};
}

int TcpSocket::TakeError() { return std::exchange(error_, 0); }

PortTable::Range TcpSocket::EphemeralPorts() const {
  PortTable::Range range = sysctls().ip_local_port_range;
  const auto contains = [&range](uint16_t port) {
    return range.first <= port && port <= range.last;
  };
  // A bound outside of the sysctl's range is ignored (Linux:
  // inet_sk_get_local_port_range() in net/ipv4/inet_connection_sock.c).
  if (const auto own = options_.local_port_range()) {
    if (contains(own->first)) range.first = own->first;
    if (contains(own->last)) range.last = own->last;
  }
  return range;
}

TcpInfoSource TcpSocket::info_source() const {
  TcpInfoSource source;
  source.queued = static_cast<uint32_t>(queued_);
  source.backlog = static_cast<uint32_t>(backlog_);
  source.local_port = local_port_;
  source.v4_mapped = local_addr_.is_v4_mapped();
  source.cookie = cookie_;
  source.read_memory = static_cast<uint32_t>(receive_.ready());
  if (remote_.port != 0) {
    const RawAddress peer = ToRawAddress(remote_, family_);
    std::memcpy(&source.peer, &peer.storage, static_cast<size_t>(peer.size));
    source.peer_size = static_cast<socklen_t>(peer.size);
    const bool v6 = tuple().local.addr.is_v6();
    source.mss = send_.mss();
    source.path_mtu = v6 ? kLoopbackMtu : kLargestV4Packet;
    source.advmss = v6 ? kAdvertisedMssV6 : kAdvertisedMssV4;
    source.rcv_wnd = announced_window();
  }
  AddConnectionInfo(source);
  return source;
}

void TcpSocket::AddConnectionInfo(TcpInfoSource& source) const {
  const auto micros = [](Nanoseconds span) {
    return static_cast<uint32_t>(span / 1000);
  };
  const auto millis_since = [this](Nanoseconds when) {
    return static_cast<uint32_t>((kernel_.clock.now() - when) / 1000000);
  };
  source.retransmits = static_cast<uint8_t>(retransmits_);
  source.probes = static_cast<uint8_t>(probes_);
  source.backoff = static_cast<uint8_t>(
      state_ == TcpState::kSynSent
          ? std::max(0, retransmits_ - sysctls().tcp_syn_linear_timeouts)
          : send_.rto().doublings());
  source.rto = micros(Timeout());
  source.rtt = micros(std::max<Nanoseconds>(send_.rto().srtt(), 0));
  source.rttvar = micros(send_.rto().deviation());
  source.ato = micros(ack_.ato());
  source.rcv_mss = ack_.segment();
  source.segs_in = segs_in_;
  source.segs_out = segs_out_;
  source.data_segs_in = data_segs_in_;
  source.data_segs_out = data_segs_out_;
  source.total_retrans = total_retrans_;
  // tcp_enter_loss() of Linux. (The window of the connection is another.)
  source.congestion_window = state_ == TcpState::kSynSent && retransmits_ > 0
                                 ? 1
                                 : loss().window.size();
  if (state_ != TcpState::kClosed) {
    source.unacked = SegmentsBefore(send_.max());
    if (state_ == TcpState::kSynSent) {
      source.lost = source.retrans = retransmits_ > 0 ? 1 : 0;
    } else if (IsRecovering() && loss().by_timeout) {
      source.lost =
          SegmentsBefore(loss().recovery_end) - SelectedBefore(send_.max());
      source.retrans =
          SegmentsBefore(send_.nxt()) - SelectedBefore(send_.nxt());
    }
    source.selected = SelectedBefore(send_.max());
  }
  source.bytes_sent = send_.max() - std::min<uint64_t>(send_.max(), 1);
  source.bytes_sent_again = loss().bytes_sent_again;
  // The SYN counts, the SYN-ACK does not.
  source.bytes_acked = opened_actively_
                           ? send_.una()
                           : send_.una() - std::min<uint64_t>(send_.una(), 1);
  source.bytes_received =
      receive_.nxt() - std::min<uint64_t>(receive_.nxt(), 1);
  source.notsent_bytes = static_cast<uint32_t>(UnsentBytes());
  source.write_memory = source.notsent_bytes;
  source.snd_wnd = static_cast<uint32_t>(send_.window());
  source.last_data_sent = millis_since(data_sent_at_);
  source.last_data_recv = millis_since(ack_.last_data_at());
  source.last_ack_recv = millis_since(heard_at_);
}

SysResult TcpSocket::Name(RawAddress& name) const {
  name = ToRawAddress({local_addr_, local_port_}, family_);
  return SysResult::Ok();
}

RawAddress TcpSocket::remote_name() const {
  return ToRawAddress(remote_, family_);
}

SysResult TcpSocket::PeerName(RawAddress& name) const {
  const bool connected =
      state_ != TcpState::kSynSent && state_ != TcpState::kClosed;
  if (remote_.port == 0 || !connected) return SysResult::Error(ENOTCONN);
  name = remote_name();
  return SysResult::Ok();
}

SysResult TcpSocket::SetOption(const Caller& caller, int level, int name,
                               const void* value, socklen_t size) {
  caller_is_admin_ = caller.net_admin;
  const bool kept_alive = options_.keep_alive();
  const SysResult result = options_.Set(*this, level, name, value, size);
  if (!result.ok()) return result;
  OnKeepaliveOption(level, name, kept_alive);
  if (level == IPPROTO_TCP && connected()) {
    if (name == TCP_CORK && !options_.cork()) PushPending();
    if (name == TCP_NODELAY && options_.nodelay()) Push(SendSide::Hold::kNone);
  }
  if (level == IPPROTO_TCP && name == TCP_QUICKACK) {
    int set = 0;
    if (CopyIn(&set, value, sizeof(set))) SetQuickAck(set);
  }
  // A blocked call may go on with the new size. No segment announces a larger
  // SO_RCVBUF; the next acknowledgement does.
  if (ChangesSendRoom(level, name)) WakeIfWritable();
  if (level == SOL_SOCKET && name == SO_RCVLOWAT) WakeIfReadable();
  kernel_.network.Deliver();
  return result;
}

SysResult TcpSocket::GetOption(const Caller& caller, int level, int name,
                               void* value, socklen_t* size) {
  caller_is_admin_ = caller.net_admin;
  if (level == IPPROTO_TCP && name == TCP_SAVED_SYN) {
    return GetSavedSyn(value, size);
  }
  if (level == IPPROTO_TCP && name == TCP_QUICKACK) {
    options_.set_quick_ack(ack_.quick_option());
  }
  return options_.Get(*this, level, name, value, size);
}

// __tcp_sock_set_quickack() of Linux (net/ipv4/tcp.c). What the program has
// not read is not acknowledged immediately, unless it is more than a segment.
void TcpSocket::SetQuickAck(int value) {
  ack_.SetQuick(value != 0);
  const bool is_open =
      state_ == TcpState::kEstablished || state_ == TcpState::kCloseWait;
  if (value == 0 || !is_open || !ack_.owed()) return;
  ack_.Push();
  AfterRead(/*took=*/true);
  // Other even numbers switch it on for this acknowledgement only.
  if (value % 2 == 0) ack_.SetQuick(false);
}

int16_t TcpSocket::PollEvents() {
  constexpr int16_t kReadable = POLLIN | POLLRDNORM;
  constexpr int16_t kWritable = POLLOUT | POLLWRNORM;
  if (state_ == TcpState::kListen) return queued_ > 0 ? kReadable : int16_t{0};
  int events = 0;
  if (shut_down_ == kBoth || state_ == TcpState::kClosed) events |= POLLHUP;
  if ((shut_down_ & kReceive) != 0) events |= kReadable | POLLRDHUP;
  if (state_ != TcpState::kSynSent && state_ != TcpState::kSynReceived) {
    if (receive_.ready() >= LowWaterMark(Window(), /*all=*/false)) {
      events |= kReadable;
    }
    if ((shut_down_ & kSend) != 0 || Writable()) {
      events |= kWritable;
    } else {
      lacks_send_room_ = true;
    }
  }
  if (deferred_connect_) events |= kWritable;
  if (error_ != 0 || HasNotification()) events |= POLLERR;
  return static_cast<int16_t>(events);
}

SysResult TcpSocket::Ioctl(uint64_t request, int* value) {
  const bool listening = state_ == TcpState::kListen;
  switch (request) {
    case FIONREAD:
      if (listening) return SysResult::Error(EINVAL);
      *value = static_cast<int>(receive_.ready());
      return SysResult::Ok();
    case SIOCOUTQ:
    case SIOCOUTQNSD:
      if (listening) return SysResult::Error(EINVAL);
      *value = connected() ? static_cast<int>(request == SIOCOUTQ
                                                  ? send_.Unacknowledged()
                                                  : send_.Unsent())
                           : 0;
      return SysResult::Ok();
    case SIOCATMARK:
      *value = 0;
      return SysResult::Ok();
    default:
      return SysResult::Error(ENOTTY);
  }
}

// Both ends of a connection have the same pair of ports. Two connections may
// share an object: then ThreadSanitizer sees an order that is none.
const void* TcpSocket::SharedObject() const {
  static char objects[4096];
  const auto low = static_cast<unsigned>(std::min(local_port_, remote_.port));
  const auto high = static_cast<unsigned>(std::max(local_port_, remote_.port));
  return &objects[(low * 31 + high) % sizeof(objects)];
}

std::string TcpSocket::Describe() const {
  std::string text = absl::StrCat(
      "TCP socket ", ip::Endpoint{local_addr_, local_port_}.ToString());
  if (remote_.port != 0) absl::StrAppend(&text, " -> ", remote_.ToString());
  return absl::StrCat(text, ", ", TcpStateName(state_));
}

}  // namespace net::fake
