// The parts of TcpSocket that detect the loss of segments, and send them again.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/tcp/loss_state.h"
#include "fakes/kernel/tcp/out_of_order.h"
#include "fakes/kernel/tcp/receive_side.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/segment_borders.h"
#include "fakes/kernel/tcp/send_side.h"
#include "fakes/kernel/tcp/sequence_ranges.h"
#include "fakes/kernel/tcp/tcp_data_path.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_timers.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

// With HZ = 250, as in Debian's kernels.
constexpr Nanoseconds kTick = kSecond / 250;
constexpr Nanoseconds kMillisecond = kSecond / 1000;
constexpr Nanoseconds kMicrosecond = kSecond / 1000000;

}  // namespace

const LossState& TcpSocket::loss() const {
  static const LossState* const none = new LossState;
  return loss_ == nullptr ? *none : *loss_;
}

LossState& TcpSocket::Loss() {
  if (loss_ == nullptr) loss_ = std::make_unique<LossState>();
  return *loss_;
}

void TcpSocket::ForgetLoss() {
  timer_use_ = TimerUse::kTimeout;
  last_size_ = 0;
  loss_.reset();
  borders_.reset();
}

void TcpSocket::NoteBorders(uint64_t end) {
  const bool again = send_.nxt() < send_.max();
  if (!again && one_in_flight()) return;
  if (borders_ == nullptr) borders_ = std::make_unique<SegmentBorders>();
  if (again) {
    borders_->OnSentAgain(send_.nxt(), end, last_segment());
  } else {
    borders_->Add(last_segment());
  }
}

uint32_t TcpSocket::SegmentsBefore(uint64_t end) const {
  if (end <= send_.una()) return 0;
  const bool has_last = !one_in_flight() && last_segment() < end;
  return 1 + (borders_ == nullptr ? 0 : borders_->CountBefore(end)) +
         (has_last ? 1 : 0);
}

uint32_t TcpSocket::SelectedBefore(uint64_t end) const {
  uint32_t count = 0;
  for (const SequenceRanges::Range& range : loss().selected.ranges()) {
    if (range.end > end) break;
    count += SegmentsBefore(range.end) - SegmentsBefore(range.begin);
  }
  return count;
}

// --- Retransmissions ---------------------------------------------------------

// Called before `piece` is sent again.
void TcpSocket::NoteRetransmission(SendSide::Piece piece) {
  const uint64_t end = send_.nxt() + piece.size + (piece.fin ? 1U : 0U);
  LossState& loss = Loss();
  loss.NoteRetransmission(send_.una(), send_.nxt(), end);
  loss.bytes_sent_again += piece.size;
  if (PeerHas(send_.nxt())) loss.copies.Add(send_.nxt(), end);
  ++total_retrans_;
}

// Returns whether the segment that begins with `seq` has arrived.
bool TcpSocket::PeerHas(uint64_t seq) const {
  if (peer() == nullptr) return false;
  const ReceiveSide& there = peer()->receive_;
  const OutOfOrder* const kept = there.out_of_order();
  return there.nxt() > seq || (kept != nullptr && kept->Contains(seq));
}

// Returns whether the peer's receive queue shares the memory of the segment
// that begins with `seq`: skb_cloned() of Linux. Data that is appended to an
// older segment in that queue is not shared any more (tcp_try_coalesce() of
// net/ipv4/tcp_input.c), unless that segment is shared itself. Sending a shared
// segment again makes a copy (skb_unclone() in __tcp_retransmit_skb() of
// net/ipv4/tcp_output.c).
bool TcpSocket::PeerHolds(uint64_t seq) const {
  if (!PeerHas(seq) || loss().copies.Contains(seq, seq + 1)) return false;
  const ReceiveSide& there = peer()->receive_;
  if (there.nxt() <= seq) return true;
  const uint64_t unread = there.first_unread();
  return send_.una() <= unread && unread <= seq;
}

