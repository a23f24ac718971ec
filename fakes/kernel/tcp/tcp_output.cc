// The parts of TcpSocket that send segments, and the timers. What each segment
// with data needs is inlined, because the calls would take as long as the rest.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/send_side.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/tcp_timers.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

// --- Segments ----------------------------------------------------------------

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

[[gnu::always_inline]] inline Segment* TcpSocket::TransmitInline(
    int flags, uint64_t seq, uint32_t size) {
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
  Segment& segment = kernel_.network.Add();
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
  segment.out_of_order = false;
  segment.mss = static_cast<uint16_t>(options_.maxseg());
  segment.flags = static_cast<uint8_t>(flags);
  segment.ttl =
      static_cast<uint8_t>(options_.ttl(tuple().local.addr.is_v6(), sysctls()));
  return &segment;
}

Segment* TcpSocket::Transmit(int flags, uint64_t seq, uint32_t size) {
  return TransmitInline(flags, seq, size);
}

void TcpSocket::SendSelectiveAck(uint64_t twice_until) {
  Segment* const ack = Transmit(Segment::kAck, seq_of_control(), 0);
  if (ack == nullptr) return;
  ack->twice_until = twice_until;
  ack->out_of_order = twice_until == 0;
}

[[gnu::always_inline]] inline void TcpSocket::TransmitPieceInline(
    SendSide::Piece piece, bool probe) {
  const Nanoseconds now = kernel_.clock.now();
  const uint64_t end = send_.nxt() + piece.size + (piece.fin ? 1 : 0);
  if (send_.in_flight()) NoteBorders(end);
  if (send_.nxt() == send_.una()) head_sent_at_ = now;
  if (end >= send_.max()) {
    last_size_ = static_cast<uint32_t>(end - send_.nxt());
    last_sent_at_ = now;
  }
  const bool again = send_.nxt() < send_.max();
  if (again) {
    Loss().NoteRetransmission(send_.una(), send_.nxt(), end);
    ++total_retrans_;
  }
  TransmitInline(Segment::kAck | (piece.fin ? Segment::kFin : 0), send_.nxt(),
                 piece.size);
  if (piece.size > 0) {
    ack_.OnDataSent(now);
    ++data_segs_out_;
    data_sent_at_ = now;
  }
  send_.OnSent(piece, probe);
  if (!again && loss_ != nullptr) {
    loss_->window.OnSent(send_.una(), end, SegmentsBefore(end));
  }
}

void TcpSocket::TransmitPiece(SendSide::Piece piece, bool probe) {
  TransmitPieceInline(piece, probe);
}

void TcpSocket::Push(SendSide::Hold hold) {
  // After a timeout, the acknowledgement of the first segment comes first.
  if (retransmits_ > 0 && send_.in_flight()) return;
  if (send_.everything_sent()) return SetRetransmissionTimer();
  const bool restart = !send_.in_flight() || timer_use_ == TimerUse::kLossProbe;
  bool sent = false;
  while (!send_.everything_sent()) {
    const SendSide::Piece piece = NextPiece(hold);
    if (piece.nothing()) break;
    if (send_.nxt() == send_.max() && loss_ != nullptr &&
        !loss_->window.Admits(SegmentsBefore(send_.max()))) {
      break;
    }
    TransmitPieceInline(piece, /*probe=*/false);
    sent = true;
  }
  if (sent && SetLossProbe(/*after_ack=*/false)) return;
  if (sent && restart) return RestartRetransmissionTimer();
  SetRetransmissionTimer();
}

// --- The receive window ------------------------------------------------------

uint32_t TcpSocket::FirstWindow() const {
  return ReceiveWindow::First(memory().buffer, kFirstWindow);
}

// As tcp_cleanup_rbuf() of Linux (net/ipv4/tcp.c).
void TcpSocket::AfterRead(bool took) {
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

// --- Timers ------------------------------------------------------------------

void TcpSocket::SetRetransmissionTimer() {
  if (send_.Unacknowledged() == 0) {
    timers_.Clear(TcpTimers::kRetransmission);
  } else if (!timers_.IsSet(TcpTimers::kRetransmission)) {
    timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(Timeout()));
  }
}

void TcpSocket::OnTimer(TcpTimers::Kind kind) {
  switch (kind) {
    case TcpTimers::kRetransmission:
      OnRetransmissionTimer();
      break;
    case TcpTimers::kDelayedAck:
      ack_.OnTimer(Timeout());
      SendAck();
      break;
    case TcpTimers::kKeepalive:
      OnKeepaliveTimer();
      break;
  }
  kernel_.network.Deliver();
}

