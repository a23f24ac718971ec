// What arrives at a TcpSocket from the other end: RFC 9293, section 3.10.7, as
// Linux does it.

#include <cerrno>

#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/time_wait.h"

namespace net::fake {
namespace {

constexpr Nanoseconds kTimeWaitLength = 60 * kSecond;

}  // namespace

TimeWait* TcpSocket::PeerTimeWait() const {
  if (!in_table()) return nullptr;
  ConnectionEnd* const end = kernel_.connections.Find(tuple().Mirrored());
  return end == nullptr ? nullptr : end->time_wait();
}

// Data after both directions were shut down here has nobody to go to, and the
// sender must learn that (RFC 1122, section 4.2.2.13).
bool TcpSocket::RefusesData() const {
  return (state_ == TcpState::kFinWait1 || state_ == TcpState::kFinWait2) &&
         (shut_down_ & kReceive) != 0;
}

void TcpSocket::OnFin() {
  shut_down_ |= kReceive;
  fin_received_ = true;
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
  if (deferred_) StopDeferring();
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
  fin_waits_ = false;
  // What had not arrived never will.
  in_.Truncate(kernel_.chunks, ready_);
  Done();
}

void TcpSocket::OnNobodyThere() {
  if (TimeWait* const timewait = PeerTimeWait()) timewait->Kill();
  OnReset();
}

}  // namespace net::fake