// Returns where the segment in flight begins that follows the one with `seq`.
uint64_t TcpSocket::BorderAfter(uint64_t seq) const {
  const uint64_t last = last_segment() > seq ? last_segment() : send_.max();
  return borders_ == nullptr ? last : borders_->After(seq, last);
}

// A retransmission joins small segments as a whole, and none whose memory is
// shared (tcp_retrans_try_collapse() of Linux, net/ipv4/tcp_output.c). It has
// nothing that was selectively acknowledged.
SendSide::Piece TcpSocket::NextRetransmission(SendSide::Hold hold) const {
  SendSide::Piece piece = send_.Next(hold);
  const uint64_t end = send_.nxt() + piece.size + (piece.fin ? 1U : 0U);
  uint64_t until = end;
  for (uint64_t border = BorderAfter(send_.nxt()); border < end;) {
    const uint64_t next = BorderAfter(border);
    if (next > end || PeerHolds(border)) {
      until = border;
      break;
    }
    border = next;
  }
  const SequenceRanges::Range* const selected =
      loss().selected.EndingAfter(send_.nxt());
  if (selected != nullptr) until = std::min(until, selected->begin);
  if (until < end) {
    piece.size = static_cast<uint32_t>(
        std::min<uint64_t>(piece.size, until - send_.nxt()));
    piece.fin = false;
  }
  return piece;
}

// --- Timers ------------------------------------------------------------------

// As tcp_rearm_rto() of Linux (net/ipv4/tcp_input.c): the time that a loss
// probe has waited counts.
void TcpSocket::RestartRetransmissionTimer() {
  const Nanoseconds from =
      timer_use_ == TimerUse::kTimeout ? kernel_.clock.now() : head_sent_at_;
  timer_use_ = TimerUse::kTimeout;
  timers_.Set(TcpTimers::kRetransmission,
              std::max(from + Timeout(), kernel_.clock.After(kTick)));
}

Nanoseconds TcpSocket::LossProbeTimeout(bool after_ack) const {
  const RetransmissionTimeout& rto = send_.rto();
  const Nanoseconds least =
      one_in_flight() ? sysctls().tcp_rto_min_us * kMicrosecond : 2 * kTick;
  Nanoseconds timeout =
      rto.srtt() < 0 ? RetransmissionTimeout::kInitial : 2 * rto.srtt() + least;
  const Nanoseconds rest =
      after_ack ? Timeout() : head_sent_at_ + Timeout() - kernel_.clock.now();
  if (rest > 0) timeout = std::min(timeout, rest);
  return timeout;
}

void TcpSocket::OnLossTimer() {
  switch (timer_use_) {
    case TimerUse::kTimeout:
      return Retransmit();
    case TimerUse::kLossProbe:
      return SendLossProbe();
    case TimerUse::kReordering:
      return RecoverSelectively();
  }
}

// tcp_send_loss_probe() of Linux (net/ipv4/tcp_output.c), which starts no
// backoff. The probe is new data, or else the last segment. Until it has ended,
// there is no other one.
void TcpSocket::SendLossProbe() {
  if (loss().probe_end != 0) return RestartRetransmissionTimer();
  SendSide::Piece piece;
  if (send_.Unsent() > 0) piece = send_.Next(SendSide::Hold::kNone);
  const bool again = piece.nothing();
  if (again) {
    send_.GoBackTo(last_segment());
    piece = send_.Next(SendSide::Hold::kNone);
  }
  if (piece.nothing()) {
    // The peer has taken its window back.
    send_.UndoGoBack();
    return RestartRetransmissionTimer();
  }
  TransmitPiece(piece);
  LossState& loss = Loss();
  loss.probe_end = send_.max();
  loss.probe_was_sent_again = again;
  timer_use_ = TimerUse::kTimeout;
  timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(Timeout()));
}

