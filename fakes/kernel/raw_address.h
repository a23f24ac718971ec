#ifndef FAKES_KERNEL_RAW_ADDRESS_H_
#define FAKES_KERNEL_RAW_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "syscalls/net/endpoint.h"

namespace net::fake {

// A socket address copied from or to a program. It can have any family and the
// length that the program gave.
struct RawAddress {
  // Clears only the bytes that can be interpreted as an address, because
  // clearing all takes longer than the rest of many calls.
  RawAddress() { std::memset(&storage, 0, sizeof(sockaddr_in6)); }

  sockaddr_storage storage;
  int size = 0;
};

// Returns the socket address of an endpoint, as a socket of this family
// (AF_INET or AF_INET6) returns it.
RawAddress ToRawAddress(const ip::Endpoint& endpoint, int family);

// Returns the address's family, or AF_UNSPEC if it is too short to have one.
inline int FamilyOf(const RawAddress& address) {
  return address.size < static_cast<int>(sizeof(sa_family_t))
             ? AF_UNSPEC
             : address.storage.ss_family;
}

// Copies an address in. Returns an errno, or 0 on success.
int CopyAddressIn(const sockaddr* addr, socklen_t len, RawAddress& out);

// Copies an address out, truncated to *len, and sets *len to its full length.
// Returns an errno, or 0 on success.
int CopyAddressOut(const RawAddress& name, sockaddr* addr, socklen_t* len);

// Interpret the address as a sockaddr_in or a sockaddr_in6. Require at least
// that size; do not check the family.
ip::Endpoint AsV4(const RawAddress& address);
ip::Endpoint AsV6(const RawAddress& address);

// The minimum sizes that Linux accepts: a sockaddr_in, and a sockaddr_in6
// without the scope ID (as in RFC 2133).
inline constexpr int kV4Size = 16;
inline constexpr int kV6Size = 24;

}  // namespace net::fake

#endif  // FAKES_KERNEL_RAW_ADDRESS_H_
