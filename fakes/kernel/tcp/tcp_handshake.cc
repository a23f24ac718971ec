// The parts of TcpSocket that process the segments of the handshake (RFC 9293,
// section 3.10.7), as Linux does it.

#include <algorithm>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/tcp/network.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"

namespace net::fake {
namespace {

// TCP_TIMEOUT_MIN of Linux: two ticks of HZ = 250.
constexpr Nanoseconds kSoon = kSecond / 125;

}  // namespace

void TcpSocket::LinkTo(TcpSocket& peer) {
  set_peer(&peer);
  peer.set_peer(this);
}

void TcpSocket::Unlink() {
  if (peer() == nullptr) return;
  peer()->set_peer(nullptr);
  set_peer(nullptr);
}

void TcpSocket::OnPeersSyn(const Segment& syn) {
  receive_.Start();
  receive_.space().Start(FirstWindow(), options_.window_scale(sysctls()));
  echo_ = syn.sent_at;
  send_.OnWindow(syn.ack, syn.window);
  // The smaller of the two that programs have set (TCP_MAXSEG, tcp(7)), less
  // the timestamps (RFC 7323, section 3.2).
  constexpr uint32_t kTimestamps = 12;
  uint32_t mss = kFirstMss;
  for (const int set : {options_.maxseg(), int{syn.mss}}) {
    if (set > static_cast<int>(kTimestamps)) {
      mss = std::min(mss, static_cast<uint32_t>(set) - kTimestamps);
    }
  }
  // No more than half of the largest window (tcp_bound_to_half_wnd() in
  // include/net/tcp.h).
  constexpr uint32_t kTiny = 536;
  if (syn.window < kFirstWindow) {
    mss = std::min(
        mss, syn.window > kTiny ? syn.window / 2 : std::max(syn.window, 1U));
  }
  send_.set_mss(mss, syn.window);
}

void TcpSocket::OnSegmentInSynSent(const Segment& segment) {
  if (segment.connection != connection_) {
    if (segment.has(Segment::kRst)) return;
    if (segment.has(Segment::kAck)) {
      // The other end still has an old connection. It asks, and the reset is
      // the reply (RFC 9293, section 3.5.1). The SYN is sent again soon, but
      // only once.
      kernel_.network.AddReset(segment, host_);
      if (retransmits_ == 0) {
        timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(kSoon));
      }
    } else if (segment.has(Segment::kSyn)) {
      OpenSimultaneously(segment);
    }
    return;
  }
  if (segment.has(Segment::kRst)) {
    OnReset();
  } else if (segment.has(Segment::kSyn)) {
    if (segment.has(Segment::kAck)) {
      OnSynAck(segment);
    } else {
      OpenSimultaneously(segment);
    }
  }
}

// RFC 9293, figure 7. A socket can do it with itself.
void TcpSocket::OpenSimultaneously(const Segment& syn) {
  if (TcpSocket* const peer = Network::SenderOf(syn)) LinkTo(*peer);
  connection_ = std::max(connection_, syn.connection);
  OnPeersSyn(syn);
  state_ = TcpState::kSynReceived;
  Transmit(Segment::kSyn | Segment::kAck, 0, 0);
}

void TcpSocket::OnSynAck(const Segment& segment) {
  send_.OnAck(segment.ack);
  OnPeersSyn(segment);
  MeasureSyn(segment);
  BoundFirstFlight(segment, /*first_syn_at=*/head_sent_at_);
  retransmits_ = 0;
  timers_.Clear(TcpTimers::kRetransmission);
  state_ = TcpState::kEstablished;
  options_.OnEstablished(sysctls());
  StartKeepalive();
  AcknowledgeSynAck(segment);
  if (syn_bytes_ != nullptr) SendSynData();
  waiters().WakeAll();
}

// As tcp_rcv_synsent_state_process() of Linux (net/ipv4/tcp_input.c): with
// TCP_QUICKACK off or TCP_DEFER_ACCEPT, the acknowledgement waits for data.
void TcpSocket::AcknowledgeSynAck(const Segment& syn_ack) {
  if (ack_.quick_option() && options_.defer_accept() == 0) return SendAck();
  ack_.DelayHandshake(syn_ack.window);
  timers_.Set(TcpTimers::kDelayedAck, kernel_.clock.After(DelayedAck::kMax));
}

// tcp_init_transfer() of Linux (net/ipv4/tcp_input.c): after the loss of two
// SYNs or SYN-ACKs, the connection begins with a congestion window of one
// segment. Nothing was lost if `segment` echoes the time stamp of the first one
// (tcp_try_undo_spurious_syn()).
void TcpSocket::BoundFirstFlight(const Segment& segment,
                                 Nanoseconds first_syn_at) {
  if (total_retrans_ > 1 && segment.echo != first_syn_at) {
    Loss().window.Shrink();
  }
}

// Returns whether `segment` echoes the time stamp of a later segment than the
// last SYN-ACK, as a reply to a probe of keepalive does. Linux drops such a
// segment while the connection is half open (tcp_check_req() in
// net/ipv4/tcp_minisocks.c), until it has sent the SYN-ACK again.
bool TcpSocket::EchoesNoSynAck(const Segment& segment) const {
  return segment.echo > head_sent_at_;
}

// Whether the connection that `segment` completes may enter the accept queue
// (tcp_check_req()).
bool TcpSocket::MayBeQueued(const Segment& segment) const {
  // The first byte, or the FIN, has the number 1.
  const bool is_bare = segment.end() == 1 && !segment.has(Segment::kFin);
  const bool waits_for_data = is_bare && !by_syn_cookie_ &&
                              retransmits_ < listener_->options_.defer_accept();
  return !waits_for_data && listener_->queued_ <= listener_->backlog_;
}

bool TcpSocket::LeaveSynReceived(const Segment& segment) {
  if (listener_ != nullptr && !MayBeQueued(segment)) {
    // Linux drops the segment.
    syn_ack_acknowledged_ = true;
    return false;
  }
  state_ = TcpState::kEstablished;
  options_.OnEstablished(sysctls());
  StartKeepalive();
  timers_.Clear(TcpTimers::kRetransmission);
  if (retransmits_ > 0) {
    BoundFirstFlight(segment, loss().first_syn_ack_at);
  }
  retransmits_ = 0;
  if (listener_ == nullptr) {
    waiters().WakeAll();
  } else {
    --listener_->half_open_;
    listener_->Enqueue(*this);
  }
  return true;
}

}  // namespace net::fake
