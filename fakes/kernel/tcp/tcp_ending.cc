// The parts of TcpSocket that end a connection: shutdown(2), close(2).

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/time_wait.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net::fake {

bool TcpSocket::EndStream() {
  switch (state_) {
    case TcpState::kSynReceived:
    case TcpState::kEstablished:
      SetState(TcpState::kFinWait1);
      return true;
    case TcpState::kCloseWait:
      SetState(TcpState::kLastAck);
      return true;
    case TcpState::kSynSent:
      SetState(TcpState::kClosed);
      return false;
    default:
      return false;
  }
}

void TcpSocket::SendFin() {
  send_.WriteFin();
  Push(SendSide::Hold::kNone);
}

SysResult TcpSocket::Shutdown(int how) {
  if (how < SHUT_RD || how > SHUT_RDWR) return SysResult::Error(EINVAL);
  const auto directions = static_cast<uint8_t>(how + 1);
  if (socket_state_ == SocketState::kConnecting) {
    socket_state_ = state_ == TcpState::kSynSent || state_ == TcpState::kClosed
                        ? SocketState::kDisconnecting
                        : SocketState::kConnected;
  }
  SysResult result = SysResult::Ok();
  switch (state_) {
    case TcpState::kListen:
      if ((directions & kReceive) != 0) {
        Disconnect();
        socket_state_ = SocketState::kUnconnected;
      }
      break;
    case TcpState::kSynSent:
      Disconnect();
      socket_state_ = SocketState::kUnconnected;
      break;
    case TcpState::kClosed:
      // An error, but poll(2) and recv(2) go by it from now on.
      shut_down_ |= directions;
      result = SysResult::Error(ENOTCONN);
      break;
    default:
      shut_down_ |= directions;
      if ((directions & kSend) != 0 && EndStream()) SendFin();
      break;
  }
  // The peer has the FIN before the socket's own waiters are woken
  // (inet_shutdown() of Linux, net/ipv4/af_inet.c).
  kernel_.network.Deliver();
  waiters().WakeAll();
  return result;
}

void TcpSocket::OnLastClose(const Caller& caller) {
  --kernel_.open_files;
  CloseConnection(caller);
}

void TcpSocket::CloseConnection(const Caller& caller) {
  shut_down_ = kBoth;
  if (state_ == TcpState::kListen) {
    SetState(TcpState::kClosed);
    StopListening();
    waiters().WakeAll();
  } else if (state_ != TcpState::kClosed) {
    const bool unread = receive_.Discard(kernel_.chunks);
    if (unread) {
      // The data is lost, and the sender must learn that (RFC 2525, section
      // 2.17).
      SendReset();
      SetState(TcpState::kClosed);
    } else if (options_.linger_on() && options_.linger_seconds() == 0) {
      Disconnect();
    } else {
      if (EndStream()) SendFin();
      kernel_.network.Deliver();
      WaitForAcknowledgement(caller);
    }
  }
  kernel_.network.Deliver();
  if (state_ == TcpState::kFinWait2) LeaveFinWait2();
  if (state_ == TcpState::kClosed) Die();
}

// SO_LINGER (socket(7)): close(2) waits until all has been received.
void TcpSocket::WaitForAcknowledgement(const Caller& caller) {
  if (!options_.linger_on() || caller.exits) return;
  const Nanoseconds deadline =
      kernel_.clock.now() + options_.linger_seconds() * kSecond;
  lingering_ = true;
  {
    Wait wait(kernel_.scheduler, caller.site, deadline);
    wait.Add(waiters());
    while (fin_sent()) {
      if (wait.Block() != Woken::kEvent) break;
    }
  }
  lingering_ = false;
}

void TcpSocket::LeaveFinWait2() {
  const int linger2 = options_.linger2();
  if (linger2 < 0) {
    SendReset();
    SetState(TcpState::kClosed);
    Die();
    return;
  }
  const int seconds =
      linger2 > 0 ? linger2 : host_.machine.sysctls().tcp_fin_timeout;
  EnterTimeWait(TcpState::kFinWait2, seconds * kSecond);
}

void TcpSocket::EnterTimeWait(TcpState state, Nanoseconds duration) {
  // Frees itself.
  new TimeWait(kernel_, *this, state, duration);
  Done();
}

}  // namespace net::fake
