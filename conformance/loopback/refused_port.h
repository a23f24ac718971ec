#ifndef CONFORMANCE_LOOPBACK_REFUSED_PORT_H_
#define CONFORMANCE_LOOPBACK_REFUSED_PORT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls_fwd.h"

namespace net::loopback {

// A port of the loopback address that refuses every connection (ECONNREFUSED)
// during the lifetime of the object.
//
// The object holds a socket that is bound to the port and does not listen. The
// port therefore cannot be used by anybody else:
//
// - No other program can bind it. A port that was found free by closing a
//   listener might be bound by another program a moment later.
// - connect(2) cannot pick it as its local port. A socket that connects to its
//   own port is connected to itself (RFC 9293, section 3.5).
class [[nodiscard]] RefusedPort {
 public:
  // `family` is AF_INET or AF_INET6. Fails with the errno of socket(2), bind(2)
  // or getsockname(2).
  static absl::StatusOr<RefusedPort> Reserve(Syscalls& sys, int family);

  const ip::Endpoint& endpoint() const { return endpoint_; }
  uint16_t port() const { return endpoint_.port; }

 private:
  RefusedPort(RawSocket holder, const ip::Endpoint& endpoint);

  RawSocket holder_;
  ip::Endpoint endpoint_;
};

}  // namespace net::loopback

#endif  // CONFORMANCE_LOOPBACK_REFUSED_PORT_H_
