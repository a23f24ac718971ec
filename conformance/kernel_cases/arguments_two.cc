// Two wrong arguments: the one that the kernel checks first is reported.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// A descriptor that is not open.
constexpr int kNotOpen = 999999;

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
  LongAddress address = MakeLongAddress({c.Loopback(), kPort});
  address.storage.ss_family = AF_UNIX;
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(c.sys().Connect(pair.client.fd(), address.get(), 1),
              IsErrno(EINVAL));
  const SysResult connected =
      c.sys().Connect(pair.client.fd(), address.get(), sizeof(sockaddr_in6));
  // selinux_socket_connect_helper() in security/selinux/hooks.c.
  if (connected.error() == EAFNOSUPPORT) {
    return c.Variation("checks_the_address_first");
  }
  EXPECT_THAT(connected, IsErrno(EISCONN));
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

const std::vector<Case>& ArgumentsTwoKernelCases() {
  static const auto& cases = *new std::vector<Case>{
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
