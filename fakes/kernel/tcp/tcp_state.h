#ifndef FAKES_KERNEL_TCP_TCP_STATE_H_
#define FAKES_KERNEL_TCP_TCP_STATE_H_

#include <cstdint>
#include <ostream>

#include "absl/strings/string_view.h"

namespace net::fake {

// The states of RFC 9293, section 3.3.2, with the numbers that Linux shows in
// TCP_INFO (<netinet/tcp.h>).
enum class TcpState : uint8_t {
  kEstablished = 1,
  kSynSent = 2,
  kSynReceived = 3,
  kFinWait1 = 4,
  kFinWait2 = 5,
  kTimeWait = 6,
  kClosed = 7,
  kCloseWait = 8,
  kLastAck = 9,
  kListen = 10,
  kClosing = 11,
};

// Returns the name of the state as in the output of ss(8): "ESTAB",
// "TIME-WAIT".
absl::string_view TcpStateName(TcpState state);
inline std::ostream& operator<<(std::ostream& os, TcpState state) {
  return os << TcpStateName(state);
}

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_TCP_STATE_H_
