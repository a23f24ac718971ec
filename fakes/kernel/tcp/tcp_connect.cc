// The parts of TcpSocket that open a connection: connect(2).

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/raw_address.h"
#include "fakes/kernel/tcp/network.h"
#include "fakes/kernel/tcp/retransmission_timeout.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/send_side.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/time_wait.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

constexpr Nanoseconds kLongestTimeout = 120 * kSecond;

// The source of a connection over IPv4 from a socket that is bound to an IPv6
// address: Linux's LOOPBACK4_IPV6 (inet6_bind() in net/ipv6/af_inet6.c).
constexpr ip::Addr kV4OfBoundV6 = ip::Addr::V4(127, 0, 0, 6);

bool IsLinkLocal(const ip::Addr& addr) {
  return addr.is_v6() && addr.v6_bytes()[0] == 0xfe &&
         (addr.v6_bytes()[1] & 0xc0) == 0x80;
}

}  // namespace

SysResult TcpSocket::Connect(const Caller& caller, const RawAddress& address,
                             bool nonblocking) {
  if (address.size < static_cast<int>(sizeof(sa_family_t))) {
    return SysResult::Error(EINVAL);
  }
  if (FamilyOf(address) == AF_UNSPEC) {
    ++disconnects_;
    Disconnect();
    socket_state_ = SocketState::kUnconnected;
    kernel_.network.Deliver();
    return SysResult::Ok();
  }
  switch (socket_state_) {
    case SocketState::kDisconnecting:
      return SysResult::Error(EINVAL);
    case SocketState::kConnected:
      return SysResult::Error(EISCONN);
    case SocketState::kConnecting:
      return WaitForConnect(caller, nonblocking,
                            deferred_connect_ ? EISCONN : EALREADY);
    case SocketState::kUnconnected:
      break;
  }
  if (state_ != TcpState::kClosed) return SysResult::Error(EISCONN);
  const SysResult started = StartConnect(address);
  if (!started.ok()) return started;
  socket_state_ = SocketState::kConnecting;
  if (deferred_connect_) return SysResult::Ok();
  kernel_.network.Deliver();
  // Also where the other end has answered already: a connect(2) that does not
  // wait does not look.
  if (nonblocking) return SysResult::Error(EINPROGRESS);
  return WaitForAnswer(caller);
}

// Waits until the SYN that this call has sent is answered.
SysResult TcpSocket::WaitForAnswer(const Caller& caller) {
  const int disconnects = disconnects_;
  // Over loopback the answer is there before Linux would sleep, in
  // release_sock() of inet_wait_for_connect() (net/ipv4/af_inet.c). Before it
  // has the lock again and looks at the state, another thread can run: for
  // example one that the connection has woken in accept(2). If that closes the
  // listener, connect(2) fails with ECONNRESET.
  if (state_ != TcpState::kSynSent) kernel_.scheduler.MayBePreempted();
  return EndConnect(caller, /*nonblocking=*/false, EINPROGRESS, disconnects);
}

// Waits for a connection that an earlier call has begun.
SysResult TcpSocket::WaitForConnect(const Caller& caller, bool nonblocking,
                                    int pending) {
  return EndConnect(caller, nonblocking, pending, disconnects_);
}

// Ends a connect(2) that has begun, in this call or in an earlier one.
// `pending` is its errno if it does not end now. `disconnects` is the value of
// disconnects_ when the call began to wait.
SysResult TcpSocket::EndConnect(const Caller& caller, bool nonblocking,
                                int pending, int disconnects) {
  if (state_ == TcpState::kSynSent) {
    if (nonblocking) return SysResult::Error(pending);
    const Nanoseconds timeout = options_.sndtimeo().value_or(kForever);
    Wait wait(kernel_.scheduler, caller.site, kernel_.clock.After(timeout));
    wait.Add(waiters());
    while (state_ == TcpState::kSynSent) {
      const Woken woken = wait.Block();
      if (woken == Woken::kTimeout) return SysResult::Error(pending);
      if (woken == Woken::kRestart && timeout == kForever) continue;
      if (woken != Woken::kEvent) return SysResult::Error(ErrnoFor(woken));
    }
  }
  if (disconnects != disconnects_) return SysResult::Error(EPIPE);
  if (state_ != TcpState::kClosed) {
    socket_state_ = SocketState::kConnected;
    return SysResult::Ok();
  }
  const int error = TakeError();
  socket_state_ = SocketState::kUnconnected;
  ++disconnects_;
  Disconnect();
  return SysResult::Error(error != 0 ? error : ECONNABORTED);
}

