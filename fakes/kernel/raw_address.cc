#include "fakes/kernel/raw_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "fakes/kernel/user_memory.h"
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

// Copies an address in. Returns an errno, or 0 on success.
int CopyAddressIn(const sockaddr* addr, socklen_t len, RawAddress& out) {
  const int size = static_cast<int>(len);
  if (size < 0 || size > static_cast<int>(sizeof(out.storage))) return EINVAL;
  out.size = size;
  // The compiler copies a known number of bytes in two instructions.
  const bool copied = len == sizeof(sockaddr_in)
                          ? CopyIn(&out.storage, addr, sizeof(sockaddr_in))
                          : CopyIn(&out.storage, addr, len);
  return copied ? 0 : EFAULT;
}

// Copies an address out, truncated to *len, and sets *len to its full length.
// Returns an errno, or 0 on success.
int CopyAddressOut(const RawAddress& name, sockaddr* addr, socklen_t* len) {
  int room = 0;
  if (!CopyIn(&room, len, sizeof(room))) return EFAULT;
  if (room < 0) return EINVAL;
  const auto size = static_cast<size_t>(std::min(room, name.size));
  if (!CopyOut(addr, &name.storage, size)) return EFAULT;
  return CopyOut(len, &name.size, sizeof(name.size)) ? 0 : EFAULT;
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
