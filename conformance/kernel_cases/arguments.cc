// Wrong arguments of socket(2), and wrong descriptors of every call.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::RawSocket;

// A descriptor that is not open.
constexpr int kNotOpen = 999999;

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

void RawSocketOfOtherUser(Context& c) {
  c.env().AsOtherUser([&] {
    EXPECT_THAT(c.sys().Socket(c.family(), SOCK_RAW, IPPROTO_TCP),
                IsErrno(EPERM));
  });
}

void PipeNowhere(Context& c) {
  // NOLINTNEXTLINE(bugprone-casting-through-void): no memory is there
  auto* const nowhere = static_cast<int*>(static_cast<void*>(BadAddress()));
  EXPECT_THAT(c.sys().Pipe2(nowhere, O_CLOEXEC), IsErrno(EFAULT));
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
      {.id = "kernel.arguments.socket.raw",
       .requirement = "socket(2) of type SOCK_RAW must fail with EPERM without "
                      "CAP_NET_RAW.",
       .source = "raw(7), EPERM",
       .needs = Need::kOtherUser,
       .run = &RawSocketOfOtherUser},
      {.id = "kernel.arguments.pipe.bad_address",
       .requirement =
           "pipe2(2) must fail with EFAULT if the array is not accessible.",
       .source = "pipe(2), EFAULT",
       .run = &PipeNowhere},
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
  };
  return cases;
}

}  // namespace net::conformance