void TcpSocket::OnRetransmissionTimer() {
  if (state_ == TcpState::kSynSent) {
    RetransmitSyn();
  } else if (state_ == TcpState::kSynReceived) {
    RetransmitSynAck();
  } else if (send_.in_flight()) {
    OnLossTimer();
  } else if (send_.Unacknowledged() > 0) {
    ProbeWindow();
  }
}

Nanoseconds TcpSocket::Clamp(Nanoseconds timeout, Nanoseconds elapsed) const {
  if (user_timeout() == 0) return timeout;
  // TCP_TIMEOUT_MIN of Linux.
  constexpr Nanoseconds kLeast = kSecond / 125;
  return std::min(timeout, std::max(user_timeout() - elapsed, kLeast));
}

// tcp_probe_timer() of Linux (net/ipv4/tcp_timer.c). As long as the peer
// answers, probes go on for ever (RFC 9293, section 3.8.6.1), unless the
// program has set a limit or is gone.
bool TcpSocket::ProbedForTooLong() const {
  const Nanoseconds first = loss().first_window_probe_at;
  if (user_timeout() > 0 && first >= 0 &&
      kernel_.clock.now() - first >= user_timeout()) {
    return true;
  }
  const FakeSysctls& limits = sysctls();
  if (!orphaned()) return probes_ >= limits.tcp_retries2;
  const int retries =
      limits.tcp_orphan_retries > 0 ? limits.tcp_orphan_retries : 8;
  return probes_ >= retries;
}

// It also sends data that has been held back for too long.
void TcpSocket::ProbeWindow() {
  if (ProbedForTooLong()) return TimeOut();
  const SendSide::Piece piece = send_.Probe();
  if (!piece.nothing()) {
    // The data that was held back is in flight now, which ends the probes.
    probes_ = 0;
    send_.rto().EndBackOff();
    RestartRetransmissionTimer();
    return TransmitPiece(piece, /*probe=*/true);
  }
  Nanoseconds& first = Loss().first_window_probe_at;
  if (first < 0) first = kernel_.clock.now();
  // An old byte, to which the peer replies.
  Transmit(Segment::kAck, send_.una() - 1, 0);
  ++probes_;
  // So does tcp_send_probe0() of Linux (net/ipv4/tcp_output.c).
  if (send_.rto().doublings() < sysctls().tcp_retries2) send_.rto().BackOff();
  timers_.Set(
      TcpTimers::kRetransmission,
      kernel_.clock.After(Clamp(Timeout(), kernel_.clock.now() - first)));
}

// --- Keepalive ---------------------------------------------------------------

void TcpSocket::StartKeepalive() {
  heard_at_ = kernel_.clock.now();
  if (!options_.keep_alive()) return;
  timers_.Set(TcpTimers::kKeepalive,
              kernel_.clock.After(options_.keepidle(sysctls()) * kSecond));
}

void TcpSocket::OnKeepaliveOption(int level, int name, bool was_on) {
  if (!connected()) return;
  if (level == SOL_SOCKET && name == SO_KEEPALIVE) {
    if (!options_.keep_alive()) {
      timers_.Clear(TcpTimers::kKeepalive);
    } else if (!was_on) {
      timers_.Set(TcpTimers::kKeepalive,
                  kernel_.clock.After(options_.keepidle(sysctls()) * kSecond));
    }
  } else if (level == IPPROTO_TCP && name == TCP_KEEPIDLE &&
             options_.keep_alive()) {
    timers_.Set(TcpTimers::kKeepalive,
                std::max(kernel_.clock.now(),
                         heard_at_ + options_.keepidle(sysctls()) * kSecond));
  }
}

// tcp_keepalive_timer() of Linux (net/ipv4/tcp_timer.c).
void TcpSocket::OnKeepaliveTimer() {
  if (!connected() || !options_.keep_alive()) return;
  const Nanoseconds idle = options_.keepidle(sysctls()) * kSecond;
  const Nanoseconds elapsed = kernel_.clock.now() - heard_at_;
  Nanoseconds next = idle;
  // While sent bytes are unacknowledged, their retransmission finds a dead
  // peer.
  if (send_.Unacknowledged() == 0) {
    if (elapsed < idle) {
      next = idle - elapsed;
    } else if (user_timeout() > 0 ? elapsed >= user_timeout() && probes_ > 0
                                  : probes_ >= options_.keepcnt(sysctls())) {
      SendReset();
      return TimeOut();
    } else {
      Transmit(Segment::kAck, send_.una() - 1, 0);
      ++probes_;
      next = options_.keepintvl(sysctls()) * kSecond;
    }
  }
  timers_.Set(TcpTimers::kKeepalive, kernel_.clock.After(next));
}

}  // namespace net::fake
