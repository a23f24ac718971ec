// The parts of TcpSocket that process a segment that has arrived: RFC 9293,
// section 3.10.7, as Linux does it.

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/tcp/network.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"

namespace net::fake {
namespace {

constexpr Nanoseconds kTimeWaitLength = 60 * kSecond;
// TCP_TIMEOUT_MIN of Linux: two ticks of HZ = 250.
constexpr Nanoseconds kSoon = kSecond / 125;

}  // namespace

// --- The handshake -----------------------------------------------------------

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
  MeasureRoundTrip(segment, /*begin=*/0);
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

// --- Everything else ---------------------------------------------------------

void TcpSocket::OnSegment(const Segment& segment) {
  if (segment.ttl < options_.min_ttl(segment.ends().local.addr.is_v6())) return;
  ++segs_in_;
  if (segment.size > 0) ++data_segs_in_;
  if (state_ == TcpState::kSynSent) return OnSegmentInSynSent(segment);
  if (segment.connection != connection_) {
    // An old connection's, or a new one's: a challenge (RFC 5961).
    if (!segment.has(Segment::kRst)) SendAck();
    return;
  }
  if (half_open() && EchoesNoSynAck(segment)) {
    if (!segment.has(Segment::kRst)) SendAck();
    return;
  }
  if (segment.has(Segment::kRst)) {
    // Any other one in the window is a challenge (RFC 5961, section 3.2).
    return half_open() || segment.seq == receive_.nxt() ? OnReset() : SendAck();
  }
  if (segment.has(Segment::kSyn) &&
      (state_ != TcpState::kSynReceived || !segment.has(Segment::kAck))) {
    // A retransmission: the reply was lost.
    if (state_ == TcpState::kSynReceived) {
      ++total_retrans_;
      Transmit(Segment::kSyn | Segment::kAck, 0, 0);
    } else {
      SendAck();
    }
    return;
  }
  if (!segment.has(Segment::kAck) || !send_.Acceptable(segment.ack)) return;
  // Only old numbers, as of a keepalive probe: the segment is acknowledged, and
  // otherwise ignored (tcp_sequence() of Linux, net/ipv4/tcp_input.c).
  if (!segment.has(Segment::kSyn) && !segment.has(Segment::kFin) &&
      segment.end() < acknowledged_) {
    return segment.size > 0 ? SendSelectiveAck(segment.end()) : SendAck();
  }
  // The echo is that of the first segment that is not acknowledged (RFC 7323,
  // section 4.3).
  if (segment.seq <= acknowledged_) echo_ = segment.sent_at;
  const bool was_opening = state_ == TcpState::kSynReceived;
  if (was_opening && !LeaveSynReceived(segment)) return;
  const uint64_t window_before = send_.window_end();
  const bool acknowledges = OnAck(segment);
  if (state_ == TcpState::kClosed) {
    // The data and the FIN of the segment are for the TIME-WAIT entry.
    if (segment.size > 0 || segment.has(Segment::kFin)) {
      Segment& rest = kernel_.network.Add();
      rest = segment;
      rest.own_ends = segment.ends();
      rest.from = nullptr;
    }
    return;
  }
  // Ends the stream now, if shutdown(2) was called before the connection.
  if (was_opening && (shut_down_ & kSend) != 0 && EndStream()) {
    SendFin();
  }
  if (!OnData(segment)) return;
  const bool fin = segment.has(Segment::kFin) &&
                   segment.end() == receive_.nxt() && !receive_.fin_received();
  if (fin) {
    receive_.TakeFin();
    // Before any data, Linux acknowledges the FIN with the next tick.
    const bool first = ack_.ato() == 0;
    ack_.OnFin();
    if (first || state_ == TcpState::kFinWait1 ||
        state_ == TcpState::kFinWait2) {
      SendAck();
    }
    OnFin();
    if (state_ == TcpState::kClosed) return;
  } else if (segment.has(Segment::kFin) && segment.seq > receive_.nxt()) {
    if (segment.size == 0) SendSelectiveAck(0);
  } else if (segment.size == 0 && segment.seq < receive_.nxt() &&
             !segment.has(Segment::kSyn)) {
    // A FIN again, or a probe.
    segment.has(Segment::kFin) ? SendSelectiveAck(segment.end() + 1)
                               : SendAck();
  }
  // On Linux's fast path, nothing is sent but the acknowledgement.
  if (acknowledges || fin || send_.window_end() != window_before) {
    PushPending();
    // tcp_check_space() of Linux (net/ipv4/tcp_input.c).
    if (lacks_send_room_) WakeIfWritable();
  }
  AcknowledgeArrival();
}

// On Linux's fast path, data without news for the sender ends no probes
// (tcp_rcv_established() of net/ipv4/tcp_input.c). Data that needs memory does
// not take that path. The memory comes in pages: a small segment usually fits
// into the rest of one that unread or unacknowledged data has begun. Windows
// are announced in units of 1024 bytes.
bool TcpSocket::HasNoNews(const Segment& segment) const {
  constexpr int kWindowScale = 10;
  constexpr uint32_t kSmall = 2048;
  const bool has_memory =
      receive_.ready() > 0 || send_.UnacknowledgedBytes() > 0;
  return segment.size > 0 && segment.size <= kSmall && data_segs_in_ > 1 &&
         has_memory && segment.ack == send_.una() &&
         segment.seq == receive_.nxt() &&
         segment.window >> kWindowScale == send_.window() >> kWindowScale;
}

bool TcpSocket::OnAck(const Segment& segment) {
  const uint64_t window_before = send_.window_end();
  if (probes_ > 0 && !HasNoNews(segment)) probes_ = 0;
  send_.OnWindow(segment.ack, segment.window);
  heard_at_ = kernel_.clock.now();
  if (!send_.in_flight() && send_.window_end() != window_before) {
    // Ends the probes of a closed window.
    send_.rto().EndBackOff();
    if (loss_ != nullptr) loss_->first_window_probe_at = -1;
    timers_.Clear(TcpTimers::kRetransmission);
  }
  const uint64_t una = send_.una();
  if (loss_ != nullptr) {
    const bool is_duplicate = segment.ack == una && segment.size == 0 &&
                              !segment.has(Segment::kFin) &&
                              !segment.out_of_order &&
                              send_.window_end() == window_before;
    NoteLossNews(segment, is_duplicate);
  }
  if (segment.ack <= una) {
    if (segment.out_of_order && send_.in_flight()) OnSelectiveAck();
    return false;
  }
  const bool partly = IsRecovering() && AcknowledgesLateOrPartly(segment);
  if (loss_ != nullptr) {
    loss_->window.OnAck(segment.ack, segment.twice_until > 0);
  }
  send_.OnAck(segment.ack);
  if (borders_ != nullptr) borders_->OnAck(segment.ack);
  retransmits_ = 0;
  if (!partly) RestartAfterAck(segment, una);
  if (send_.fin_acknowledged()) OnFinAcknowledged();
  return true;
}

// Data after both directions were shut down here has nobody to go to, and the
// sender must learn that (RFC 1122, section 4.2.2.13).
bool TcpSocket::RefusesData() const {
  return (state_ == TcpState::kFinWait1 || state_ == TcpState::kFinWait2) &&
         (shut_down_ & kReceive) != 0;
}

// Linux takes memory in pages, and a segment that fits into the rest of the
// last one still has room. (Measured on Linux 6.18, with segments of 10 to
// 32741 bytes.)
bool TcpSocket::LacksMemoryFor(uint32_t size) const {
  constexpr size_t kPage = 4096;
  constexpr size_t kOverhead = 960;  // Of a segment.
  const size_t ready = receive_.ready();
  if (ready <= static_cast<size_t>(options_.rcvbuf())) return false;
  return size + kOverhead > kPage - (ready + kOverhead) % kPage;
}

// Makes room for a segment with `size` bytes, if necessary and possible: the
// window may admit more than the memory. As tcp_clamp_window() of Linux
// (net/ipv4/tcp_input.c).
bool TcpSocket::MakeRoomFor(uint32_t size) {
  if (!LacksMemoryFor(size)) return true;
  ack_.EndQuickMode();
  options_.GrowRcvBuf(static_cast<int>(memory().used), sysctls());
  return !LacksMemoryFor(size);
}

bool TcpSocket::OnData(const Segment& segment) {
  if (segment.size == 0) return true;
  if (segment.end() > receive_.nxt() && RefusesData()) {
    kernel_.network.AddReset(segment, host_);
    receive_.Cut(kernel_.chunks);
    OnReset();
    return false;
  }
  // Data that is not new, not in order or not in the window is acknowledged
  // immediately (RFC 9293, section 3.10.7.4).
  if (segment.seq > receive_.nxt()) {
    SendSelectiveAck(0);
    return true;
  }
  if (receive_.fin_received()) {
    SendSelectiveAck(segment.end() + (segment.has(Segment::kFin) ? 1U : 0U));
    return true;
  }
  if (segment.end() > receive_.nxt() && !MakeRoomFor(segment.size)) {
    // Linux drops the whole segment, and takes the window back
    // (tcp_data_queue() in net/ipv4/tcp_input.c, ICSK_ACK_NOMEM).
    lacks_memory_ = true;
    SendAck();
    lacks_memory_ = false;
    return true;
  }
  const uint64_t before = receive_.nxt();
  if (receive_.Take(segment.end()) == 0) {
    segment.end() <= before ? SendSelectiveAck(segment.end()) : SendAck();
    return true;
  }
  if (options_.stamps_arrivals()) NoteArrival(before);
  NoteData(segment.size);
  const bool all = receive_.nxt() == segment.end() && before == segment.seq;
  if (!all) segment.seq < before ? SendSelectiveAck(before) : SendAck();
  WakeIfReadable();
  return true;
}

// A segment with `size` bytes of new data is in the queue: as
// tcp_event_data_recv() of Linux (net/ipv4/tcp_input.c).
void TcpSocket::NoteData(uint32_t size) {
  const uint32_t estimate = ack_.segment();
  ack_.OnData(size, announced_window(), Timeout(), kernel_.clock.now());
  if (ack_.segment() != estimate) {
    receive_.space().OnLargerSegment(size, memory().buffer, announced_window());
  }
  if (receive_.space().Grow(size, memory(), kFirstWindow)) ack_.OnWindowGrown();
}

void TcpSocket::OnFin() {
  shut_down_ |= kReceive;
  switch (state_) {
    case TcpState::kSynReceived:
    case TcpState::kEstablished:
      SetState(TcpState::kCloseWait);
      break;
    case TcpState::kFinWait1:
      SetState(TcpState::kClosing);
      break;
    case TcpState::kFinWait2:
      EnterTimeWait(TcpState::kTimeWait, kTimeWaitLength);
      break;
    default:
      break;
  }
  waiters().WakeAll();
}

void TcpSocket::OnFinAcknowledged() {
  switch (state_) {
    case TcpState::kFinWait1:
      SetState(TcpState::kFinWait2);
      shut_down_ |= kSend;
      if (orphaned()) {
        LeaveFinWait2();
      } else {
        waiters().WakeAll();
      }
      break;
    case TcpState::kClosing:
      EnterTimeWait(TcpState::kTimeWait, kTimeWaitLength);
      break;
    case TcpState::kLastAck:
      Done();
      break;
    default:
      break;
  }
}

void TcpSocket::OnReset() {
  if (half_open()) return DropHalfOpen();
  switch (state_) {
    case TcpState::kClosed:
      return;
    case TcpState::kSynSent:
      error_ = ECONNREFUSED;
      break;
    case TcpState::kCloseWait:
      error_ = EPIPE;
      break;
    default:
      error_ = ECONNRESET;
      break;
  }
  // The bytes that had not arrived never will.
  receive_.Cut(kernel_.chunks);
  Done();
}

}  // namespace net::fake
