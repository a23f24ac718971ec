// Control messages of recvmsg(2) and sendmsg(2), and SO_PEEK_OFF.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "conformance/kernel_cases/control_messages.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;
using loopback::RefusedPort;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kTcpInq = 36;  // TCP_INQ, and its control message.
constexpr int kSoPeekOff = 42;

// Linux begins to stamp segments some time after the first socket of the
// machine has asked for it. Sends from `server` to `client` until one is
// stamped.
void AwaitStamps(const Pair& pair) {
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
    if (!RecvMsg(pair.client, 1).control.empty()) return;
  }
  FAIL() << "No segment was stamped.";
}

// ---- Time stamps ------------------------------------------------------------

struct Stamp {
  int option;
  int size;
};
constexpr Stamp kStamps[] = {{SO_TIMESTAMP_OLD, sizeof(timeval)},
                             {SO_TIMESTAMPNS_OLD, sizeof(timespec)},
                             {SO_TIMESTAMP_NEW, 16},
                             {SO_TIMESTAMPNS_NEW, 16}};

void Stamps(Context& c) {
  for (const Stamp& stamp : kStamps) {
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
    ASSERT_THAT(SetSocketOption(pair.client, stamp.option, 1), IsOk());
    AwaitStamps(pair);
    ASSERT_THAT(pair.server.Send("hello"), IsOkAndHolds(5));
    const Message message = RecvMsg(pair.client, 5);
    EXPECT_EQ(message.data, "hello");
    EXPECT_EQ(message.flags, 0);
    EXPECT_THAT(message.control,
                ElementsAre(IsMessage(SOL_SOCKET, stamp.option, stamp.size)));
  }
}

void StampIsTheTime(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMPNS_OLD, 1), IsOk());
  AwaitStamps(pair);
  timespec before = {};
  timespec after = {};
  ASSERT_THAT(c.sys().ClockGetTime(CLOCK_REALTIME, &before), IsOk());
  ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
  ASSERT_THAT(c.sys().ClockGetTime(CLOCK_REALTIME, &after), IsOk());
  const Message message = RecvMsg(pair.client, 1);
  ASSERT_EQ(message.control.size(), 1U);
  const auto stamp = message.control[0].As<timespec>();
  const auto ns = [](const timespec& time) {
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
  };
  EXPECT_GE(ns(stamp), ns(before));
  EXPECT_LE(ns(stamp), ns(after));
}

void StampRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMP_OLD, 1), IsOk());
  AwaitStamps(pair);
  // The room, and how much of the 16 bytes fits.
  for (const auto& [room, size] : std::vector<std::pair<size_t, int>>{
           {0, -1}, {4, -1}, {15, -1}, {16, 0}, {24, 8}, {31, 15}, {32, 16}}) {
    ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
    const Message message = RecvMsg(pair.client, 1, 0, room);
    EXPECT_EQ(message.data, "x");
    EXPECT_EQ(message.flags, size == 16 ? 0 : MSG_CTRUNC) << room;
    if (size < 0) {
      EXPECT_THAT(message.control, IsEmpty()) << room;
    } else {
      EXPECT_THAT(message.control,
                  ElementsAre(IsMessage(SOL_SOCKET, SO_TIMESTAMP_OLD, size)))
          << room;
    }
  }
}

void StampPeek(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMP_OLD, 1), IsOk());
  AwaitStamps(pair);
  ASSERT_THAT(pair.server.Send("ab"), IsOkAndHolds(2));
  for (const int flags : {int{MSG_PEEK}, 0}) {
    const Message message = RecvMsg(pair.client, 2, flags);
    EXPECT_EQ(message.data, "ab");
    EXPECT_THAT(message.control,
                ElementsAre(IsMessage(SOL_SOCKET, SO_TIMESTAMP_OLD, 16)));
  }
}

void StampOfNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMP_OLD, 1), IsOk());
  AwaitStamps(pair);
  EXPECT_THAT(RecvMsg(pair.client, 1, MSG_DONTWAIT).result, IsErrno(EAGAIN));
  ASSERT_THAT(pair.server.Send("ab"), IsOkAndHolds(2));
  const Message nothing = RecvMsg(pair.client, 0);
  EXPECT_EQ(nothing.data, "");
  EXPECT_EQ(nothing.control.size(), 1U);
  EXPECT_EQ(RecvMsg(pair.client, 2).data, "ab");
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  const Message end = RecvMsg(pair.client, 1);
  EXPECT_THAT(end.result, IsOkAndHolds(0));
  EXPECT_THAT(end.control, IsEmpty());
}

void Timestamping(Context& c) {
  constexpr int kReceived = 1 << 3;  // SOF_TIMESTAMPING_RX_SOFTWARE
  constexpr int kSoftware = 1 << 4;  // SOF_TIMESTAMPING_SOFTWARE
  for (const int option : {SO_TIMESTAMPING_OLD, SO_TIMESTAMPING_NEW}) {
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
    ASSERT_THAT(SetSocketOption(pair.client, option, kReceived | kSoftware),
                IsOk());
    AwaitStamps(pair);
    ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
    EXPECT_THAT(RecvMsg(pair.client, 1).control,
                ElementsAre(IsMessage(SOL_SOCKET, option, 48)));
    ASSERT_THAT(SetSocketOption(pair.client, option, kReceived), IsOk());
    ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
    EXPECT_THAT(RecvMsg(pair.client, 1).control, IsEmpty());
  }
}

// Other sockets of the machine can make Linux stamp segments, so only a socket
// that has asked for no such time itself can be without one.
void TimestampingFilters(Context& c) {
  constexpr int kSoftware = 1 << 4;          // SOF_TIMESTAMPING_SOFTWARE
  constexpr int kFiltersReceived = 1 << 17;  // SOF_TIMESTAMPING_OPT_RX_FILTER
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMP_OLD, 1), IsOk());
  AwaitStamps(pair);
  for (const int flags : {kSoftware, kSoftware | kFiltersReceived}) {
    ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMPING_OLD, flags),
                IsOk());
    ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
    EXPECT_EQ(RecvMsg(pair.client, 1).control.size(),
              flags == kSoftware ? 2U : 1U);
  }
}

// ---- TCP_INQ ----------------------------------------------------------------

void ExpectLeft(const RawSocket& socket, size_t size, int flags, int left) {
  const Message message = RecvMsg(socket, size, flags);
  ASSERT_THAT(message.control,
              ElementsAre(IsMessage(IPPROTO_TCP, kTcpInq, sizeof(int))));
  EXPECT_EQ(message.control[0].As<int>(), left);
}

void Inq(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, kTcpInq, 1), IsOk());
  ASSERT_THAT(pair.server.Send(std::string(25, 'x')), IsOkAndHolds(25));
  ExpectLeft(pair.client, 10, 0, 15);
  ExpectLeft(pair.client, 10, MSG_PEEK, 15);
  ExpectLeft(pair.client, 10, 0, 5);
  ExpectLeft(pair.client, 5, 0, 0);
  EXPECT_THAT(RecvMsg(pair.client, 5, MSG_DONTWAIT).result, IsErrno(EAGAIN));
}

void InqAtEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, kTcpInq, 1), IsOk());
  ASSERT_THAT(pair.server.Send("ab"), IsOkAndHolds(2));
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ExpectLeft(pair.client, 1, 0, 2);
  ExpectLeft(pair.client, 1, 0, 1);
  ExpectLeft(pair.client, 1, 0, 1);
}

