#ifndef FAKES_KERNEL_TCP_TCP_DATA_PATH_H_
#define FAKES_KERNEL_TCP_TCP_DATA_PATH_H_

#include <sys/uio.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "absl/base/optimization.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/tcp/network.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/send_side.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/tcp_timers.h"
#include "fakes/kernel/user_memory.h"

// Defines the functions of TcpSocket that process each segment with data, and
// each send(2) and recv(2) that passes data on. They are inlined: calling them
// would take as long as what they do.

namespace net::fake {

// Lets the compiler leave out what cannot happen if the condition is true.
// (clang rejects ABSL_ASSUME() of an expression that calls functions.)
[[gnu::always_inline]] inline void Assume(bool condition) {
  ABSL_ASSUME(condition);
}

// --- How much fits ----------------------------------------------------------

// On Linux it depends on the sizes of the sends, because the kernel's own
// overhead counts, too. This was measured with sends of 64 KiB that nobody
// reads.
inline size_t TcpSocket::Capacity() const {
  if (options_.sndbuf_locked()) return static_cast<size_t>(options_.sndbuf());
  return static_cast<size_t>(sysctls().tcp_wmem.max) / 16 * 15;
}

// Returns whether send(2) of this buffer neither waits nor fails.
inline bool TcpSocket::CanSendAtOnce(const iovec& part) const {
  const bool open = state_ == TcpState::kEstablished && error_ == 0 &&
                    (shut_down_ & kSend) == 0 && !deferred_connect_ &&
                    peer() != nullptr;
  return open && part.iov_len > 0 && options_.notsent_lowat() == 0 &&
         send_.UnacknowledgedBytes() + part.iov_len <= Capacity() &&
         IsUserAddress(part.iov_base, part.iov_len);
}

// Returns whether recv(2) into a valid buffer returns data immediately.
inline bool TcpSocket::CanRecvAtOnce(size_t size) const {
  return std::min(receive_.ready(), size) >=
             LowWaterMark(size, /*all=*/false) &&
         state_ != TcpState::kListen && options_.peek_off() < 0;
}

// --- Sending ----------------------------------------------------------------

// Announces a window and acknowledges what has arrived, with a segment that is
// sent now.
[[gnu::always_inline]] inline void TcpSocket::NoteAcknowledgement(int flags) {
  if (lacks_memory_) {
    receive_.TakeBackWindow();
  } else if ((flags & Segment::kSyn) != 0) {
    receive_.Announce(FirstWindow());
  } else {
    receive_.Announce(
        receive_.space().RoundUp(std::max(SelectWindow(), receive_.window())));
  }
  acknowledged_ = receive_.nxt();
  if (ack_.owed()) {
    ack_.OnSent();
    timers_.Clear(TcpTimers::kDelayedAck);
  }
}

// `own`: the segment, or null to put it into the network's queue.
[[gnu::always_inline]] inline Segment* TcpSocket::TransmitInline(int flags,
                                                                 uint64_t seq,
                                                                 uint32_t size,
                                                                 Segment* own) {
  if ((flags & Segment::kAck) != 0) NoteAcknowledgement(flags);
  // Linux sends the SYN-ACK for a listener, whatever that has spoken before,
  // and does not count it.
  constexpr int kSynAck = Segment::kSyn | Segment::kAck;
  if ((flags & kSynAck) != kSynAck || listener_ == nullptr) {
    ++segs_out_;
  } else {
    head_sent_at_ = kernel_.clock.now();
  }
  if ((flags & kSynAck) != kSynAck && loses_all_segments()) return nullptr;
  Segment& segment = own != nullptr ? *own : kernel_.network.Add();
  segment.from = this;
  segment.host = &host_;
  segment.connection = connection_;
  segment.seq = seq;
  segment.ack = receive_.nxt();
  segment.size = size;
  segment.window = receive_.window();
  segment.sent_at = kernel_.clock.now();
  segment.echo = echo_;
  segment.twice_until = 0;
  segment.block_size = 0;
  segment.mss = static_cast<uint16_t>(options_.maxseg());
  segment.flags = static_cast<uint8_t>(flags);
  segment.ttl =
      static_cast<uint8_t>(options_.ttl(tuple().local.addr.is_v6(), sysctls()));
  if (receive_.out_of_order() != nullptr) AddBlock(segment);
  return &segment;
}

[[gnu::always_inline]] inline void TcpSocket::TransmitPieceInline(
    SendSide::Piece piece, bool probe, Segment* own) {
  const Nanoseconds now = kernel_.clock.now();
  const uint64_t end = send_.nxt() + piece.size + (piece.fin ? 1 : 0);
  if (send_.in_flight()) NoteBorders(end);
  if (send_.nxt() == send_.una()) head_sent_at_ = now;
  if (end >= send_.max()) {
    last_size_ = static_cast<uint32_t>(end - send_.nxt());
    last_sent_at_ = now;
  }
  const bool again = send_.nxt() < send_.max();
  if (again) NoteRetransmission(piece);
  TransmitInline(Segment::kAck | (piece.fin ? Segment::kFin : 0), send_.nxt(),
                 piece.size, own);
  if (piece.size > 0) {
    ack_.OnDataSent(now);
    ++data_segs_out_;
    data_sent_at_ = now;
  }
  send_.OnSent(piece, probe);
  if (again) {
    SkipSelected();
  } else if (loss_ != nullptr) {
    loss_->window.OnSent(send_.una(), end, SegmentsBefore(end));
  }
}

// The timer of the loss probe (RFC 8985, section 7), as
// tcp_schedule_loss_probe() of Linux (net/ipv4/tcp_output.c) sets it. Returns
// false if there is none: the timer is that of the retransmission.
[[gnu::always_inline]] inline bool TcpSocket::SetLossProbe(bool after_ack) {
  if (!send_.in_flight() || IsDisordered()) return false;
  const Nanoseconds now = kernel_.clock.now();
  const Nanoseconds min = least_timeout();
  const Nanoseconds max = sysctls().tcp_rto_max_ms * (kSecond / 1000);
  // The usual result over a perfect link.
  const bool is_least =
      one_in_flight() && min <= max && send_.rto().IsLeast(min) &&
      send_.rto().doublings() == 0 && (after_ack || head_sent_at_ == now);
  const Nanoseconds timeout = is_least ? min : LossProbeTimeout(after_ack);
  timer_use_ = TimerUse::kLossProbe;
  timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(timeout));
  return true;
}

