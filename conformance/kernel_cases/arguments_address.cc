// Socket addresses as arguments: lengths, families and invalid pointers.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

// ---- Socket addresses -------------------------------------------------------

// Returns the shortest valid length of an address of the address family. (For
// IPv6 the length without the scope id, RFC 2133.)
socklen_t ShortestSize(Context& c) {
  return c.v6() ? sizeof(sockaddr_in6) - sizeof(uint32_t) : sizeof(sockaddr_in);
}

void BindLengths(Context& c) {
  const LongAddress address = MakeLongAddress({c.Loopback(), 0});
  const socklen_t shortest = ShortestSize(c);
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const socklen_t wrong : {socklen_t{0}, socklen_t{1}, shortest - 1,
                                socklen_t{129}, static_cast<socklen_t>(-1)}) {
    EXPECT_THAT(c.sys().Bind(socket.fd(), address.get(), wrong),
                IsErrno(EINVAL))
        << wrong;
  }
  EXPECT_THAT(c.sys().Bind(socket.fd(), address.get(), shortest), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket other, NewTcp(c));
  EXPECT_THAT(c.sys().Bind(other.fd(), address.get(), 128), IsOk());
}

void ConnectLengths(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  const LongAddress address = MakeLongAddress(listener.endpoint());
  const socklen_t shortest = ShortestSize(c);
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const socklen_t wrong : {socklen_t{0}, socklen_t{1}, shortest - 1,
                                socklen_t{129}, static_cast<socklen_t>(-1)}) {
    EXPECT_THAT(c.sys().Connect(socket.fd(), address.get(), wrong),
                IsErrno(EINVAL))
        << wrong;
  }
  EXPECT_THAT(c.sys().Connect(socket.fd(), address.get(), shortest), IsOk());
}

void NullAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(c.sys().Bind(socket.fd(), nullptr, 28), IsErrno(EFAULT));
  EXPECT_THAT(c.sys().Connect(socket.fd(), nullptr, 28), IsErrno(EFAULT));
  EXPECT_THAT(c.sys().Bind(socket.fd(), BadAddress(), 28), IsErrno(EFAULT));
}

// The address is not read if its length is invalid.
void NullAddressOfNoLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(c.sys().Bind(socket.fd(), nullptr, 0), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Bind(socket.fd(), nullptr, 129), IsErrno(EINVAL));
}

// An address of another family with a valid length.
void WrongFamily(Context& c, sa_family_t family) {
  LongAddress address = MakeLongAddress({c.Loopback(), kPort});
  address.storage.ss_family = family;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(c.sys().Bind(socket.fd(), address.get(), sizeof(sockaddr_in6)),
              IsErrno(EAFNOSUPPORT));
  EXPECT_THAT(c.sys().Connect(socket.fd(), address.get(), sizeof(sockaddr_in6)),
              IsErrno(EAFNOSUPPORT));
}

void V4AddressOnV6Socket(Context& c) {
  const LongAddress address = MakeLongAddress({ip::kLocalV4, kPort});
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(c.sys().Bind(socket.fd(), address.get(), sizeof(sockaddr_in)),
              IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Connect(socket.fd(), address.get(), sizeof(sockaddr_in)),
              IsErrno(EINVAL));
}

// ---- Names ------------------------------------------------------------------

void NameIsCut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  sockaddr_storage name = {};
  std::memset(&name, 0xee, sizeof(name));
  socklen_t size = 4;
  ASSERT_THAT(c.sys().GetSockName(pair.client.fd(),
                                  reinterpret_cast<sockaddr*>(&name), &size),
              IsOk());
  EXPECT_EQ(size, c.v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
  EXPECT_EQ(name.ss_family, c.family());
  std::array<unsigned char, 8> bytes;
  std::memcpy(bytes.data(), &name, bytes.size());
  EXPECT_EQ(bytes[4], 0xee);
}

void NameOfNegativeLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ip::SockAddr name;
  auto size = static_cast<socklen_t>(-1);
  EXPECT_THAT(c.sys().GetSockName(pair.client.fd(), name.get(), &size),
              IsErrno(EINVAL));
  EXPECT_THAT(c.sys().GetPeerName(pair.client.fd(), name.get(), &size),
              IsErrno(EINVAL));
  EXPECT_EQ(size, static_cast<socklen_t>(-1));
}

void NameNowhere(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  socklen_t size = sizeof(sockaddr_in6);
  EXPECT_THAT(c.sys().GetSockName(pair.client.fd(), nullptr, &size),
              IsErrno(EFAULT));
  size = sizeof(sockaddr_in6);
  EXPECT_THAT(c.sys().GetPeerName(pair.client.fd(), BadAddress(), &size),
              IsErrno(EFAULT));
  // A length of 0 copies no bytes, so the null pointer is not used.
  size = 0;
  EXPECT_THAT(c.sys().GetSockName(pair.client.fd(), nullptr, &size), IsOk());
}

}  // namespace

const std::vector<Case>& ArgumentsAddressKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.arguments.address.bind_lengths",
       .requirement =
           "bind(2) must accept an address length from its family's shortest "
           "up to 128 bytes, and fail with EINVAL for any other.",
       .source = "bind(2), EINVAL; measured on Linux 6.18",
       .run = &BindLengths},
      {.id = "kernel.arguments.address.connect_lengths",
       .requirement =
           "connect(2) must accept an address length from its family's "
           "shortest up to 128 bytes, and fail with EINVAL for any other.",
       .source = "measured on Linux 6.18",
       .run = &ConnectLengths},
      {.id = "kernel.arguments.address.null",
       .requirement = "bind(2) and connect(2) must fail with EFAULT if the "
                      "address points to no memory.",
       .source = "bind(2); connect(2), EFAULT",
       .run = &NullAddress},
      {.id = "kernel.arguments.address.null_of_no_length",
       .requirement = "bind(2) must check the length of an address before it "
                      "reads the address.",
       .source = "measured on Linux 6.18",
       .run = &NullAddressOfNoLength},
      {.id = "kernel.arguments.address.other_family",
       .requirement = "bind(2) and connect(2) must fail with EAFNOSUPPORT on "
                      "an address of another family.",
       .source = "connect(2), EAFNOSUPPORT; bind(2)",
       .run =
           [](Context& c) {
             WrongFamily(c, c.v6() ? AF_INET : AF_INET6);
             WrongFamily(c, AF_UNIX);
           }},
      {.id = "kernel.arguments.address.v4_on_v6_socket",
       .requirement = "bind(2) and connect(2) of an IPv6 socket must fail with "
                      "EINVAL on an IPv4 address, because it is too short.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &V4AddressOnV6Socket},
      {.id = "kernel.arguments.name.cut",
       .requirement = "getsockname(2) must truncate an address that does not "
                      "fit, and store its full length.",
       .source = "getsockname(2), DESCRIPTION",
       .run = &NameIsCut},
      {.id = "kernel.arguments.name.negative_length",
       .requirement = "getsockname(2) and getpeername(2) must fail with EINVAL "
                      "if the length is negative.",
       .source = "getsockname(2), EINVAL",
       .run = &NameOfNegativeLength},
      {.id = "kernel.arguments.name.nowhere",
       .requirement =
           "getsockname(2) and getpeername(2) must fail with EFAULT if the "
           "address points to no memory, unless the length is 0.",
       .source = "getsockname(2), EFAULT; measured on Linux 6.18",
       .run = &NameNowhere},
  };
  return cases;
}

}  // namespace net::conformance
