// Control messages of sendmsg(2).

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "conformance/kernel_cases/control_messages.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// A control message to be sent. `length` is cmsg_len, or -1 if it is right.
struct ToSend {
  int level;
  int type;
  size_t size;
  uint32_t value = 0;
  int64_t length = -1;
};

std::string Bytes(const ToSend& message) {
  cmsghdr header = {};
  header.cmsg_len = message.length < 0 ? CMSG_LEN(message.size)
                                       : static_cast<size_t>(message.length);
  header.cmsg_level = message.level;
  header.cmsg_type = message.type;
  std::string bytes(CMSG_SPACE(message.size), '\0');
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::memcpy(bytes.data() + sizeof(header), &message.value,
              std::min(message.size, sizeof(message.value)));
  return bytes;
}

SysResult SendWith(const RawSocket& socket, const void* control, size_t size) {
  char data[] = {'a', 'b', 'c'};
  iovec part = {.iov_base = data, .iov_len = sizeof(data)};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = const_cast<void*>(control);
  header.msg_controllen = size;
  return socket.syscalls().SendMsg(socket.fd(), &header, MSG_NOSIGNAL);
}
SysResult SendWith(const RawSocket& socket, const std::string& control) {
  return SendWith(socket, control.data(), control.size());
}

void UnknownControl(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  for (const int type : {0, 3, 29, 61, 81, 999}) {
    EXPECT_THAT(SendWith(pair.client, Bytes({SOL_SOCKET, type, 4})),
                IsErrno(EINVAL))
        << type;
  }
  EXPECT_THAT(RecvOnce(pair.server, 9, MSG_DONTWAIT), IsErrno(EAGAIN));
}

void ControlOfOtherLevels(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  for (const int level :
       {int{IPPROTO_IP}, int{IPPROTO_TCP}, int{IPPROTO_IPV6}, 255}) {
    EXPECT_THAT(SendWith(pair.client, Bytes({level, 999, 4})), IsOkAndHolds(3))
        << level;
  }
  for (const int type : {int{SCM_RIGHTS}, int{SCM_CREDENTIALS}}) {
    EXPECT_THAT(SendWith(pair.client, Bytes({SOL_SOCKET, type, 4})),
                IsOkAndHolds(3));
  }
  EXPECT_THAT(RecvOnce(pair.server, 99), IsOkAndHolds("abcabcabcabcabcabc"));
}

void ControlLengths(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  for (const int64_t length : {0, 8, 15, 16, 24, 1000}) {
    EXPECT_THAT(
        SendWith(pair.client, Bytes({SOL_SOCKET, SO_PRIORITY, 4, 1, length})),
        IsErrno(EINVAL))
        << length;
  }
  EXPECT_THAT(SendWith(pair.client, Bytes({SOL_SOCKET, SO_PRIORITY, 2})),
              IsErrno(EINVAL));
  EXPECT_THAT(SendWith(pair.client, Bytes({SOL_SOCKET, SO_PRIORITY, 4, 6})),
              IsOkAndHolds(3));
}

// Needs CAP_NET_ADMIN or CAP_NET_RAW.
void ControlMarkLength(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(SendWith(pair.client, Bytes({SOL_SOCKET, SO_MARK, 2})),
              IsErrno(EINVAL));
  EXPECT_THAT(SendWith(pair.client, Bytes({SOL_SOCKET, SO_MARK, 4, 1})),
              IsOkAndHolds(3));
}

void ControlTimestamping(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  constexpr uint32_t kReceived = 1U << 3;
  constexpr uint32_t kSoftware = 1U << 4;
  for (const uint32_t value : {kReceived, kSoftware}) {
    EXPECT_THAT(SendWith(pair.client,
                         Bytes({SOL_SOCKET, SO_TIMESTAMPING_OLD, 4, value})),
                IsErrno(EINVAL));
  }
  EXPECT_THAT(
      SendWith(pair.client, Bytes({SOL_SOCKET, SO_TIMESTAMPING_OLD, 4})),
      IsOkAndHolds(3));
}

void SeveralControls(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const std::string good = Bytes({SOL_SOCKET, SO_PRIORITY, 4, 1});
  EXPECT_THAT(SendWith(pair.client, good + good), IsOkAndHolds(3));
  EXPECT_THAT(SendWith(pair.client, good + Bytes({SOL_SOCKET, 999, 4})),
              IsErrno(EINVAL));
  EXPECT_THAT(SendWith(pair.client,
                       good + Bytes({SOL_SOCKET, SO_PRIORITY, 4, 1, 1000})),
              IsErrno(EINVAL));
  EXPECT_THAT(SendWith(pair.client, good + std::string(8, '\0')),
              IsOkAndHolds(3));
}