// --- Receiving --------------------------------------------------------------

// Returns whether `segment` is what an open connection expects next: data, an
// acknowledgement of all that was sent, or both. Linux, too, has a shorter path
// for such a segment (header prediction, in tcp_rcv_established() of
// net/ipv4/tcp_input.c).
inline bool TcpSocket::IsPredicted(const Segment& segment) const {
  return segment.flags == Segment::kAck && state_ == TcpState::kEstablished &&
         segment.connection == connection_ && segment.seq == receive_.nxt() &&
         segment.ack == send_.max() && send_.Unsent() == 0 && probes_ == 0 &&
         loss_ == nullptr && receive_.out_of_order() == nullptr;
}

// Does what OnOtherSegment() would do.
[[gnu::always_inline]] inline void TcpSocket::OnPredicted(
    const Segment& segment) {
  // Without the segment itself, so that one that was not queued is never put
  // into memory.
  const uint64_t seq = segment.seq;
  const uint64_t ack = segment.ack;
  const uint32_t size = segment.size;
  const Nanoseconds now = kernel_.clock.now();
  if (seq == acknowledged_) echo_ = segment.sent_at;
  heard_at_ = now;
  const uint64_t window_before = send_.window_end();
  send_.OnWindow(ack, segment.window);
  bool has_news = send_.window_end() != window_before;
  if (send_.in_flight()) {
    assert(send_.una() > 0);  // The SYN is acknowledged.
    has_news = true;
    AdvanceTo(ack);
    if (head_sent_at_ == now && send_.rto().IsLeast(least_timeout())) {
      send_.rto().MeasureLeast(send_.una(), send_.max());
    } else {
      NoteRoundTrip(now - head_sent_at_);
    }
    RestartAfterAck();
  } else if (has_news) {
    OnIdleWindow();
  }
  if (size > 0) TakeData(seq, size, now, /*has_gap=*/false);
  if (has_news) AfterNews();
  AcknowledgeArrival();
}

// Called after a segment that may allow this end to send.
[[gnu::always_inline]] inline void TcpSocket::AfterNews() {
  PushPending();
  // tcp_check_space() of Linux (net/ipv4/tcp_input.c).
  if (lacks_send_room_) WakeIfWritable();
}

// The peer has acknowledged everything before `ack`.
inline void TcpSocket::AdvanceTo(uint64_t ack) {
  send_.OnAck(ack);
  if (borders_ != nullptr) borders_->OnAck(ack);
  retransmits_ = 0;
}

// A whole segment was acknowledged.
[[gnu::always_inline]] inline void TcpSocket::RestartAfterAck() {
  send_.rto().EndBackOff();
  if (one_in_flight()) head_sent_at_ = last_sent_at_;
  timers_.Clear(TcpTimers::kRetransmission);
  timer_use_ = TimerUse::kTimeout;
  if (send_.Unacknowledged() == 0) return;
  if (!SetLossProbe(/*after_ack=*/true)) SetRetransmissionTimer();
}

