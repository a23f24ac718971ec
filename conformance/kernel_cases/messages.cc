// Control messages of recvmsg(2).

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/kernel_cases/control_messages.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/kernel_cases/times.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kTcpInq = 36;  // TCP_INQ, and its control message.

// Sends from `server` to `client`, again and again until the data is stamped.
// Does not read the stamped data.
//
// Linux stamps the segments of all sockets as long as one of the machine asks
// for it. It begins and ends some time after the call (netstamp_clear() in
// net/core/dev.c), so that a segment can lack a stamp although the one before
// has one. Requires that only a stamp causes a control message.
void SendStamped(const Pair& pair, absl::string_view data) {
  // Otherwise Nagle's algorithm waits for the acknowledgement of the one
  // before.
  ASSERT_THAT(SetTcp(pair.server, TCP_NODELAY, 1), IsOk());
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_THAT(pair.server.Send(data), IsOkAndHolds(data.size()));
    if (!RecvMsg(pair.client, data.size(), MSG_PEEK).control.empty()) return;
    ASSERT_EQ(RecvMsg(pair.client, data.size()).data, data);
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
    SendStamped(pair, "hello");
    const Message message = RecvMsg(pair.client, 5);
    EXPECT_EQ(message.data, "hello");
    EXPECT_EQ(message.flags, 0);
    EXPECT_THAT(message.control,
                ElementsAre(IsMessage(SOL_SOCKET, stamp.option, stamp.size)));
  }
}

// Returns CLOCK_REALTIME in nanoseconds.
int64_t RealTime(Context& c) {
  timespec now = {};
  EXPECT_THAT(c.sys().ClockGetTime(CLOCK_REALTIME, &now), IsOk());
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// Calls recvmsg(2), and returns the time of SO_TIMESTAMPNS in nanoseconds, or
// -1 if there is none.
int64_t StampOf(const RawSocket& socket, size_t size, int flags = 0) {
  const Message message = RecvMsg(socket, size, flags);
  EXPECT_EQ(message.data.size(), size);
  if (message.control.empty()) return -1;
  const auto stamp = message.control[0].As<timespec>();
  return stamp.tv_sec * 1'000'000'000 + stamp.tv_nsec;
}

// A connection whose client has SO_TIMESTAMPNS, and stamps.
absl::StatusOr<Pair> NewStampedPair(Context& c) {
  absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return pair;
  EXPECT_THAT(SetSocketOption(pair->client, SO_TIMESTAMPNS_OLD, 1), IsOk());
  SendStamped(*pair, "x");
  EXPECT_EQ(RecvMsg(pair->client, 1).data, "x");
  return pair;
}

// The times of two segments. A segment can lack one: see SendStamped().
struct TwoStamps {
  int64_t between = 0;  // After the first was sent, and before the second.
  int64_t both = -1;    // Of a recvmsg(2) that peeks at both.
  int64_t first = -1;
  int64_t second = -1;
  bool complete() const { return both >= 0 && first >= 0 && second >= 0; }
};

// `wait` lets time pass between the two.
TwoStamps StampsOfTwo(Context& c, const Pair& pair,
                      absl::FunctionRef<void()> wait) {
  TwoStamps stamps;
  EXPECT_THAT(pair.server.Send("ab"), IsOkAndHolds(2));
  wait();
  stamps.between = RealTime(c);
  EXPECT_THAT(pair.server.Send("cd"), IsOkAndHolds(2));
  stamps.both = StampOf(pair.client, 3, MSG_PEEK);
  stamps.first = StampOf(pair.client, 2);
  stamps.second = StampOf(pair.client, 2);
  return stamps;
}

void StampIsTheTime(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMPNS_OLD, 1), IsOk());
  const int64_t before = RealTime(c);
  SendStamped(pair, "x");
  const int64_t after = RealTime(c);
  const int64_t stamp = StampOf(pair.client, 1);
  EXPECT_GE(stamp, before);
  EXPECT_LE(stamp, after);
}

constexpr int kAttempts = 100;

void StampOfEach(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewStampedPair(c));
  TwoStamps stamps;
  for (int i = 0; i < kAttempts && !stamps.complete(); ++i) {
    Undisturbed(c, [&] {
      // Delays the acknowledgement.
      EXPECT_THAT(SetTcp(pair.client, TCP_QUICKACK, 0), IsOk());
      stamps = StampsOfTwo(c, pair, [&] {
        EXPECT_THAT(c.sys().Poll(nullptr, 0, 1), IsOkAndHolds(0));
      });
    });
  }
  ASSERT_TRUE(stamps.complete());
  EXPECT_LT(stamps.first, stamps.between);
  EXPECT_GE(stamps.second, stamps.between);
  EXPECT_EQ(stamps.both, stamps.second);
}

void StampOfJoined(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewStampedPair(c));
  TwoStamps stamps;
  for (int i = 0; i < kAttempts && !stamps.complete(); ++i) {
    stamps = StampsOfTwo(c, pair, [&] {
      // Until the first is acknowledged.
      do {
        EXPECT_THAT(c.sys().Poll(nullptr, 0, 1), IsOkAndHolds(0));
      } while (Ask(pair.server, SIOCOUTQ).value_or(0) > 0);
    });
  }
  ASSERT_TRUE(stamps.complete());
  EXPECT_GE(stamps.first, stamps.between);
  EXPECT_EQ(stamps.second, stamps.first);
  EXPECT_EQ(stamps.both, stamps.first);
}

void StampRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMP_OLD, 1), IsOk());
  // The room, and how much of the 16 bytes fits.
  for (const auto& [room, size] : std::vector<std::pair<size_t, int>>{
           {0, -1}, {4, -1}, {15, -1}, {16, 0}, {24, 8}, {31, 15}, {32, 16}}) {
    SendStamped(pair, "x");
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
  SendStamped(pair, "ab");
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
  EXPECT_THAT(RecvMsg(pair.client, 1, MSG_DONTWAIT).result, IsErrno(EAGAIN));
  SendStamped(pair, "ab");
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
    SendStamped(pair, "x");
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
  for (const int flags : {kSoftware, kSoftware | kFiltersReceived}) {
    ASSERT_THAT(SetSocketOption(pair.client, SO_TIMESTAMPING_OLD, flags),
                IsOk());
    SendStamped(pair, "x");
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
  SendStamped(pair, "abcd");
  ASSERT_THAT(SetTcp(pair.client, kTcpInq, 1), IsOk());
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
      {.id = "kernel.recvmsg.stamp.each",
       .requirement = "recvmsg(2) must return the time of the segment with the "
                      "last byte, if the one before is not acknowledged.",
       .source = "Linux, tcp_recvmsg_locked() in net/ipv4/tcp.c and "
                 "skb_try_coalesce() in net/core/skbuff.c",
       .run = &StampOfEach},
      {.id = "kernel.recvmsg.stamp.joined",
       .requirement = "recvmsg(2) must return the time of the last of several "
                      "segments that were joined, because the first one was "
                      "acknowledged and not read.",
       .source = "Linux, tcp_try_coalesce() in net/ipv4/tcp_input.c",
       .run = &StampOfJoined},
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
  };
  return cases;
}

}  // namespace net::conformance
