// The parts of TcpSocket that bind and listen: bind(2), listen(2), accept4(2).

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/raw_address.h"
#include "fakes/kernel/tcp/network.h"
#include "fakes/kernel/tcp/retransmission_timeout.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

constexpr Nanoseconds kLongestTimeout = 120 * kSecond;  // TCP_RTO_MAX

// The one interface that there is (if_nametoindex(3)).
constexpr uint32_t kLoopbackIndex = 1;

bool IsMulticast(const ip::Addr& addr) { return addr.v6_bytes()[0] == 0xff; }
bool IsLinkLocal(const ip::Addr& addr) {
  return addr.v6_bytes()[0] == 0xfe && (addr.v6_bytes()[1] & 0xc0) == 0x80;
}

}  // namespace

// Parses the address of bind(2). Checks it in Linux's order, which differs
// between the families.
int TcpSocket::ParseLocal(const Caller& caller, const RawAddress& address,
                          ip::Endpoint& local) const {
  const bool v4 = family_ == AF_INET;
  if (address.size < (v4 ? kV4Size : kV6Size)) return EINVAL;
  const int family = FamilyOf(address);
  local = v4 ? AsV4(address) : AsV6(address);
  // Old programs bind to the IPv4 wildcard without a family.
  const bool unspecified =
      v4 && family == AF_UNSPEC && local.addr == ip::kAnyV4;
  if (family != family_ && !unspecified) return EAFNOSUPPORT;
  if (!v4 && IsMulticast(local.addr)) return EINVAL;
  if (v4 && !CanBindTo(local.addr)) return EADDRNOTAVAIL;
  if (local.port != 0 && local.port < sysctls().ip_unprivileged_port_start &&
      !caller.may_bind_privileged_ports) {
    return EACCES;
  }
  if (state_ != TcpState::kClosed || port() != 0) return EINVAL;
  if (v4 || local.addr == ip::kAnyV6) return 0;
  if (local.addr.is_v4_mapped() && options_.v6only()) return EINVAL;
  if (IsLinkLocal(local.addr)) {
    if (local.addr.scope() == 0) return EINVAL;
    if (local.addr.scope() != kLoopbackIndex) return ENODEV;
  }
  if (has_no_interface()) return ENODEV;
  return CanBindTo(local.addr.Unmapped()) ? 0 : EADDRNOTAVAIL;
}

bool TcpSocket::CanBindTo(const ip::Addr& addr) const {
  return options_.freebind() || options_.transparent() ||
         host_.machine.CanBind(addr);
}

SysResult TcpSocket::Bind(const Caller& caller, const RawAddress& address) {
  ip::Endpoint local;
  const int error = ParseLocal(caller, address, local);
  if (error != 0) return SysResult::Error(error);
  const bool any = local.addr == ip::kAnyV4 || local.addr == ip::kAnyV6;
  local_addr_ = local.addr;
  // An IPv6 address is nothing to IPv4.
  const bool old_v6only = options_.v6only();
  if (local.addr.is_v6() && !any && !local.addr.is_v4_mapped()) {
    options_.set_v6only(true);
  }
  const bool later = local.port == 0 && options_.bind_address_no_port();
  if (!later && !host_.ports.Claim(*this, local.port, EphemeralPorts())) {
    // Also where there was one: of a connection that has failed.
    local_addr_ = family_ == AF_INET ? ip::kAnyV4 : ip::kAnyV6;
    options_.set_v6only(old_v6only);
    return SysResult::Error(EADDRINUSE);
  }
  // IPv6 takes a v4-mapped wildcard for an address, IPv4 does not.
  address_locked_ = !any;
  port_locked_ = local.port != 0;
  local_port_ = port();
  remote_ = {};
  return SysResult::Ok();
}

SysResult TcpSocket::Listen(const Caller&, int backlog) {
  if (socket_state_ != SocketState::kUnconnected) {
    return SysResult::Error(EINVAL);
  }
  const bool listens = state_ == TcpState::kListen;
  if (!listens && state_ != TcpState::kClosed) return SysResult::Error(EINVAL);
  // A negative one counts as very many.
  const int longest = sysctls().somaxconn;
  backlog_ = static_cast<unsigned>(backlog) > static_cast<unsigned>(longest)
                 ? longest
                 : backlog;
  if (listens) return SysResult::Ok();
  queued_ = 0;
  state_ = TcpState::kListen;
  if (!host_.ports.Claim(*this, port(), EphemeralPorts())) {
    state_ = TcpState::kClosed;  // and keeps its port, if it has one
    return SysResult::Error(EADDRINUSE);
  }
  local_port_ = port();
  listened_with_reuse_port_ = options_.reuse_port();
  host_.listeners.Add(local_port_, *this);
  waiters().WakeAll();
  return SysResult::Ok();
}

// The state is another one already.
void TcpSocket::StopListening() {
  host_.listeners.Remove(local_port_, *this);
  while (queue_first_ != nullptr) {
    TcpSocket& child = *queue_first_;
    LeaveQueue(child);
    child.Disconnect();
    child.Die();
  }
  for (TcpSocket* one = kernel_.first_socket; one != nullptr && half_open_ > 0;
       one = one->next_socket_) {
    // The other end is told nothing: for this one there was no connection yet.
    if (one->listener_ == this) one->DropHalfOpen();
  }
}

void TcpSocket::DropHalfOpen() {
  --listener_->half_open_;
  listener_ = nullptr;
  SetState(TcpState::kClosed);
  Die();
}

