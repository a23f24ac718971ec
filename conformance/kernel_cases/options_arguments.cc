// The arguments of setsockopt(2) and getsockopt(2): names, values, lengths and
// addresses.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
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

using loopback::RawSocket;

constexpr int kNoSuchName = 12345;
constexpr int kNoSuchLevel = 222;

// The result of getsockopt(2) of SO_KEEPALIVE with a length of `room`: the
// bytes written, and the length afterwards.
struct Told {
  SysResult result;
  std::array<unsigned char, 8> bytes = {};
  socklen_t size = 0;
};
Told KeepAliveIn(const RawSocket& socket, int room) {
  Told told;
  told.bytes.fill(0xee);
  told.size = static_cast<socklen_t>(room);
  told.result = socket.syscalls().GetSockOpt(
      socket.fd(), SOL_SOCKET, SO_KEEPALIVE, told.bytes.data(), &told.size);
  return told;
}

void UnknownName(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int level : {SOL_SOCKET, +IPPROTO_TCP, +IPPROTO_IP}) {
    EXPECT_THAT(socket.SetOption(level, kNoSuchName, 1), IsErrno(ENOPROTOOPT));
    EXPECT_THAT(socket.Option(level, kNoSuchName), IsErrno(ENOPROTOOPT));
  }
}

void UnknownLevel(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.SetOption(kNoSuchLevel, 1, 1), IsErrno(ENOPROTOOPT));
  EXPECT_THAT(socket.Option(kNoSuchLevel, 1),
              IsErrno(c.v6() ? ENOPROTOOPT : EOPNOTSUPP));
}

void SwitchReadsBackOne(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int name : {SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_OOBINLINE,
                         SO_DONTROUTE, SO_BROADCAST}) {
    ExpectSwitch(socket, SOL_SOCKET, name);
  }
}

void SetTooShort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const int on = 1;
  for (const int size : {0, 1, 3}) {
    EXPECT_THAT(SetOptionAt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, size),
                IsErrno(EINVAL));
  }
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(0));
}

void SetTooLong(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const int values[3] = {0, 1, 1};
  EXPECT_THAT(socket.SetOption(SOL_SOCKET, SO_KEEPALIVE, 1), IsOk());
  EXPECT_THAT(SetOptionTo(socket, SOL_SOCKET, SO_KEEPALIVE, values), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(0));
}

void SetNegativeLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const int on = 1;
  for (const int level : {SOL_SOCKET, +IPPROTO_TCP, kNoSuchLevel}) {
    EXPECT_THAT(SetOptionAt(socket, level, SO_KEEPALIVE, &on, -1),
                IsErrno(EINVAL));
  }
}

void SetNull(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetOptionAt(socket, SOL_SOCKET, SO_KEEPALIVE, nullptr, 4),
              IsErrno(EFAULT));
  EXPECT_THAT(SetOptionAt(socket, SOL_SOCKET, SO_KEEPALIVE, nullptr, 3),
              IsErrno(EINVAL));
}

void SetNullUnknownName(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetOptionAt(socket, SOL_SOCKET, kNoSuchName, nullptr, 4),
              IsErrno(EFAULT));
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_TCP, kNoSuchName, nullptr, 4),
              IsErrno(EFAULT));
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_IP, kNoSuchName, nullptr, 4),
              IsErrno(ENOPROTOOPT));
}

void GetInLittleRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(socket.SetOption(SOL_SOCKET, SO_KEEPALIVE, 1), IsOk());
  const Told told = KeepAliveIn(socket, 2);
  EXPECT_THAT(told.result, IsOk());
  EXPECT_EQ(told.size, 2);
  EXPECT_EQ(told.bytes[0], 1);
  EXPECT_EQ(told.bytes[1], 0);
  EXPECT_EQ(told.bytes[2], 0xee);
}

// Each level has code of its own for that.
void GetTcpInLittleRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(socket.SetOption(IPPROTO_TCP, TCP_NODELAY, 1), IsOk());
  std::array<unsigned char, 2> bytes = {0xee, 0xee};
  socklen_t size = 1;
  EXPECT_THAT(c.sys().GetSockOpt(socket.fd(), IPPROTO_TCP, TCP_NODELAY,
                                 bytes.data(), &size),
              IsOk());
  EXPECT_EQ(size, 1);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[1], 0xee);
}

void GetInMuchRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const Told told = KeepAliveIn(socket, 8);
  EXPECT_THAT(told.result, IsOk());
  EXPECT_EQ(told.size, sizeof(int));
  EXPECT_EQ(told.bytes[4], 0xee);
}

void GetInNoRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const Told told = KeepAliveIn(socket, 0);
  EXPECT_THAT(told.result, IsOk());
  EXPECT_EQ(told.size, 0);
  EXPECT_EQ(told.bytes[0], 0xee);
}

void GetNegativeLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(KeepAliveIn(socket, -1).result, IsErrno(EINVAL));
  int value = 0;
  socklen_t size = static_cast<socklen_t>(-1);
  EXPECT_THAT(
      c.sys().GetSockOpt(socket.fd(), IPPROTO_TCP, kNoSuchName, &value, &size),
      IsErrno(EINVAL));
}