int TcpSocket::ParseRemote(const RawAddress& address,
                           ip::Endpoint& remote) const {
  if (family_ == AF_INET) {
    if (address.size < kV4Size) return EINVAL;
    if (FamilyOf(address) != AF_INET) return EAFNOSUPPORT;
    remote = AsV4(address);
    return 0;
  }
  if (address.size < kV6Size) return EINVAL;
  if (FamilyOf(address) != AF_INET6) return EAFNOSUPPORT;
  remote = AsV6(address);
  // The wildcard means this machine.
  if (remote.addr == ip::kAnyV6) {
    remote.addr =
        local_addr_.is_v4_mapped() ? ip::kLocalV4.Mapped() : ip::kLocalV6;
  }
  if (IsLinkLocal(remote.addr) && remote.addr.scope() == 0) return EINVAL;
  if (remote.addr.is_v4_mapped()) {
    if (options_.v6only()) return ENETUNREACH;
    remote.addr = remote.addr.Unmapped();
  }
  return 0;
}

SysResult TcpSocket::StartConnect(const RawAddress& address) {
  ip::Endpoint remote;
  int error = ParseRemote(address, remote);
  if (error != 0) return SysResult::Error(error);
  if (has_no_interface()) {
    return SysResult::Error(family_ == AF_INET ? ENODEV : ENETUNREACH);
  }
  // Forgets an earlier connection over IPv4, even if this connect(2) fails.
  const bool by_ipv4 = family_ == AF_INET6 && remote.addr.is_v4();
  if (by_ipv4) spoke_ipv4_ = false;
  ip::Addr local = local_addr_.Unmapped();
  if (by_ipv4 && local.is_v6() && local != ip::kAnyV6) local = kV4OfBoundV6;
  if (remote.addr == ip::kAnyV4) {
    // This machine, by the address that the socket is bound to, unless that is
    // one that nothing is sent from: a broadcast.
    remote.addr =
        local.is_v4() && host_.machine.IsLocal(local) ? local : ip::kLocalV4;
  } else {
    error = kernel_.network.RouteError(host_, remote.addr);
    const bool may_send = options_.bound_interface() == 1 &&
                          host_.machine.IsAssumedOnLink(remote.addr);
    if (error != 0 && !may_send) return SysResult::Error(error);
  }
  if (local_addr_.is_v4_mapped() && remote.addr.is_v6()) {
    return SysResult::Error(EAFNOSUPPORT);
  }
  const bool any = local == ip::kAnyV4 || local == ip::kAnyV6;
  // A foreign address, by IP_FREEBIND: nothing is sent from there by IPv4.
  if (!any && local.is_v4() && !host_.machine.CanBind(local)) {
    return SysResult::Error(ENETUNREACH);
  }
  if (any || (local.is_v4() && !host_.machine.IsLocal(local))) {
    local = Network::SourceFor(host_, remote.addr);
  }
  local_addr_ = family_ == AF_INET6 ? local.Mapped() : local;
  remote_ = {family_ == AF_INET6 ? remote.addr.Mapped() : remote.addr,
             remote.port};
  state_ = TcpState::kSynSent;
  FourTuple tuple = {{local, port()}, remote};
  if (tuple.local.port != 0) {
    if (!MakeUnique(tuple, /*port_is_chosen=*/false)) {
      return SysResult::Error(FailConnect(EADDRNOTAVAIL));
    }
  } else {
    const auto unique = [&](uint16_t port) {
      tuple.local.port = port;
      return MakeUnique(tuple, /*port_is_chosen=*/true);
    };
    if (!host_.ports.ClaimForConnect(*this, EphemeralPorts(), unique)) {
      return SysResult::Error(FailConnect(EADDRNOTAVAIL));
    }
  }
  local_port_ = tuple.local.port;
  host_.connections.Insert(*this, tuple);
  if (by_ipv4) spoke_ipv4_ = true;
  error_ = 0;
  connection_ = ++kernel_.last_connection;
  opened_actively_ = true;
  syn_bytes_.reset();
  segs_in_ = segs_out_ = data_segs_in_ = data_segs_out_ = total_retrans_ = 0;
  send_.Start();
  head_sent_at_ = kernel_.clock.now();
  retransmits_ = 0;
  ForgetLoss();
  probes_ = 0;
  echo_ = -1;
  has_cookie_ =
      (fast_open_ || options_.fast_open_connect()) && HasFastOpenCookie();
  if (DefersConnect()) {
    deferred_connect_ = true;
  } else {
    SendSyn();
  }
  return SysResult::Ok();
}

