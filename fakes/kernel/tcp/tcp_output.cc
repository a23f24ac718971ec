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
#include "fakes/kernel/tcp/sequence_ranges.h"
#include "fakes/kernel/tcp/tcp_data_path.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/tcp_timers.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

// --- Segments ----------------------------------------------------------------

Segment* TcpSocket::Transmit(int flags, uint64_t seq, uint32_t size) {
  return TransmitInline(flags, seq, size);
}

void TcpSocket::SendDuplicateAck(uint64_t twice_until) {
  Segment* const ack = Transmit(Segment::kAck, seq_of_control(), 0);
  if (ack == nullptr) return;
  ack->twice_until = twice_until;
}

void TcpSocket::AddBlock(Segment& segment) const {
  const SequenceRanges::Range block = receive_.out_of_order()->Block();
  if (block.begin <= segment.ack) return;
  segment.block_begin = block.begin;
  segment.block_size = static_cast<uint32_t>(block.end - block.begin);
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

uint32_t TcpSocket::SelectSmallerWindow() {
  const ReceiveWindow::Memory used = memory();
  if (receive_.space().IsScarce(used)) ack_.EndQuickMode();
  return receive_.space().Select(used, ack_.segment(), announced_window());
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
