#include "fakes/kernel/raw_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>

#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {

RawAddress ToRawAddress(const ip::Endpoint& endpoint, int family) {
  const ip::SockAddr address(
      family == AF_INET6 ? ip::Endpoint{endpoint.addr.Mapped(), endpoint.port}
                         : endpoint);
  RawAddress raw;
  raw.size = static_cast<int>(address.size());
  std::memcpy(&raw.storage, address.get(), address.size());
  return raw;
}

ip::Endpoint AsV4(const RawAddress& address) {
  sockaddr_in v4 = {};
  std::memcpy(&v4, &address.storage, sizeof(v4));
  ip::Addr::V4Bytes bytes;
  std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
  return {ip::Addr::V4(bytes), ntohs(v4.sin_port)};
}

ip::Endpoint AsV6(const RawAddress& address) {
  sockaddr_in6 v6 = {};
  std::memcpy(&v6, &address.storage, sizeof(v6));
  ip::Addr::V6Bytes bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  // Only link-local addresses have a scope ID.
  const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  return {ip::Addr::V6(bytes, link_local ? v6.sin6_scope_id : 0),
          ntohs(v6.sin6_port)};
}

}  // namespace net::fake
