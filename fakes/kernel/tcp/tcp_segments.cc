// The parts of TcpSocket that process a segment that has arrived: RFC 9293,
// section 3.10.7, as Linux does it. What each segment with data needs is
// inlined, because the calls would take as long as the rest.

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/tcp/network.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/tcp_data_path.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"

namespace net::fake {
namespace {

constexpr Nanoseconds kTimeWaitLength = 60 * kSecond;

}  // namespace

void TcpSocket::OnSegment(const Segment& segment) {
  if (segment.ttl < options_.min_ttl(segment.ends().local.addr.is_v6())) return;
  CountArrival(segment);
  IsPredicted(segment) ? OnPredicted(segment) : OnOtherSegment(segment);
}

void TcpSocket::OnOtherSegment(const Segment& segment) {
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
    return segment.size > 0 ? SendDuplicateAck(segment.end()) : SendAck();
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
  // Header prediction of Linux (tcp_rcv_established()) expects this segment.
  const bool is_predicted = state_ == TcpState::kEstablished &&
                            segment.seq == receive_.nxt() &&
                            !segment.has(Segment::kFin);
  const bool had_gap = receive_.out_of_order() != nullptr;
  if (!OnData(segment)) return;
  const bool fin = receive_.HasKeptFin() || (segment.has(Segment::kFin) &&
                                             segment.end() == receive_.nxt() &&
                                             !receive_.fin_received());
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
    if (segment.size == 0) KeepOutOfOrder(segment);
  } else if (segment.size == 0 && segment.seq < receive_.nxt() &&
             !segment.has(Segment::kSyn)) {
    // A FIN again, or a probe.
    segment.has(Segment::kFin) ? SendDuplicateAck(segment.end() + 1)
                               : SendAck();
  }
  // On Linux's fast path, nothing is sent but the acknowledgement. On the other
  // one, data that MSG_MORE has held back is.
  if (!is_predicted || acknowledges || send_.window_end() != window_before) {
    AfterNews();
  }
  // Data that fills a gap, or a part of it, is acknowledged immediately
  // (RFC 5681, section 4.2).
  if (had_gap && ack_.owed()) return SendAck();
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
  if (!send_.in_flight() && send_.window_end() != window_before) OnIdleWindow();
  const uint64_t una = send_.una();
  const bool has_block = segment.block_size > 0 && NoteBlock(segment);
  if (loss_ != nullptr) {
    const bool is_duplicate = segment.ack == una && segment.size == 0 &&
                              !segment.has(Segment::kFin) && !has_block &&
                              send_.window_end() == window_before;
    NoteLossNews(segment, is_duplicate);
  }
  if (segment.ack <= una) {
    if (has_block) OnSelectiveAck();
    return false;
  }
  OnNewAck(segment);
  if (has_block) OnSelectiveAck();
  if (send_.fin_acknowledged()) OnFinAcknowledged();
  return true;
}

// As tcp_ack_update_rtt() of Linux (net/ipv4/tcp_input.c). The round trip of
// data that was sent once begins with the transmission. Otherwise the time
// stamp shows which transmission has arrived, with a resolution of 1 ms.
// `begin` is the first byte that `segment` acknowledges.
void TcpSocket::MeasureRoundTrip(const Segment& segment, uint64_t begin) {
  constexpr Nanoseconds kMillisecond = kSecond / 1000;
  const Nanoseconds now = kernel_.clock.now();
  if (begin == 0) return MeasureSyn(segment);
  if (loss_ == nullptr || !loss_->WasSentAgain(begin, segment.ack)) {
    return NoteRoundTrip(now - head_sent_at_);
  }
  if (segment.echo < 0) return;
  const Nanoseconds by_stamps =
      (now / kMillisecond - segment.echo / kMillisecond) * kMillisecond;
  NoteRoundTrip(std::max(by_stamps, kMillisecond));
}

// `segment` acknowledges something new.
void TcpSocket::OnNewAck(const Segment& segment) {
  const bool partly = IsRecovering() && AcknowledgesLateOrPartly(segment);
  if (loss_ != nullptr) {
    loss_->window.OnAck(SegmentsBefore(segment.ack), segment.twice_until > 0);
  }
  const uint64_t una = send_.una();
  AdvanceTo(segment.ack);
  if (loss_ != nullptr) loss_->ForgetBefore(segment.ack);
  if (partly) return;
  MeasureRoundTrip(segment, una);
  if (loss_ != nullptr && !IsRecovering()) {
    loss_->first_retransmission_at = -1;
    loss_->selective_acks = 0;
  }
  RestartAfterAck();
}

// Takes data that DelayedAck::IsRoutine() does not describe.
void TcpSocket::NoteUnusualData(uint32_t size, Nanoseconds now) {
  const uint32_t estimate = ack_.segment();
  const Nanoseconds rto = ack_.DependsOnTimeout(now) ? Timeout() : 0;
  ack_.OnData(size, announced_window(), rto, now);
  if (ack_.segment() != estimate) {
    receive_.space().OnLargerSegment(size, memory().buffer, announced_window());
  }
}

// Data after both directions were shut down here has nobody to go to, and the
// sender must learn that (RFC 1122, section 4.2.2.13).
bool TcpSocket::RefusesData() const {
  return (state_ == TcpState::kFinWait1 || state_ == TcpState::kFinWait2) &&
         (shut_down_ & kReceive) != 0;
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
    KeepOutOfOrder(segment);
    return true;
  }
  if (receive_.fin_received()) {
    SendDuplicateAck(segment.end() + (segment.has(Segment::kFin) ? 1U : 0U));
    return true;
  }
  TakeData(segment.seq, segment.size, kernel_.clock.now(),
           receive_.out_of_order() != nullptr);
  return true;
}

// As tcp_data_queue_ofo() of Linux (net/ipv4/tcp_input.c). The acknowledgement
// reports the segment (AddBlock()).
void TcpSocket::KeepOutOfOrder(const Segment& segment) {
  const bool has_fin = segment.has(Segment::kFin);
  const uint64_t end = segment.end() + (has_fin ? 1U : 0U);
  const bool has_room = !receive_.fin_received() &&
                        segment.end() <= receive_.window_end() &&
                        !LacksMemoryFor(segment.size);
  if (has_room && !receive_.Keep(segment.seq, end, has_fin)) {
    return SendDuplicateAck(end);
  }
  SendAck();
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
