#ifndef SYSCALLS_NET_ENDPOINT_H_
#define SYSCALLS_NET_ENDPOINT_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "syscalls/net/ip_addr.h"

namespace net::ip {

// One end of a TCP connection: an address and a port. The port is in host byte
// order.
struct Endpoint {
  Addr addr;
  uint16_t port = 0;

  // Parses "127.0.0.1:80" or "[::1]:80" with a decimal port from 0 to 65535.
  // Returns nullopt for any other text. ToString() is the inverse.
  static std::optional<Endpoint> Parse(absl::string_view text);
  std::string ToString() const;

  // Orders by address, then by port.
  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
  friend constexpr std::strong_ordering operator<=>(const Endpoint&,
                                                    const Endpoint&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Endpoint& endpoint) {
    return H::combine(std::move(h), endpoint.addr, endpoint.port);
  }
};

std::ostream& operator<<(std::ostream& os, const Endpoint& endpoint);

// A socket address (ip(7), ipv6(7)) and its length, for system calls that take
// or return one. It has space for an IPv4 or an IPv6 address and does not
// allocate.
class SockAddr {
 public:
  // An empty buffer for a call to fill in. The family is AF_UNSPEC, and the
  // length is the capacity.
  SockAddr();
  // The socket address of `endpoint`.
  explicit SockAddr(const Endpoint& endpoint);

  const sockaddr* get() const { return &address_.any; }
  sockaddr* get() { return &address_.any; }

  // The length of the address in bytes. Use size_ptr() for calls that take the
  // capacity and return the length.
  socklen_t size() const { return size_; }
  socklen_t* size_ptr() { return &size_; }

  // Returns the endpoint, or nullopt if the address is neither IPv4 nor IPv6 or
  // is truncated.
  std::optional<Endpoint> ToEndpoint() const;

 private:
  union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };

  Address address_;
  socklen_t size_;
};

// Returns the endpoint of a socket address of `size` bytes, or nullopt if it is
// neither IPv4 nor IPv6 or is truncated. `address` need not be aligned.
std::optional<Endpoint> EndpointFromSockaddr(const sockaddr* address,
                                             socklen_t size);

}  // namespace net::ip

#endif  // SYSCALLS_NET_ENDPOINT_H_
