// Wrong arguments, and which error is reported if two arguments are wrong.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
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
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

// A descriptor that is not open, and an address at which no memory is mapped.
constexpr int kNotOpen = 999999;
// NOLINTNEXTLINE(performance-no-int-to-ptr)
sockaddr* BadAddress() { return reinterpret_cast<sockaddr*>(uintptr_t{16}); }

// ---- socket(2) --------------------------------------------------------------

void ExpectNoSocket(Context& c, int domain, int type, int protocol, int error) {
  EXPECT_THAT(c.sys().Socket(domain, type, protocol), IsErrno(error));
}

void NamedProtocol(Context& c) {
  const SysResult made =
      c.sys().Socket(c.family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  ASSERT_THAT(made, IsOk());
  const RawSocket socket(made.fd(), c.sys());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PROTOCOL),
              IsOkAndHolds(IPPROTO_TCP));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_DOMAIN), IsOkAndHolds(c.family()));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_TYPE), IsOkAndHolds(SOCK_STREAM));
}

// ---- Every call on a descriptor ---------------------------------------------

// Expects that every call that requires a TCP socket fails on `fd` with
// `error`.
void ExpectAllFail(Context& c, int fd, int error) {
  Syscalls& sys = c.sys();
  ip::SockAddr address(ip::Endpoint{c.Loopback(), 0});
  EXPECT_THAT(sys.Bind(fd, address.get(), address.size()), IsErrno(error));
  EXPECT_THAT(sys.Listen(fd, 1), IsErrno(error));
  EXPECT_THAT(sys.Accept4(fd, nullptr, nullptr, 0), IsErrno(error));
  EXPECT_THAT(sys.Connect(fd, address.get(), address.size()), IsErrno(error));
  EXPECT_THAT(sys.GetSockName(fd, address.get(), address.size_ptr()),
              IsErrno(error));
  EXPECT_THAT(sys.GetPeerName(fd, address.get(), address.size_ptr()),
              IsErrno(error));
  int value = 0;
  socklen_t size = sizeof(value);
  EXPECT_THAT(sys.SetSockOpt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, size),
              IsErrno(error));
  EXPECT_THAT(sys.GetSockOpt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size),
              IsErrno(error));
  EXPECT_THAT(sys.Shutdown(fd, SHUT_RD), IsErrno(error));
  EXPECT_THAT(sys.Send(fd, "x", 1, MSG_NOSIGNAL), IsErrno(error));
  EXPECT_THAT(sys.Recv(fd, &value, 1, 0), IsErrno(error));
  msghdr message = {};
  EXPECT_THAT(sys.SendMsg(fd, &message, 0), IsErrno(error));
  EXPECT_THAT(sys.RecvMsg(fd, &message, 0), IsErrno(error));
}

// Expects that these calls, and the calls that require any open file, fail on
// `fd` with EBADF.
void ExpectNoFile(Context& c, int fd) {
  Syscalls& sys = c.sys();
  ExpectAllFail(c, fd, EBADF);
  char byte = 0;
  EXPECT_THAT(sys.Read(fd, &byte, 1), IsErrno(EBADF));
  EXPECT_THAT(sys.Write(fd, &byte, 1), IsErrno(EBADF));
  EXPECT_THAT(sys.Close(fd), IsErrno(EBADF));
  EXPECT_THAT(sys.Fcntl(fd, F_GETFD, 0), IsErrno(EBADF));
  EXPECT_THAT(sys.Ioctl(fd, FIONREAD, 0), IsErrno(EBADF));
  EXPECT_THAT(sys.Dup(fd), IsErrno(EBADF));
}

void ClosedDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket socket, NewTcp(c));
  const int fd = socket.fd();
  ASSERT_THAT(socket.Close(), IsOk());
  ExpectNoFile(c, fd);
}

void OnPipe(Context& c) {
  std::array<int, 2> pipe = {};
  ASSERT_THAT(c.sys().Pipe2(pipe.data(), O_CLOEXEC), IsOk());
  const RawSocket reader(pipe[0], c.sys());
  const RawSocket writer(pipe[1], c.sys());
  ExpectAllFail(c, reader.fd(), ENOTSOCK);
  ExpectAllFail(c, writer.fd(), ENOTSOCK);
}

