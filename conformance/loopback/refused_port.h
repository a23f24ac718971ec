#ifndef CONFORMANCE_LOOPBACK_REFUSED_PORT_H_
#define CONFORMANCE_LOOPBACK_REFUSED_PORT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "conformance/loopback/raw_socket.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::loopback {

// A port of the loopback address at which every connection is refused
// (ECONNREFUSED), for as long as this lives.
//
// Certain, and not merely likely: a socket is bound to the port and does not
// listen. A port that was found free by closing a listener may be given to
// another program a moment later; this one cannot be bound by anybody, nor
// chosen as the local port of the very connect that is to be refused (a socket
// that connects to itself succeeds, RFC 9293 section 3.5).
class [[nodiscard]] RefusedPort {
 public:
  // `family` is AF_INET or AF_INET6. Errors are those of socket(2), bind(2)
  // and getsockname(2).
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