// retransmits_timed_out() of Linux (net/ipv4/tcp_timer.c).
bool TcpSocket::RetransmittedForTooLong() const {
  if (retransmits_ == 0) return false;
  const Nanoseconds elapsed =
      kernel_.clock.now() - loss().first_retransmission_at;
  if (user_timeout() > 0) return elapsed >= user_timeout();
  const FakeSysctls& limits = sysctls();
  int retries = limits.tcp_retries2;
  if (orphaned()) {
    retries = limits.tcp_orphan_retries > 0 ? limits.tcp_orphan_retries : 8;
  }
  // The time that so many retransmissions take if the round trip is short.
  const Nanoseconds base = limits.tcp_rto_min_us * kMicrosecond;
  const Nanoseconds longest = limits.tcp_rto_max_ms * kMillisecond;
  Nanoseconds total = 0;
  Nanoseconds timeout = base;
  for (int i = 0; i <= retries; ++i) {
    total += timeout;
    timeout = std::min(2 * timeout, longest);
  }
  return elapsed >= total;
}

void TcpSocket::TimeOut() {
  // Over IPv6, Linux remembers that there was no route (sk_err_soft).
  const ip::Addr& to = tuple().remote.addr;
  const bool unreachable =
      to.is_v6() && Machine::IsLoopback(to) && !host_.machine.loopback_up();
  error_ = unreachable ? ENETUNREACH : ETIMEDOUT;
  Done();
}

// --- Recovery ----------------------------------------------------------------

// As tcp_enter_loss() and tcp_enter_recovery() of Linux (net/ipv4/tcp_input.c).
void TcpSocket::BeginRecovery() {
  LossState& loss = Loss();
  if (!IsRecovering() || retransmits_ == 0) {
    loss.recovery_begin = send_.una();
    loss.needed = loss.probe_end != 0 && loss.probe_was_sent_again ? 1 : 0;
  }
  if (loss.first_retransmission_at < 0) {
    loss.first_retransmission_at = kernel_.clock.now();
  }
  loss.recovery_end = send_.max();
  loss.probe_end = 0;
  loss.selective_acks = 0;
  timer_use_ = TimerUse::kTimeout;
  send_.GoBack();
}

void TcpSocket::Retransmit() {
  if (RetransmittedForTooLong()) return TimeOut();
  BeginRecovery();
  Loss().window.OnTimeout();
  Loss().by_timeout = true;
  ++retransmits_;
  send_.rto().BackOff();
  // It is cut to fit a window that the peer has taken back. With a window of 0
  // it is a probe (tcp_retransmit_timer() of Linux).
  SendSide::Piece piece = NextPiece(SendSide::Hold::kNone);
  if (piece.nothing()) piece = send_.Probe();
  TransmitPiece(piece);
  LossState& loss = Loss();
  ++loss.needed;
  const Nanoseconds elapsed =
      kernel_.clock.now() - loss.first_retransmission_at;
  timers_.Set(TcpTimers::kRetransmission,
              kernel_.clock.After(Clamp(Timeout(), elapsed)));
}

// Records the block that `segment` acknowledges selectively. Returns whether it
// is new.
bool TcpSocket::NoteBlock(const Segment& segment) {
  const uint64_t begin = segment.block_begin;
  const uint64_t end = begin + segment.block_size;
  const bool is_in_flight = begin > send_.una() && end <= send_.max();
  if (!is_in_flight || !Loss().selected.Add(begin, end)) return false;
  SkipSelected();
  return true;
}

// Moves SND.NXT over what was selectively acknowledged.
void TcpSocket::SkipSelected() {
  const SequenceRanges::Range* const next =
      loss().selected.EndingAfter(send_.nxt());
  if (next != nullptr && next->begin <= send_.nxt()) send_.SkipTo(next->end);
}