void TcpSocket::OnSyn(const Segment& syn) {
  if (syn.ttl < options_.min_ttl(syn.ends().local.addr.is_v6())) return;
  // Linux queues one more than the backlog.
  if (queued_ > backlog_) return;
  TcpSocket* const child = NewChild(syn);
  ++half_open_;
  child->SendSynAck();
}

// Makes the socket of a connection that begins with `syn`.
TcpSocket* TcpSocket::NewChild(const Segment& syn) {
  const FourTuple tuple = syn.ends().Mirrored();
  auto* const child = new (kernel_.sockets)
      TcpSocket(kernel_, host_, family_, uid_, /*listener=*/this,
                /*over_ipv6=*/tuple.local.addr.is_v6());
  child->socket_state_ = SocketState::kConnected;
  // Of a shutdown(2) before listen(2), which had failed.
  child->shut_down_ = shut_down_;
  child->state_ = TcpState::kSynReceived;
  child->address_locked_ = address_locked_;
  const bool v6 = family_ == AF_INET6;
  child->spoke_ipv4_ = spoke_ipv4_ || (v6 && tuple.remote.addr.is_v4());
  child->local_addr_ = v6 ? tuple.local.addr.Mapped() : tuple.local.addr;
  child->local_port_ = tuple.local.port;
  child->remote_ = {v6 ? tuple.remote.addr.Mapped() : tuple.remote.addr,
                    tuple.remote.port};
  child->connection_ = syn.connection;
  child->listener_ = this;
  host_.ports.Inherit(*child, *this);
  if (syn.from != nullptr) {
    host_.connections.InsertPeer(*child, *syn.from);
  } else {
    host_.connections.Insert(*child, tuple);
  }
  if (TcpSocket* const client = Network::SenderOf(syn)) {
    GiveFastOpenCookie(*client);
    // With a cookie, Linux keeps nothing of the SYN.
    child->by_syn_cookie_ = half_open_ > backlog_;
    child->SaveSyn(*client, child->by_syn_cookie_ ? 0 : options_.save_syn());
    child->LinkTo(*client);
  }
  child->segs_in_ = 1;  // The SYN.
  child->send_.Start();
  child->OnPeersSyn(syn);
  return child;
}

void TcpSocket::SendSynAck() {
  Transmit(Segment::kSyn | Segment::kAck, 0, 0);
  timers_.Set(TcpTimers::kRetransmission,
              kernel_.clock.After(RetransmissionTimeout::kInitial));
}

// As syn_ack_recalc() of Linux (net/ipv4/inet_connection_sock.c). While a
// listener with TCP_DEFER_ACCEPT waits for data, the SYN-ACK is not sent. It is
// sent at the end of that time, so that the client acknowledges it once more.
void TcpSocket::RetransmitSynAck() {
  const int deferring =
      listener_ == nullptr ? 0 : listener_->options_.defer_accept();
  const bool waits_for_data = syn_ack_acknowledged_ && retransmits_ < deferring;
  if (retransmits_ >= sysctls().tcp_synack_retries && !waits_for_data) {
    if (listener_ != nullptr) return DropHalfOpen();
    error_ = ETIMEDOUT;
    return Done();
  }
  if (retransmits_ == 0) Loss().first_syn_ack_at = head_sent_at_;
  ++retransmits_;
  if (!waits_for_data || retransmits_ == deferring) {
    ++total_retrans_;
    Transmit(Segment::kSyn | Segment::kAck, 0, 0);
  }
  timers_.Set(
      TcpTimers::kRetransmission,
      kernel_.clock.After(std::min(
          RetransmissionTimeout::kInitial << std::min<int>(retransmits_, 7),
          kLongestTimeout)));
}

void TcpSocket::Enqueue(TcpSocket& child) {
  (queue_last_ != nullptr ? queue_last_->queue_next_ : queue_first_) = &child;
  queue_last_ = &child;
  ++queued_;
  waiters().WakeOne(POLLIN | POLLRDNORM);
}

// Takes the first of the queue out.
void TcpSocket::LeaveQueue(TcpSocket& child) {
  queue_first_ = std::exchange(child.queue_next_, nullptr);
  if (queue_first_ == nullptr) queue_last_ = nullptr;
  child.listener_ = nullptr;
  --queued_;
}

SysResult TcpSocket::Accept(const Caller& caller, bool nonblocking,
                            TcpSocket** accepted) {
  if (state_ != TcpState::kListen) return SysResult::Error(EINVAL);
  if (queued_ == 0) {
    const Nanoseconds timeout =
        nonblocking ? 0 : options_.rcvtimeo().value_or(kForever);
    if (timeout == 0) return SysResult::Error(EAGAIN);
    const Nanoseconds deadline = kernel_.clock.After(timeout);
    while (queued_ == 0) {
      // A new one each time: a call that was woken in vain is the last to be
      // woken again (inet_csk_wait_for_connect() of Linux,
      // net/ipv4/inet_connection_sock.c).
      Wait wait(kernel_.scheduler, caller.site, deadline);
      wait.AddExclusive(waiters());
      const Woken woken = wait.Block();
      if (queued_ > 0) break;
      // Nothing has woken it, though the socket may be closed.
      if (woken == Woken::kDeadlock) return SysResult::Error(ErrnoFor(woken));
      if (state_ != TcpState::kListen) return SysResult::Error(EINVAL);
      if (woken == Woken::kEvent) continue;
      if (woken == Woken::kRestart && timeout == kForever) continue;
      return SysResult::Error(ErrnoFor(woken));
    }
  }
  *accepted = queue_first_;
  LeaveQueue(**accepted);
  return SysResult::Ok();
}

}  // namespace net::fake
