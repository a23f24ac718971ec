#include "fakes/kernel/tcp/tcp_state.h"

#include "absl/strings/string_view.h"

namespace net::fake {

absl::string_view TcpStateName(TcpState state) {
  switch (state) {
    case TcpState::kEstablished:
      return "ESTAB";
    case TcpState::kSynSent:
      return "SYN-SENT";
    case TcpState::kSynReceived:
      return "SYN-RECV";
    case TcpState::kFinWait1:
      return "FIN-WAIT-1";
    case TcpState::kFinWait2:
      return "FIN-WAIT-2";
    case TcpState::kTimeWait:
      return "TIME-WAIT";
    case TcpState::kClosed:
      return "UNCONN";
    case TcpState::kCloseWait:
      return "CLOSE-WAIT";
    case TcpState::kLastAck:
      return "LAST-ACK";
    case TcpState::kListen:
      return "LISTEN";
    case TcpState::kClosing:
      return "CLOSING";
  }
  return "UNKNOWN";
}

}  // namespace net::fake