// CAP_NET_ADMIN is needed for SO_MARK, and for a priority above 6.
void ControlOfOtherUser(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const std::string priority = Bytes({SOL_SOCKET, SO_PRIORITY, 4, 7});
  const std::string unknown = Bytes({SOL_SOCKET, 999, 4});
  c.env().AsOtherUser([&] {
    EXPECT_THAT(SendWith(pair.client, Bytes({SOL_SOCKET, SO_MARK, 4, 1})),
                IsErrno(EPERM));
    EXPECT_THAT(SendWith(pair.client, priority), IsErrno(EPERM));
    // The first error counts.
    EXPECT_THAT(SendWith(pair.client, priority + unknown), IsErrno(EPERM));
    EXPECT_THAT(SendWith(pair.client, unknown + priority), IsErrno(EINVAL));
  });
}

void ControlPointer(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(SendWith(pair.client, nullptr, 0), IsOkAndHolds(3));
  EXPECT_THAT(SendWith(pair.client, nullptr, 100), IsErrno(EFAULT));
  EXPECT_THAT(SendWith(pair.client, BadAddress(), 24), IsErrno(EFAULT));
  EXPECT_THAT(SendWith(pair.client, BadAddress(), size_t{1} << 31),
              IsErrno(ENOBUFS));
  const std::string unknown = Bytes({SOL_SOCKET, 999, 4});
  for (const size_t size : {size_t{8}, size_t{15}}) {
    EXPECT_THAT(SendWith(pair.client, unknown.data(), size), IsOkAndHolds(3));
  }
}

void ControlComesAfterState(Context& c) {
  const std::string unknown = Bytes({SOL_SOCKET, 999, 4});
  ASSERT_OK_AND_ASSIGN(const RawSocket fresh, NewTcp(c));
  EXPECT_THAT(SendWith(fresh, unknown), IsErrno(EPIPE));
  EXPECT_THAT(SendWith(fresh, nullptr, 100), IsErrno(EFAULT));
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(SendWith(pair.client, unknown), IsErrno(EPIPE));
}

}  // namespace

const std::vector<Case>& SentMessagesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.sendmsg.control.unknown",
       .requirement = "sendmsg(2) must fail with EINVAL for a control message "
                      "of SOL_SOCKET that TCP does not know, and send nothing.",
       .source = "measured on Linux 6.18",
       .run = &UnknownControl},
      {.id = "kernel.sendmsg.control.other_levels",
       .requirement = "sendmsg(2) on a TCP socket must ignore control messages "
                      "of other levels, SCM_RIGHTS and SCM_CREDENTIALS.",
       .source = "measured on Linux 6.18",
       .run = &ControlOfOtherLevels},
      {.id = "kernel.sendmsg.control.length",
       .requirement = "sendmsg(2) must fail with EINVAL for a control message "
                      "whose length is wrong.",
       .source = "measured on Linux 6.18",
       .run = &ControlLengths},
      {.id = "kernel.sendmsg.control.mark",
       .requirement = "sendmsg(2) must fail with EINVAL for an SO_MARK of "
                      "another length than 4.",
       .source = "Linux, __sock_cmsg_send() in net/core/sock.c",
       .needs = Need::kOwnNetwork,
       .run = &ControlMarkLength},
      {.id = "kernel.sendmsg.control.timestamping",
       .requirement = "sendmsg(2) must accept only times of sending in "
                      "SO_TIMESTAMPING.",
       .source = "Linux, Documentation/networking/timestamping.rst",
       .run = &ControlTimestamping},
      {.id = "kernel.sendmsg.control.several",
       .requirement = "sendmsg(2) must check every control message, and ignore "
                      "a rest that is too short for one.",
       .source = "cmsg(3)",
       .run = &SeveralControls},
      {.id = "kernel.sendmsg.control.other_user",
       .requirement = "sendmsg(2) must fail with EPERM for SO_MARK, and for a "
                      "priority above 6, without CAP_NET_ADMIN; the first "
                      "error must count.",
       .source = "socket(7), SO_MARK and SO_PRIORITY; measured on Linux 6.18",
       .needs = Need::kOtherUser,
       .run = &ControlOfOtherUser},
      {.id = "kernel.sendmsg.control.pointer",
       .requirement =
           "sendmsg(2) must fail with EFAULT for control messages at "
           "an invalid address, and with ENOBUFS for more than 2 GiB "
           "of them.",
       .source = "sendmsg(2), ERRORS; measured on Linux 6.18",
       .run = &ControlPointer},
      {.id = "kernel.sendmsg.control.order",
       .requirement =
           "sendmsg(2) must copy control messages before it looks at "
           "the connection, and check them after that.",
       .source = "measured on Linux 6.18",
       .run = &ControlComesAfterState},
  };
  return cases;
}

}  // namespace net::conformance