void OnEventCounter(Context& c) {
  const SysResult made = c.sys().EventFd(0, EFD_CLOEXEC);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  ExpectAllFail(c, counter.fd(), ENOTSOCK);
}

void OnDatagramSocket(Context& c) {
  const SysResult made =
      c.sys().Socket(c.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_THAT(made, IsOk());
  const RawSocket datagram(made.fd(), c.sys());
  EXPECT_THAT(Listen(datagram), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(Accept(datagram), IsErrno(EOPNOTSUPP));
}

// A stream socket of another family that is not bound. If bound, it could
// listen.
void OnUnixSocket(Context& c) {
  const SysResult made = c.sys().Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_THAT(made, IsOk());
  const RawSocket local(made.fd(), c.sys());
  EXPECT_THAT(Listen(local), IsErrno(EINVAL));
  EXPECT_THAT(Accept(local), IsErrno(EINVAL));
}

// ---- Socket addresses -------------------------------------------------------

// The case's address, in a buffer that is longer than the address.
struct Address {
  sockaddr_storage storage = {};
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};
Address MakeAddress(const ip::Endpoint& endpoint) {
  const ip::SockAddr address(endpoint);
  Address result;
  std::memcpy(&result.storage, address.get(), address.size());
  return result;
}

// Returns the shortest valid length of an address of the address family. (For
// IPv6 the length without the scope id, RFC 2133.)
socklen_t ShortestSize(Context& c) {
  return c.v6() ? sizeof(sockaddr_in6) - sizeof(uint32_t) : sizeof(sockaddr_in);
}

void BindLengths(Context& c) {
  const Address address = MakeAddress({c.Loopback(), 0});
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
  const Address address = MakeAddress(listener.endpoint());
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
  Address address = MakeAddress({c.Loopback(), kPort});
  address.storage.ss_family = family;
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(c.sys().Bind(socket.fd(), address.get(), sizeof(sockaddr_in6)),
              IsErrno(EAFNOSUPPORT));
  EXPECT_THAT(c.sys().Connect(socket.fd(), address.get(), sizeof(sockaddr_in6)),
              IsErrno(EAFNOSUPPORT));
}

void V4AddressOnV6Socket(Context& c) {
  const Address address = MakeAddress({ip::kLocalV4, kPort});
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

// ---- Two wrong arguments ----------------------------------------------------

void NoPeerAndNowhere(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  socklen_t size = sizeof(sockaddr_in6);
  EXPECT_THAT(c.sys().GetPeerName(socket.fd(), BadAddress(), &size),
              IsErrno(ENOTCONN));
}

void NotOpenAndNull(Context& c) {
  EXPECT_THAT(c.sys().Bind(kNotOpen, nullptr, 28), IsErrno(EBADF));
  EXPECT_THAT(c.sys().Bind(kNotOpen, nullptr, 129), IsErrno(EBADF));
  EXPECT_THAT(c.sys().Connect(kNotOpen, nullptr, 28), IsErrno(EBADF));
}

// bind(2) checks the descriptor before it reads the address, connect(2) after.
void NoSocketAndNull(Context& c) {
  const SysResult made = c.sys().EventFd(0, EFD_CLOEXEC);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  EXPECT_THAT(c.sys().Bind(counter.fd(), nullptr, 28), IsErrno(ENOTSOCK));
  EXPECT_THAT(c.sys().Connect(counter.fd(), nullptr, 28), IsErrno(EFAULT));
}

void UnknownFlagAndNotOpen(Context& c) {
  EXPECT_THAT(c.sys().Accept4(kNotOpen, nullptr, nullptr, 1), IsErrno(EBADF));
  EXPECT_THAT(c.sys().Shutdown(kNotOpen, 77), IsErrno(EBADF));
}

void UnknownFlagAndNotListening(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Accept(socket, 1), IsErrno(EINVAL));
}

// shutdown(2) checks the descriptor before `how`; accept4(2) checks the flags
// before the descriptor's type.
void UnknownWayAndNoSocket(Context& c) {
  const SysResult made = c.sys().EventFd(0, EFD_CLOEXEC);
  ASSERT_THAT(made, IsOk());
  const RawSocket counter(made.fd(), c.sys());
  EXPECT_THAT(c.sys().Shutdown(counter.fd(), 77), IsErrno(ENOTSOCK));
  EXPECT_THAT(c.sys().Accept4(counter.fd(), nullptr, nullptr, 1),
              IsErrno(EINVAL));
}

void ConnectedAndWrongFamily(Context& c) {
  Address address = MakeAddress({c.Loopback(), kPort});
  address.storage.ss_family = AF_UNIX;
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(
      c.sys().Connect(pair.client.fd(), address.get(), sizeof(sockaddr_in6)),
      IsErrno(EISCONN));
  EXPECT_THAT(c.sys().Connect(pair.client.fd(), address.get(), 1),
              IsErrno(EINVAL));
}

void BrokenPipeAndNull(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(c.sys().Send(socket.fd(), nullptr, 1, MSG_NOSIGNAL),
              IsErrno(EPIPE));
  EXPECT_THAT(c.sys().Recv(socket.fd(), nullptr, 1, 0), IsErrno(ENOTCONN));
}

void NothingThereAndNull(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(c.sys().Recv(pair.client.fd(), nullptr, 1, MSG_DONTWAIT),
              IsErrno(EAGAIN));
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  EXPECT_THAT(c.sys().Recv(pair.client.fd(), nullptr, 1, 0), IsOkAndHolds(0));
}

}  // namespace

const std::vector<Case>& ArgumentsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.arguments.socket.datagram_protocol",
       .requirement = "socket(2) of type SOCK_STREAM with protocol IPPROTO_UDP "
                      "must fail with EPROTONOSUPPORT.",
       .source = "socket(2), EPROTONOSUPPORT",
       .run =
           [](Context& c) {
             ExpectNoSocket(c, c.family(), SOCK_STREAM, IPPROTO_UDP,
                            EPROTONOSUPPORT);
           }},
      {.id = "kernel.arguments.socket.stream_protocol",
       .requirement = "socket(2) of type SOCK_DGRAM with protocol IPPROTO_TCP "
                      "must fail with EPROTONOSUPPORT.",
       .source = "socket(2), EPROTONOSUPPORT",
       .run =
           [](Context& c) {
             ExpectNoSocket(c, c.family(), SOCK_DGRAM, IPPROTO_TCP,
                            EPROTONOSUPPORT);
           }},
      {.id = "kernel.arguments.socket.protocol_range",
       .requirement =
           "socket(2) must fail with EINVAL if the protocol is out of range.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectNoSocket(c, c.family(), SOCK_STREAM, 9999, EINVAL);
             ExpectNoSocket(c, c.family(), SOCK_STREAM, -1, EINVAL);
           }},
      {.id = "kernel.arguments.socket.type",
       .requirement = "socket(2) must fail with ESOCKTNOSUPPORT if the family "
                      "does not have the type.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectNoSocket(c, c.family(), 0, 0, ESOCKTNOSUPPORT);
             ExpectNoSocket(c, c.family(), SOCK_SEQPACKET, 0, ESOCKTNOSUPPORT);
           }},
      {.id = "kernel.arguments.socket.type_range",
       .requirement = "socket(2) must fail with EINVAL if the type is out of "
                      "range or has an unknown flag.",
       .source = "socket(2), EINVAL",
       .run =
           [](Context& c) {
             ExpectNoSocket(c, c.family(), 11, 0, EINVAL);
             ExpectNoSocket(c, c.family(), SOCK_STREAM | 0x10000, 0, EINVAL);
           }},
      {.id = "kernel.arguments.socket.family",
       .requirement =
           "socket(2) must fail with EAFNOSUPPORT if the family is unknown.",
       .source = "socket(2), EAFNOSUPPORT",
       .families = AddressFamilies::kV4,
       .run =
           [](Context& c) {
             ExpectNoSocket(c, 99, SOCK_STREAM, 0, EAFNOSUPPORT);
             ExpectNoSocket(c, -1, SOCK_STREAM, 0, EAFNOSUPPORT);
           }},
      {.id = "kernel.arguments.socket.family_and_type",
       .requirement =
           "socket(2) with an unknown family must fail with EINVAL if a flag "
           "is unknown, too, but with EAFNOSUPPORT if the type is.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run =
           [](Context& c) {
             ExpectNoSocket(c, 99, SOCK_STREAM | 0x10000, 0, EINVAL);
             ExpectNoSocket(c, 99, 11, 0, EAFNOSUPPORT);
           }},
      {.id = "kernel.arguments.socket.named_protocol",
       .requirement =
           "SO_DOMAIN, SO_TYPE and SO_PROTOCOL must return the family, type "
           "and protocol that the socket was made with.",
       .source = "socket(7), SO_DOMAIN, SO_PROTOCOL, SO_TYPE",
       .run = &NamedProtocol},
      {.id = "kernel.arguments.descriptor.never_open",
       .requirement = "Every call must fail with EBADF on a descriptor that "
                      "was never open.",
       .source = "EBADF in each call's man page",
       .run =
           [](Context& c) {
             ExpectNoFile(c, kNotOpen);
             ExpectNoFile(c, -1);
           }},
      {.id = "kernel.arguments.descriptor.closed",
       .requirement =
           "Every call must fail with EBADF on a descriptor that was closed.",
       .source = "close(2); EBADF in each call's man page",
       .run = &ClosedDescriptor},
      {.id = "kernel.arguments.descriptor.pipe",
       .requirement = "Every socket call must fail with ENOTSOCK on a pipe.",
       .source = "ENOTSOCK in each call's man page",
       .run = &OnPipe},
      {.id = "kernel.arguments.descriptor.eventfd",
       .requirement =
           "Every socket call must fail with ENOTSOCK on an eventfd.",
       .source = "ENOTSOCK in each call's man page",
       .run = &OnEventCounter},
      {.id = "kernel.arguments.descriptor.datagram",
       .requirement = "listen(2) and accept(2) must fail with EOPNOTSUPP on a "
                      "datagram socket.",
       .source = "listen(2), EOPNOTSUPP; accept(2), EOPNOTSUPP",
       .run = &OnDatagramSocket},
      {.id = "kernel.arguments.descriptor.unix",
       .requirement = "listen(2) and accept(2) must fail with EINVAL on a unix "
                      "socket that is not bound.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &OnUnixSocket},
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
      {.id = "kernel.arguments.two.no_peer_and_nowhere",
       .requirement = "getpeername(2) on a socket without a peer must fail "
                      "with ENOTCONN, even if the address points to no memory.",
       .source = "measured on Linux 6.18",
       .run = &NoPeerAndNowhere},
      {.id = "kernel.arguments.two.not_open_and_null",
       .requirement = "bind(2) and connect(2) on a descriptor that is not open "
                      "must fail with EBADF, even if the address is null.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &NotOpenAndNull},
      {.id = "kernel.arguments.two.no_socket_and_null",
       .requirement =
           "With a null address on a descriptor that is not a socket, bind(2) "
           "must fail with ENOTSOCK and connect(2) with EFAULT.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &NoSocketAndNull},
      {.id = "kernel.arguments.two.unknown_flag_and_not_open",
       .requirement =
           "accept4(2) and shutdown(2) on a descriptor that is not open must "
           "fail with EBADF, even if the flag or `how` is unknown.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &UnknownFlagAndNotOpen},
      {.id = "kernel.arguments.two.unknown_flag_and_state",
       .requirement = "accept4(2) with an unknown flag must fail with EINVAL "
                      "on a socket that does not listen.",
       .source = "accept(2), EINVAL",
       .run = &UnknownFlagAndNotListening},
      {.id = "kernel.arguments.two.unknown_way_and_no_socket",
       .requirement = "On a descriptor that is not a socket, shutdown(2) with "
                      "an unknown `how` must fail with ENOTSOCK, and "
                      "accept4(2) with an unknown flag with EINVAL.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &UnknownWayAndNoSocket},
      {.id = "kernel.arguments.two.connected_and_family",
       .requirement = "connect(2) of a connected socket to an address of "
                      "another family must fail with EISCONN, but with EINVAL "
                      "if the address is too short.",
       .source = "measured on Linux 6.18",
       .run = &ConnectedAndWrongFamily},
      {.id = "kernel.arguments.two.broken_pipe_and_null",
       .requirement =
           "On a socket that is not connected, send(2) must fail with EPIPE "
           "and recv(2) with ENOTCONN, even if the buffer is null.",
       .source = "measured on Linux 6.18",
       .run = &BrokenPipeAndNull},
      {.id = "kernel.arguments.two.nothing_there_and_null",
       .requirement = "recv(2) into a null buffer must not fail with EFAULT if "
                      "there is no data or the stream has ended.",
       .source = "measured on Linux 6.18",
       .run = &NothingThereAndNull},
  };
  return cases;
}

}  // namespace net::conformance
