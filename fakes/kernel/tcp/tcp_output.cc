// What a TcpSocket sends, and when it sends it again.

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/tcp/segment.h"
#include "fakes/kernel/tcp/send_side.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/tcp_timers.h"

namespace net::fake {

// --- Segments ----------------------------------------------------------------

void TcpSocket::Transmit(int flags, uint64_t seq, uint32_t size) {
  if ((flags & Segment::kAck) != 0) {
    receive_.Announce(WindowToOffer());
    owes_ack_ = false;
  }
  // Linux sends the SYN-ACK for a listener, whatever that has spoken before.
  constexpr int kSynAck = Segment::kSyn | Segment::kAck;
  if ((flags & kSynAck) != kSynAck && unheard()) return;
  Segment& segment = kernel_.network.Add();
  segment.from = this;
  segment.connection = connection_;
  segment.seq = seq;
  segment.ack = receive_.nxt();
  segment.size = size;
  segment.window = receive_.window();
  segment.sent_at = kernel_.clock.now();
  segment.echo = echo_;
  segment.mss = static_cast<uint16_t>(options_.maxseg());
  segment.flags = static_cast<uint8_t>(flags);
  segment.ttl =
      static_cast<uint8_t>(options_.ttl(tuple().local.addr.is_v6(), sysctls()));
}

void TcpSocket::TransmitPiece(const SendSide::Piece& piece) {
  if (!send_.in_flight()) {
    timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(Timeout()));
  }
  Transmit(Segment::kAck | (piece.fin ? Segment::kFin : 0), send_.nxt(),
           piece.size);
  send_.OnSent(piece);
}

SendSide::Hold TcpSocket::HoldFor(bool more) const {
  if (more || options_.cork()) return SendSide::Hold::kCork;
  return options_.nodelay() ? SendSide::Hold::kNone : SendSide::Hold::kNagle;
}

void TcpSocket::Push(SendSide::Hold hold) {
  // After a timeout, the acknowledgement of the first segment comes first.
  if (retransmits_ > 0 && send_.in_flight()) return;
  for (SendSide::Piece piece = send_.Next(hold); !piece.nothing();
       piece = send_.Next(hold)) {
    TransmitPiece(piece);
  }
  SetRetransmissionTimer();
}

// --- The receive window ------------------------------------------------------

uint64_t TcpSocket::WindowToOffer() const {
  const size_t window = Window();
  if (receive_.nxt() <= 1 && receive_.window_end() <= 1) {
    return std::min<size_t>(window, kFirstWindow);
  }
  const size_t ready = receive_.ready();
  const size_t free = window > ready ? window - ready : 0;
  // Too little is nothing (RFC 9293, section 3.8.6.2.2).
  return free < std::min<size_t>(window / 2, send_.mss()) ? 0 : free;
}

void TcpSocket::AnnounceRoom() {
  if (receive_.fin_received() || (shut_down_ & kReceive) != 0) return;
  if (state_ != TcpState::kEstablished && state_ != TcpState::kFinWait1 &&
      state_ != TcpState::kFinWait2) {
    return;
  }
  // As tcp_cleanup_rbuf() of Linux (net/ipv4/tcp.c).
  const uint64_t offer = WindowToOffer();
  if (offer > 0 && offer >= 2 * uint64_t{receive_.window()}) SendAck();
}

// --- Timers ------------------------------------------------------------------

Nanoseconds TcpSocket::Timeout() const {
  const FakeSysctls& limits = sysctls();
  return send_.rto().Get(limits.tcp_rto_min_us * (kSecond / 1000000),
                         limits.tcp_rto_max_ms * (kSecond / 1000));
}

void TcpSocket::SetRetransmissionTimer() {
  if (deferred_) return;
  if (send_.Unacknowledged() == 0) {
    timers_.Clear(TcpTimers::kRetransmission);
  } else if (!timers_.IsSet(TcpTimers::kRetransmission)) {
    timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(Timeout()));
  }
}

void TcpSocket::OnTimer(TcpTimers::Kind kind) {
  if (kind == TcpTimers::kRetransmission) OnRetransmissionTimer();
  kernel_.network.Deliver();
}

void TcpSocket::OnRetransmissionTimer() {
  if (state_ == TcpState::kSynSent) {
    RetransmitSyn();
  } else if (deferred_) {
    StopDeferring();
  } else if (state_ == TcpState::kSynReceived) {
    RetransmitSynAck();
  } else if (send_.in_flight()) {
    Retransmit();
  } else if (send_.Unacknowledged() > 0) {
    ProbeWindow();
  }
}

void TcpSocket::Retransmit() {
  // The first one is Linux's tail loss probe (RFC 8985, section 7), which
  // starts no backoff.
  if (++retransmits_ > 1) send_.rto().BackOff();
  send_.GoBack();
  TransmitPiece(send_.Next(SendSide::Hold::kNone));
  timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(Timeout()));
}

// RFC 9293, section 3.8.6.1. Also what is held back for too long goes out in
// this way.
void TcpSocket::ProbeWindow() {
  const SendSide::Piece piece = send_.Probe();
  if (!piece.nothing()) return TransmitPiece(piece);
  // An old byte, to which the peer replies.
  Transmit(Segment::kAck, send_.una() - 1, 0);
  send_.rto().BackOff();
  timers_.Set(TcpTimers::kRetransmission, kernel_.clock.After(Timeout()));
}

}  // namespace net::fake