void InqAndStamp(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMPNS_OLD, 1), IsOk());
  AwaitStamps(pair);
  ASSERT_THAT(SetTcp(pair.client, kTcpInq, 1), IsOk());
  ASSERT_THAT(pair.server.Send("abcd"), IsOkAndHolds(4));
  EXPECT_THAT(RecvMsg(pair.client, 1).control,
              ElementsAre(IsMessage(SOL_SOCKET, SO_TIMESTAMPNS_OLD, 16),
                          IsMessage(IPPROTO_TCP, kTcpInq, 4)));
  const Message one = RecvMsg(pair.client, 1, 0, 40);
  EXPECT_EQ(one.flags, MSG_CTRUNC);
  EXPECT_THAT(one.control,
              ElementsAre(IsMessage(SOL_SOCKET, SO_TIMESTAMPNS_OLD, 16)));
}

void NoControl(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("ab"), IsOkAndHolds(2));
  const Message message = RecvMsg(pair.client, 2);
  EXPECT_EQ(message.data, "ab");
  EXPECT_EQ(message.flags, 0);
  EXPECT_THAT(message.control, IsEmpty());
}

// ---- sendmsg(2) -------------------------------------------------------------

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

// ---- SO_PEEK_OFF ------------------------------------------------------------

void PeekOffset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 0), IsOk());
  ASSERT_THAT(pair.server.Send("0123456789"), IsOkAndHolds(10));
  const auto offset = [&] {
    return pair.client.Option(SOL_SOCKET, kSoPeekOff);
  };
  EXPECT_THAT(RecvOnce(pair.client, 3, MSG_PEEK), IsOkAndHolds("012"));
  EXPECT_THAT(offset(), IsOkAndHolds(3));
  EXPECT_THAT(RecvOnce(pair.client, 3, MSG_PEEK), IsOkAndHolds("345"));
  EXPECT_THAT(RecvOnce(pair.client, 2), IsOkAndHolds("01"));
  EXPECT_THAT(offset(), IsOkAndHolds(4));
  EXPECT_THAT(RecvOnce(pair.client, 9, MSG_PEEK), IsOkAndHolds("6789"));
  EXPECT_THAT(offset(), IsOkAndHolds(8));
}

void PeekOffsetAtEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("0123456789"), IsOkAndHolds(10));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 10), IsOk());
  EXPECT_THAT(RecvOnce(pair.client, 1, MSG_PEEK | MSG_DONTWAIT),
              IsErrno(EAGAIN));
  EXPECT_THAT(pair.client.Ready(POLLIN), IsOkAndHolds(POLLIN));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 5), IsOk());
  EXPECT_THAT(RecvOnce(pair.client, 10), IsOkAndHolds("0123456789"));
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, kSoPeekOff), IsOkAndHolds(0));
}

void PeekOffsetIsOff(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("0123456789"), IsOkAndHolds(10));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 4), IsOk());
  EXPECT_THAT(RecvOnce(pair.client, 2, MSG_PEEK), IsOkAndHolds("45"));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, -1), IsOk());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(RecvOnce(pair.client, 2, MSG_PEEK), IsOkAndHolds("01"));
  }
}

void DisconnectingResetsPeekOffset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, kSoPeekOff, 4), IsOk());
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, kSoPeekOff), IsOkAndHolds(-1));
}

void FailedConnectResetsPeekOffset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(SetSocketOption(client, kSoPeekOff, 4), IsOk());
  ASSERT_THAT(Connect(client, refused.endpoint()), IsErrno(ECONNREFUSED));
  EXPECT_THAT(client.Option(SOL_SOCKET, kSoPeekOff), IsOkAndHolds(-1));
}

}  // namespace