void GetNull(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  socklen_t size = 8;
  EXPECT_THAT(
      c.sys().GetSockOpt(socket.fd(), SOL_SOCKET, SO_KEEPALIVE, nullptr, &size),
      IsErrno(EFAULT));
  EXPECT_EQ(size, 8);
}

void GetNullAboveTheSocket(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int level : {+IPPROTO_TCP, +IPPROTO_IP}) {
    socklen_t size = 8;
    EXPECT_THAT(c.sys().GetSockOpt(socket.fd(), level,
                                   /*TCP_NODELAY, IP_TOS*/ 1, nullptr, &size),
                IsErrno(EFAULT));
    EXPECT_LT(size, 8);
  }
}

void GetNullLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  int value = 0;
  EXPECT_THAT(c.sys().GetSockOpt(socket.fd(), SOL_SOCKET, SO_KEEPALIVE, &value,
                                 nullptr),
              IsErrno(EFAULT));
  EXPECT_THAT(
      c.sys().GetSockOpt(socket.fd(), SOL_SOCKET, kNoSuchName, &value, nullptr),
      IsErrno(EFAULT));
}

}  // namespace

const std::vector<Case>& OptionsArgumentsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.options.unknown_name",
       .requirement = "Setting or reading an unknown option of a known level "
                      "must fail with ENOPROTOOPT.",
       .source = "setsockopt(2), ENOPROTOOPT",
       .run = &UnknownName},
      {.id = "kernel.options.unknown_level",
       .requirement = "Setting an option of an unknown level must fail with "
                      "ENOPROTOOPT; reading it must fail with EOPNOTSUPP on "
                      "IPv4, and with ENOPROTOOPT on IPv6.",
       .source = "measured on Linux 6.18",
       .run = &UnknownLevel},
      {.id = "kernel.options.switch_reads_back_one",
       .requirement = "An on-off option must be on for every value except 0, "
                      "and read back 1.",
       .source = "socket(7), Socket options",
       .run = &SwitchReadsBackOne},
      {.id = "kernel.options.set.too_short",
       .requirement = "Setting an on-off option of SOL_SOCKET by fewer bytes "
                      "than an int has must fail with EINVAL.",
       .source = "setsockopt(2), EINVAL",
       .run = &SetTooShort},
      {.id = "kernel.options.set.too_long",
       .requirement = "Setting an option by more bytes than an int has must "
                      "use the first int.",
       .source = "measured on Linux 6.18",
       .run = &SetTooLong},
      {.id = "kernel.options.set.negative_length",
       .requirement = "setsockopt(2) with a negative length must fail with "
                      "EINVAL, whatever the level.",
       .source = "measured on Linux 6.18",
       .run = &SetNegativeLength},
      {.id = "kernel.options.set.null",
       .requirement = "setsockopt(2) from a null pointer must fail with "
                      "EFAULT, unless the length is wrong.",
       .source = "setsockopt(2), EFAULT",
       .run = &SetNull},
      {.id = "kernel.options.set.null_of_unknown_name",
       .requirement = "setsockopt(2) must read the value before it checks the "
                      "name, except at level IPPROTO_IP.",
       .source = "measured on Linux 6.18",
       .run = &SetNullUnknownName},
      {.id = "kernel.options.get.little_room",
       .requirement = "getsockopt(2) must return the first bytes of the value "
                      "if the length is less than an int's.",
       .source = "getsockopt(2)",
       .run = &GetInLittleRoom},
      {.id = "kernel.options.get.tcp_in_little_room",
       .requirement = "getsockopt(2) of a TCP option must return the first "
                      "byte of the value if the length is 1.",
       .source = "getsockopt(2); Linux: do_tcp_getsockopt()",
       .run = &GetTcpInLittleRoom},
      {.id = "kernel.options.get.much_room",
       .requirement = "getsockopt(2) must set the length to that of the value, "
                      "and write nothing beyond the value.",
       .source = "getsockopt(2)",
       .run = &GetInMuchRoom},
      {.id = "kernel.options.get.no_room",
       .requirement = "getsockopt(2) with a length of 0 must succeed.",
       .source = "measured on Linux 6.18",
       .run = &GetInNoRoom},
      {.id = "kernel.options.get.negative_length",
       .requirement = "getsockopt(2) with a negative length must fail with "
                      "EINVAL, even for an unknown name.",
       .source = "getsockopt(2), EINVAL",
       .run = &GetNegativeLength},
      {.id = "kernel.options.get.null",
       .requirement = "getsockopt(2) of SOL_SOCKET into a null pointer must "
                      "fail with EFAULT, and leave the length unchanged.",
       .source = "getsockopt(2), EFAULT",
       .run = &GetNull},
      {.id = "kernel.options.get.null_above_the_socket",
       .requirement =
           "getsockopt(2) of IPPROTO_TCP or IPPROTO_IP into a null pointer "
           "must fail with EFAULT after it has written the length.",
       .source = "measured on Linux 6.18",
       .run = &GetNullAboveTheSocket},
      {.id = "kernel.options.get.null_length",
       .requirement = "getsockopt(2) with a null pointer for the length must "
                      "fail with EFAULT, even for an unknown name.",
       .source = "getsockopt(2), EFAULT",
       .run = &GetNullLength},
  };
  return cases;
}

}  // namespace net::conformance