// The window has moved while nothing is in flight. Ends the probes of a closed
// window.
inline void TcpSocket::OnIdleWindow() {
  send_.rto().EndBackOff();
  if (loss_ != nullptr) loss_->first_window_probe_at = -1;
  timers_.Clear(TcpTimers::kRetransmission);
}

// Linux takes memory in pages, and a segment that fits into the rest of the
// last one still has room. (Measured on Linux 6.18, with segments of 10 to
// 32741 bytes.)
[[gnu::always_inline]] inline bool TcpSocket::LacksMemoryFor(
    uint32_t size) const {
  constexpr size_t kPage = 4096;
  constexpr size_t kOverhead = 960;  // Of a segment.
  const size_t ready = receive_.ready();
  if (ready <= static_cast<size_t>(options_.rcvbuf())) return false;
  return size + kOverhead > kPage - (ready + kOverhead) % kPage;
}

// Makes room for a segment with `size` bytes, if necessary and possible: the
// window may admit more than the memory. As tcp_clamp_window() of Linux
// (net/ipv4/tcp_input.c).
inline bool TcpSocket::MakeRoomFor(uint32_t size) {
  if (!LacksMemoryFor(size)) return true;
  ack_.EndQuickMode();
  options_.GrowRcvBuf(static_cast<int>(memory().used), sysctls());
  return !LacksMemoryFor(size);
}

// Takes the `size` bytes of a segment that does not begin after what has
// arrived. `has_gap`: something had arrived out of order.
[[gnu::always_inline]] inline void TcpSocket::TakeData(uint64_t seq,
                                                       uint32_t size,
                                                       Nanoseconds now,
                                                       bool has_gap) {
  const uint64_t end = seq + size;
  const uint64_t before = receive_.nxt();
  if (end > before && !MakeRoomFor(size)) {
    // Linux drops the whole segment, and takes the window back
    // (tcp_data_queue() in net/ipv4/tcp_input.c, ICSK_ACK_NOMEM).
    lacks_memory_ = true;
    SendAck();
    lacks_memory_ = false;
    return;
  }
  const size_t taken = receive_.Take(end);
  if (taken == 0) return end <= before ? SendDuplicateAck(end) : SendAck();
  if (options_.stamps_arrivals()) NoteArrival(before);
  NoteData(size, now);
  if (has_gap) receive_.TakeKept();
  if (taken != size || before != seq) {
    seq < before ? SendDuplicateAck(before) : SendAck();
  }
  WakeIfReadable();
}

// A segment with `size` bytes of new data is in the queue: as
// tcp_event_data_recv() of Linux (net/ipv4/tcp_input.c).
[[gnu::always_inline]] inline void TcpSocket::NoteData(uint32_t size,
                                                       Nanoseconds now) {
  if (ack_.IsRoutine(size, now)) {
    ack_.OnRoutineData(now);
  } else {
    NoteUnusualData(size, now);
  }
  if (size >= ReceiveWindow::kSmall &&
      receive_.space().Grow(size, memory(), kFirstWindow)) {
    ack_.OnWindowGrown();
  }
}

// A route with the metric quickack ends the delay of acknowledgements
// (ip-route(8)).
inline bool TcpSocket::quick_ack_route() const {
  return host_.machine.quick_ack_on_loopback() &&
         Machine::IsLoopback(tuple().remote.addr);
}

// As __tcp_ack_snd_check() of Linux (net/ipv4/tcp_input.c).
[[gnu::always_inline]] inline void TcpSocket::AcknowledgeArrival() {
  if (!ack_.owed()) return;
  const uint64_t unacknowledged = receive_.nxt() - acknowledged_;
  // Of more than a segment, if its acknowledgement moves the window, or if the
  // program waits for more.
  const bool counts =
      unacknowledged > ack_.segment() &&
      (receive_.ready() < static_cast<size_t>(options_.rcvlowat()) ||
       SelectWindow() >= announced_window());
  if (quick_ack_route() || ack_.IsDueOnArrival(counts ? unacknowledged : 0)) {
    SendAck();
  } else if (!timers_.IsSet(TcpTimers::kDelayedAck)) {
    timers_.Set(TcpTimers::kDelayedAck,
                kernel_.clock.After(ack_.has_short_delay()
                                        ? ack_.ato()
                                        : ack_.delay(send_.rto().srtt())));
  }
}

// Counts a segment that has arrived.
inline void TcpSocket::CountArrival(const Segment& segment) {
  ++segs_in_;
  if (segment.size > 0) ++data_segs_in_;
}

// --- Reading ----------------------------------------------------------------

