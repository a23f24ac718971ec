#ifndef FAKES_KERNEL_RAW_ADDRESS_H_
#define FAKES_KERNEL_RAW_ADDRESS_H_

#include <sys/socket.h>

#include <optional>

#include "syscalls/net/endpoint.h"

namespace net::fake {

// A socket address that has been copied from, or is to be copied to, a program:
// of any family, and of the length that the program gave.
struct RawAddress {
  sockaddr_storage storage = {};
  int size = 0;
};

// The socket address of an endpoint, as a socket of AF_INET or AF_INET6 tells
// it.
RawAddress ToRawAddress(const ip::Endpoint& endpoint, int family);

// Its family; AF_UNSPEC if it is too short to have one.
int FamilyOf(const RawAddress& address);

// What it says as a sockaddr_in, or as a sockaddr_in6; it must be that long,
// and its family is not looked at.
ip::Endpoint AsV4(const RawAddress& address);
ip::Endpoint AsV6(const RawAddress& address);

// The least lengths that Linux takes: a sockaddr_in, and a sockaddr_in6 without
// the scope (RFC 2133 had none).
inline constexpr int kV4Size = 16;
inline constexpr int kV6Size = 24;

}  // namespace net::fake

#endif  // FAKES_KERNEL_RAW_ADDRESS_H_
