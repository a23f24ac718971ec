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

// One end of a TCP connection: an address and a port in host byte order.
struct Endpoint {
  Addr addr;
  uint16_t port = 0;

  // From "127.0.0.1:80" or "[::1]:80", a decimal port of 0 to 65535; nullopt
  // for everything else. ToString() is its inverse.
  static std::optional<Endpoint> Parse(absl::string_view text);
  std::string ToString() const;

  // By address, then by port.
  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
  friend constexpr std::strong_ordering operator<=>(const Endpoint&,
                                                    const Endpoint&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Endpoint& endpoint) {
    return H::combine(std::move(h), endpoint.addr, endpoint.port);
  }
};

std::ostream& operator<<(std::ostream& os, const Endpoint& endpoint);

// A socket address (ip(7), ipv6(7)) with its length, as system calls take it
// and fill it in. Lives on the stack; holds an IPv4 or IPv6 address.
class SockAddr {
 public:
  // An empty buffer for a call to fill in: family AF_UNSPEC, length capacity.
  SockAddr();
  // The socket address of an endpoint.
  explicit SockAddr(const Endpoint& endpoint);

  const sockaddr* get() const { return &address_.any; }
  sockaddr* get() { return &address_.any; }

  // The length of the address, in bytes. size_ptr() is for the calls that are
  // told the room and answer the length.
  socklen_t size() const { return size_; }
  socklen_t* size_ptr() { return &size_; }

  // The endpoint it holds; nullopt if it is neither IPv4 nor IPv6, or cut
  // short.
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

// The endpoint of a socket address of `size` bytes that lies anywhere; nullopt
// if it is neither IPv4 nor IPv6, or cut short.
std::optional<Endpoint> EndpointFromSockaddr(const sockaddr* address,
                                             socklen_t size);

}  // namespace net::ip

#endif  // SYSCALLS_NET_ENDPOINT_H_