// As tcp_cleanup_rbuf() of Linux (net/ipv4/tcp.c).
[[gnu::always_inline]] inline void TcpSocket::AfterRead(bool took) {
  if (!connected()) return;
  bool now = ack_.IsDueOnRead(receive_.nxt() - acknowledged_,
                              took && receive_.ready() == 0);
  const bool may_receive =
      !receive_.fin_received() && (shut_down_ & kReceive) == 0;
  if (!now && took && may_receive) {
    const uint32_t twice = 2 * receive_.window();
    if (twice <= receive_.space().Clamp(memory().buffer)) {
      const uint32_t offer = SelectWindow();
      now = offer > 0 && offer >= twice;
    }
  }
  if (now) SendAck();
}

// --- At once -----------------------------------------------------------------

// Returns whether no segment is held back or lost between the two ends, so that
// the next one reaches the other end within the call, and is what that end
// expects (IsPredicted()), if CanPassOn(). The calls that do not change
// KernelMutex::disturbances() do not change this.
inline bool TcpSocket::MayPassOn() const {
  const TcpSocket* const other = peer();
  if (other == nullptr || other == this) return false;
  const TcpSocket& there = *other;
  const bool is_usual = state_ == TcpState::kEstablished && error_ == 0 &&
                        (shut_down_ & kSend) == 0 && !deferred_connect_ &&
                        !spoke_ipv4_ && loss_ == nullptr &&
                        receive_.out_of_order() == nullptr &&
                        !options_.cork() && options_.notsent_lowat() == 0 &&
                        Capacity() >= send_.mss();
  const bool arrives = kernel_.network.IsPerfect() && host_.on &&
                       host_.machine.loopback_up() &&
                       host_.machine.IsLocal(tuple().remote.addr) &&
                       there.options_.has_no_min_ttl();
  Segment next;
  next.flags = Segment::kAck;
  next.connection = connection_;
  next.seq = send_.max();
  next.ack = receive_.nxt();
  return is_usual && arrives && there.IsPredicted(next) &&
         send_.everything_sent() && send_.nxt() == send_.max() &&
         there.receive_.has_all_written() &&
         send_.window_end() <= there.receive_.window_end();
}

// Returns whether the next `size` bytes make one segment, which is sent now.
// Requires MayPassOn().
inline bool TcpSocket::CanPassOn(size_t size) const {
  const TcpSocket& there = *peer();
  return !send_.in_flight() && size <= send_.segment() &&
         send_.max() + size <= send_.window_end() &&
         there.receive_.ready() <= static_cast<size_t>(there.options_.rcvbuf());
}

// Sends data and delivers it: what Push() and Network::Deliver() do if
// CanPassOn(), without the queue of segments.
[[gnu::always_inline]] inline void TcpSocket::PassOn(const char* data,
                                                     size_t size) {
  TcpSocket& there = *peer();
  there.receive_.queue().Append(kernel_.chunks, data, size);
  send_.Write(size);
  // The branches for other cases are not compiled.
  Assume(!send_.in_flight());
  Assume(send_.nxt() == send_.max());
  Assume(!spoke_ipv4_);
  Assume(loss_ == nullptr);
  Assume(there.loss_ == nullptr);
  Assume(receive_.out_of_order() == nullptr);
  Assume(there.receive_.out_of_order() == nullptr);
  [[maybe_unused]] const uint64_t end = send_.max() + size;
  Segment segment;
  TransmitPieceInline({.size = static_cast<uint32_t>(size)}, /*probe=*/false,
                      &segment);
  SetLossProbe(/*after_ack=*/false);
  assert(there.IsPredicted(segment));
  there.CountArrival(segment);
  Assume(there.send_.max() == segment.ack);
  Assume(there.send_.Unsent() == 0);
  there.OnPredicted(segment);
  assert(there.receive_.nxt() == end);
}

// Implements recv(2) if CanRecvAtOnce(). Returns the number of bytes.
[[gnu::always_inline]] inline size_t TcpSocket::RecvAtOnce(const iovec& part) {
  const size_t size = std::min(receive_.ready(), part.iov_len);
  receive_.queue().Take(kernel_.chunks, static_cast<char*>(part.iov_base),
                        size);
  receive_.OnRead(size);
  AfterRead(/*took=*/true);
  return size;
}

[[gnu::always_inline]] inline size_t TcpSocket::RecvQuickly(void* data,
                                                            size_t size,
                                                            int flags) {
  const iovec part = {.iov_base = data, .iov_len = size};
  const bool is_usual = (flags & ~kUsualFlags) == 0 &&
                        IsUserAddress(data, size) && CanRecvAtOnce(size);
  return is_usual ? RecvAtOnce(part) : 0;
}

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_TCP_DATA_PATH_H_