// Something arrived that was sent after the first segment in flight. That is
// lost if it was sent earlier by more than the time that reordering may take
// (RFC 8985; tcp_rack_detect_loss() of Linux, net/ipv4/tcp_recovery.c). On a
// link without delay, that time is shorter than a system call.
void TcpSocket::OnSelectiveAck() {
  if (IsRecovering()) {
    if (!loss_->by_timeout) {
      send_.GoBackTo(loss_->again_end);
      SkipSelected();
      SendMissing();
    } else if (loss_->again_end < loss_->selected.end() &&
               loss_->selected.end() <= loss_->recovery_end) {
      // As ShowsNoLoss().
      UndoRecovery();
    }
    return;
  }
  constexpr int kThreshold = 3;
  const bool many = ++Loss().selective_acks >= kThreshold;
  const Nanoseconds window =
      many ? 0 : std::max<Nanoseconds>(send_.rto().srtt(), 0) / 8;
  const Nanoseconds rest = head_sent_at_ + window - last_sent_at_;
  if (rest <= 0) return RecoverSelectively();
  timer_use_ = TimerUse::kReordering;
  timers_.Set(TcpTimers::kRetransmission,
              kernel_.clock.After(rest + 2 * kTick));
}

void TcpSocket::RecoverSelectively() {
  BeginRecovery();
  Loss().by_timeout = false;
  SendMissing();
  timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(Timeout()));
}

// Sends again, from SND.NXT on, what was sent before something that was
// selectively acknowledged, and was not itself. The rest may still arrive.
void TcpSocket::SendMissing() {
  LossState& loss = Loss();
  while (send_.nxt() < loss.selected.end()) {
    const SendSide::Piece piece = NextPiece(SendSide::Hold::kNone);
    if (piece.nothing()) return;
    TransmitPiece(piece);
    ++loss.needed;
  }
  send_.UndoGoBack();
}

// --- Acknowledgements --------------------------------------------------------

// Updates the state of losses by an acknowledgement that has not yet taken
// effect. `is_duplicate`: it acknowledges nothing new.
void TcpSocket::NoteLossNews(const Segment& segment, bool is_duplicate) {
  LossState& loss = *loss_;
  if (segment.twice_until > loss.recovery_begin && loss.needed > 0) {
    --loss.needed;
  }
  // tcp_process_tlp_ack() of Linux (net/ipv4/tcp_input.c). The acknowledgement
  // of the probe itself does not end it: a segment may have been lost.
  const bool ends_probe = !loss.probe_was_sent_again ||
                          segment.twice_until == loss.probe_end ||
                          segment.ack > loss.probe_end || is_duplicate;
  if (segment.ack >= loss.probe_end && ends_probe) loss.probe_end = 0;
}

// During a recovery. Returns whether a part of the retransmitted segment is
// acknowledged: a retransmission joins small segments into one. Then Linux
// measures nothing and lets the timer run (tcp_clean_rtx_queue() of
// net/ipv4/tcp_input.c).
bool TcpSocket::AcknowledgesLateOrPartly(const Segment& segment) {
  const bool partly = retransmits_ > 0 && segment.ack < send_.nxt();
  // The acknowledged segment was delayed, not lost, if it was sent before the
  // first retransmission (RFC 3522), or if all retransmissions arrived twice
  // (tcp_try_undo_loss() of Linux).
  LossState& loss = *loss_;
  const bool was_delayed =
      segment.echo >= 0 && segment.echo < loss.first_retransmission_at;
  if (was_delayed || loss.needed == 0 || ShowsNoLoss(segment.ack)) {
    UndoRecovery();
  }
  return partly;
}

// Returns whether the acknowledgement of what precedes `ack` shows that a
// timeout was spurious, because some of it was sent only once, before the
// timeout (RFC 5682, section 3, step 3b, as tcp_process_loss() of Linux).
bool TcpSocket::ShowsNoLoss(uint64_t ack) const {
  const LossState& loss = *loss_;
  const uint64_t begin = std::max(send_.una(), loss.again_end);
  const uint64_t end = std::min(ack, loss.recovery_end);
  return loss.by_timeout && begin < end && !loss.selected.Contains(begin, end);
}

void TcpSocket::UndoRecovery() {
  loss_->recovery_end = 0;
  loss_->window.Undo();
  send_.UndoGoBack();
}

}  // namespace net::fake
