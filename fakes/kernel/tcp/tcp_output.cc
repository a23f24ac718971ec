// The parts of TcpSocket that send segments, and the timers.

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

Segment* TcpSocket::Transmit(int flags, uint64_t seq, uint32_t size) {
  if ((flags & Segment::kAck) != 0) {
    if (lacks_memory_) {
      receive_.TakeBackWindow();
    } else if ((flags & Segment::kSyn) != 0) {
      receive_.Announce(FirstWindow());
    } else {
      receive_.Announce(receive_.space().RoundUp(
          std::max(SelectWindow(), receive_.window())));
    }
    acknowledged_ = receive_.nxt();
    if (ack_.owed()) {
      ack_.OnSent();
      timers_.Clear(TcpTimers::kDelayedAck);
    }
  }
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

void TcpSocket::SendSelectiveAck(uint64_t twice_until) {
  Segment* const ack = Transmit(Segment::kAck, seq_of_control(), 0);
  if (ack == nullptr) return;
  ack->twice_until = twice_until;
  ack->out_of_order = twice_until == 0;
}

void TcpSocket::TransmitPiece(const SendSide::Piece& piece, bool probe) {
  const uint64_t end = send_.nxt() + piece.size + (piece.fin ? 1 : 0);
  if (send_.in_flight()) NoteBorders(end);
  if (send_.nxt() == send_.una()) head_sent_at_ = kernel_.clock.now();
  if (end >= send_.max()) {
    last_size_ = static_cast<uint32_t>(end - send_.nxt());
    last_sent_at_ = kernel_.clock.now();
  }
  if (send_.nxt() < send_.max()) {
    Loss().NoteRetransmission(send_.una(), send_.nxt(), end);
  } else if (loss_ != nullptr) {
    loss_->window.OnSent(send_.una(), end);
  }
  Transmit(Segment::kAck | (piece.fin ? Segment::kFin : 0), send_.nxt(),
           piece.size);
  if (piece.size > 0) {
    ack_.OnDataSent(kernel_.clock.now());
    ++data_segs_out_;
    data_sent_at_ = kernel_.clock.now();
  }
  if (send_.nxt() < send_.max()) ++total_retrans_;
  send_.OnSent(piece, probe);
}

SendSide::Hold TcpSocket::HoldFor(bool more) const {
  if (more || options_.cork()) return SendSide::Hold::kCork;
  return options_.nodelay() ? SendSide::Hold::kNone : SendSide::Hold::kNagle;
}

void TcpSocket::Push(SendSide::Hold hold) {
  // After a timeout, the acknowledgement of the first segment comes first.
  if (retransmits_ > 0 && send_.in_flight()) return;
  const bool restart = !send_.in_flight() || timer_use_ == TimerUse::kLossProbe;
  bool sent = false;
  for (SendSide::Piece piece = NextPiece(hold); !piece.nothing();
       piece = NextPiece(hold)) {
    if (send_.nxt() == send_.max() && !loss().window.Admits()) break;
    TransmitPiece(piece);
    sent = true;
  }
  if (sent && SetLossProbe(/*after_ack=*/false)) return;
  if (sent && restart) return RestartRetransmissionTimer();
  SetRetransmissionTimer();
}

// --- The receive window ------------------------------------------------------

ReceiveWindow::Memory TcpSocket::memory() const {
  const auto ready = static_cast<uint32_t>(receive_.ready());
  return {.buffer = static_cast<uint32_t>(options_.rcvbuf()),
          .used = ready == 0 ? 0 : ready + ReceiveWindow::kOverhead};
}

uint32_t TcpSocket::FirstWindow() const {
  return ReceiveWindow::First(memory().buffer, kFirstWindow);
}

// As __tcp_select_window() of Linux (net/ipv4/tcp_output.c).
uint32_t TcpSocket::SelectWindow() {
  if (receive_.space().IsScarce(memory())) ack_.EndQuickMode();
  return receive_.space().Select(memory(), ack_.segment(), announced_window());
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

// A route with the metric quickack ends the delay of acknowledgements
// (ip-route(8)).
bool TcpSocket::quick_ack_route() const {
  return host_.machine.quick_ack_on_loopback() &&
         Machine::IsLoopback(tuple().remote.addr);
}

// As __tcp_ack_snd_check() of Linux (net/ipv4/tcp_input.c).
void TcpSocket::AcknowledgeArrival() {
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
                kernel_.clock.After(ack_.delay(send_.rto().srtt())));
  }
}

// --- Timers ------------------------------------------------------------------

Nanoseconds TcpSocket::Timeout() const {
  const FakeSysctls& limits = sysctls();
  return send_.rto().Get(limits.tcp_rto_min_us * (kSecond / 1000000),
                         limits.tcp_rto_max_ms * (kSecond / 1000));
}

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