const std::vector<Case>& MessagesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.recvmsg.stamp",
       .requirement = "With SO_TIMESTAMP or SO_TIMESTAMPNS, recvmsg(2) must "
                      "return the time in a control message of that name.",
       .source = "socket(7), SO_TIMESTAMP",
       .run = &Stamps},
      {.id = "kernel.recvmsg.stamp.time",
       .requirement = "The time of SO_TIMESTAMPNS must be that at which the "
                      "data arrived.",
       .source = "socket(7), SO_TIMESTAMPNS",
       .run = &StampIsTheTime},
      {.id = "kernel.recvmsg.stamp.room",
       .requirement =
           "A control message that does not fit must be cut, or left "
           "out if its header does not fit, with MSG_CTRUNC.",
       .source = "recvmsg(2), MSG_CTRUNC",
       .run = &StampRoom},
      {.id = "kernel.recvmsg.stamp.peek",
       .requirement = "recvmsg(2) with MSG_PEEK must return the time, too.",
       .source = "measured on Linux 6.18",
       .run = &StampPeek},
      {.id = "kernel.recvmsg.stamp.nothing",
       .requirement = "recvmsg(2) of 0 bytes must return the time of the data "
                      "that is queued; the end of the stream has none.",
       .source = "measured on Linux 6.18",
       .run = &StampOfNothing},
      {.id = "kernel.recvmsg.timestamping",
       .requirement = "With SO_TIMESTAMPING of software times of reception, "
                      "recvmsg(2) must return three times.",
       .source = "Linux, Documentation/networking/timestamping.rst",
       .run = &Timestamping},
      {.id = "kernel.recvmsg.timestamping.filter",
       .requirement =
           "With SOF_TIMESTAMPING_OPT_RX_FILTER and without "
           "SOF_TIMESTAMPING_RX_SOFTWARE, recvmsg(2) must not return a "
           "segment's time for SO_TIMESTAMPING.",
       .source = "Linux, Documentation/networking/timestamping.rst, "
                 "SOF_TIMESTAMPING_OPT_RX_FILTER",
       .run = &TimestampingFilters},
      {.id = "kernel.recvmsg.inq",
       .requirement = "With TCP_INQ, recvmsg(2) must return how many bytes are "
                      "left.",
       .source = "measured on Linux 6.18",
       .run = &Inq},
      {.id = "kernel.recvmsg.inq.end",
       .requirement = "TCP_INQ must count a FIN as a byte that is never read.",
       .source = "measured on Linux 6.18",
       .run = &InqAtEnd},
      {.id = "kernel.recvmsg.inq.stamp",
       .requirement = "recvmsg(2) must return the time before the bytes that "
                      "are left, and cut what does not fit.",
       .source = "measured on Linux 6.18",
       .run = &InqAndStamp},
      {.id = "kernel.recvmsg.no_control",
       .requirement = "recvmsg(2) must return no control messages unless an "
                      "option asks for them.",
       .source = "recvmsg(2)",
       .run = &NoControl},
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
      {.id = "kernel.peek_off",
       .requirement = "With SO_PEEK_OFF, MSG_PEEK must begin at the offset and "
                      "move it forward; receiving must move it back.",
       .source = "socket(7), SO_PEEK_OFF",
       .run = &PeekOffset},
      {.id = "kernel.peek_off.end",
       .requirement = "MSG_PEEK at an offset at the end of the data must fail "
                      "with EAGAIN, although poll(2) reports data.",
       .source = "measured on Linux 6.18",
       .run = &PeekOffsetAtEnd},
      {.id = "kernel.peek_off.off",
       .requirement = "SO_PEEK_OFF of -1 must make MSG_PEEK begin at the first "
                      "byte.",
       .source = "socket(7), SO_PEEK_OFF",
       .run = &PeekOffsetIsOff},
      {.id = "kernel.peek_off.disconnect",
       .requirement = "connect(2) with AF_UNSPEC must set SO_PEEK_OFF to -1.",
       .source = "Linux, tcp_disconnect() in net/ipv4/tcp.c",
       .run = &DisconnectingResetsPeekOffset},
      {.id = "kernel.peek_off.refused",
       .requirement = "A connect(2) that is refused must set SO_PEEK_OFF to "
                      "-1.",
       .source = "Linux, tcp_disconnect() in net/ipv4/tcp.c",
       .run = &FailedConnectResetsPeekOffset},
  };
  return cases;
}

}  // namespace net::conformance