// Whether no other connection has these ends. One in TIME-WAIT that may be
// replaced is.
bool TcpSocket::MakeUnique(const FourTuple& tuple, bool port_is_chosen) const {
  ConnectionEnd* const other = host_.connections.Find(tuple);
  if (other == nullptr) return true;
  TimeWait* const timewait = other->time_wait();
  if (timewait == nullptr || !timewait->MayBeReplaced(port_is_chosen)) {
    return false;
  }
  timewait->Kill();
  return true;
}

void TcpSocket::GiveUpAddress() {
  if (!address_locked_) {
    local_addr_ = family_ == AF_INET ? ip::kAnyV4 : ip::kAnyV6;
  }
  remote_ = {};
}

int TcpSocket::FailConnect(int error) {
  SetState(TcpState::kClosed);
  GiveUpAddress();
  return error;
}

void TcpSocket::SendSyn() {
  receive_.Announce(FirstWindow());
  Transmit(Segment::kSyn, 0, 0);
  timers_.Set(TcpTimers::kRetransmission, NextSyn());
}

// When the next SYN is sent, after so many: each second at first, then after
// twice the time that the one before took.
Nanoseconds TcpSocket::NextSyn() const {
  const int doublings =
      std::max(0, retransmits_ - sysctls().tcp_syn_linear_timeouts);
  const Nanoseconds wait =
      doublings > 7 ? kLongestTimeout
                    : std::min(RetransmissionTimeout::kInitial << doublings,
                               kLongestTimeout);
  if (retransmits_ == 0) return kernel_.clock.After(wait);
  return kernel_.clock.After(Clamp(wait, kernel_.clock.now() - head_sent_at_));
}

void TcpSocket::RetransmitSyn() {
  const int retries = options_.syncnt(sysctls());
  const Nanoseconds timeout =
      (kSecond << (std::min(retries, 30) + 1)) - kSecond;
  const Nanoseconds elapsed = kernel_.clock.now() - head_sent_at_;
  // The SYN is sent again at least once (retransmits_timed_out() of Linux).
  const bool too_long =
      user_timeout() > 0 && retransmits_ > 0 && elapsed >= user_timeout();
  if (elapsed >= timeout || too_long) {
    return TimeOut();
  }
  ++retransmits_;
  ++total_retrans_;
  SendSyn();
}

// Ends whatever the socket does, at once: connect(2) with AF_UNSPEC, and
// RFC 9293's ABORT (section 3.10.5).
void TcpSocket::Disconnect() {
  const TcpState before = state_;
  const bool unsent =
      (before == TcpState::kClosing || before == TcpState::kLastAck) &&
      !send_.everything_sent();
  switch (before) {
    case TcpState::kListen:
      state_ = TcpState::kClosed;
      StopListening();
      break;
    case TcpState::kSynReceived:
    case TcpState::kEstablished:
    case TcpState::kCloseWait:
    case TcpState::kFinWait1:
    case TcpState::kFinWait2:
      SendReset();
      error_ = ECONNRESET;
      break;
    case TcpState::kSynSent:
      error_ = ECONNRESET;
      break;
    default:
      if (unsent) {
        SendReset();
        error_ = ECONNRESET;
      }
      break;
  }
  // A socket that was closed already keeps its port.
  if (before != TcpState::kClosed) SetState(TcpState::kClosed);
  receive_.Reset(kernel_.chunks);
  send_.Reset();
  ack_.Reset();
  if (messages_ != nullptr) messages_->arrivals = {};
  acknowledged_ = 0;
  syn_bytes_.reset();
  ForgetLoss();
  shut_down_ = kNeither;
  options_.set_peek_off(-1);
  options_.clear_maxseg();
  GiveUpAddress();
  // Linux wakes one accept(2) only.
  waiters().WakeOne();
}

}  // namespace net::fake
