// Buffer sizes, SO_RCVLOWAT, SO_RCVTIMEO and SO_SNDTIMEO.

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
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

using loopback::ConnectedPair;
using loopback::Pair;
using loopback::RawSocket;
using loopback::SendUntilFull;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::Le;

constexpr int kSoBufLock = 72;

SysResult SetTimeout(const RawSocket& socket, int name, int64_t seconds,
                     int64_t us) {
  const timeval value = {.tv_sec = seconds, .tv_usec = us};
  return SetOptionTo(socket, SOL_SOCKET, name, value);
}

// Returns a timeout in microseconds.
absl::StatusOr<int64_t> TimeoutOf(const RawSocket& socket, int name) {
  const auto value = OptionOf<timeval>(socket, SOL_SOCKET, name);
  if (!value.ok()) return value.status();
  return int64_t{value->tv_sec} * 1000000 + value->tv_usec;
}

void Doubled(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int name : {SO_RCVBUF, SO_SNDBUF}) {
    EXPECT_THAT(SetSocketOption(socket, name, 10001), IsOk());
    EXPECT_THAT(socket.Option(SOL_SOCKET, name), IsOkAndHolds(20002));
  }
}

void ReceiveFloor(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int value : {0, 1, 1152}) {
    EXPECT_THAT(SetSocketOption(socket, SO_RCVBUF, value), IsOk());
    EXPECT_THAT(socket.Option(SOL_SOCKET, SO_RCVBUF), IsOkAndHolds(2304));
  }
}

void SendFloor(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int value : {0, 1, 2304}) {
    EXPECT_THAT(SetSocketOption(socket, SO_SNDBUF, value), IsOk());
    EXPECT_THAT(socket.Option(SOL_SOCKET, SO_SNDBUF), IsOkAndHolds(4608));
  }
}

void NegativeIsTheMost(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int name : {SO_RCVBUF, SO_SNDBUF}) {
    EXPECT_THAT(SetSocketOption(socket, name, INT_MAX), IsOk());
    ASSERT_OK_AND_ASSIGN(const int most, socket.Option(SOL_SOCKET, name));
    EXPECT_LT(most, INT_MAX - 1);
    EXPECT_THAT(SetSocketOption(socket, name, 5000), IsOk());
    EXPECT_THAT(SetSocketOption(socket, name, -1), IsOk());
    EXPECT_THAT(socket.Option(SOL_SOCKET, name), IsOkAndHolds(most));
  }
}

void LocksAreTold(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.Option(SOL_SOCKET, kSoBufLock), IsOkAndHolds(0));
  EXPECT_THAT(SetSocketOption(socket, SO_RCVBUF, 5000), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, kSoBufLock), IsOkAndHolds(2));
  EXPECT_THAT(SetSocketOption(socket, SO_SNDBUF, 5000), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, kSoBufLock), IsOkAndHolds(3));
  EXPECT_THAT(SetSocketOption(socket, kSoBufLock, 4), IsErrno(EINVAL));
  EXPECT_THAT(SetSocketOption(socket, kSoBufLock, 0), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, kSoBufLock), IsOkAndHolds(0));
}

void SendBufferGrows(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket fresh, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const int before, fresh.Option(SOL_SOCKET, SO_SNDBUF));
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, SO_SNDBUF),
              IsOkAndHolds(Gt(before)));
  EXPECT_THAT(pair.server.Option(SOL_SOCKET, SO_SNDBUF),
              IsOkAndHolds(Gt(before)));
}

void SetSendBufferStays(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family(), {},
                                                      {.send_buffer = 10000}));
  EXPECT_THAT(pair.client.Option(SOL_SOCKET, SO_SNDBUF), IsOkAndHolds(20000));
}

void ReceiveBufferIsInherited(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair,
                       AcceptWith(c, {{SOL_SOCKET, SO_RCVBUF, 10000}}));
  EXPECT_THAT(pair.server.Option(SOL_SOCKET, SO_RCVBUF), IsOkAndHolds(20000));
  EXPECT_THAT(pair.server.Option(SOL_SOCKET, kSoBufLock), IsOkAndHolds(2));
}

void SmallestTakesASegment(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family(), {},
                                                      {.send_buffer = 1}));
  const std::string most(20000, 'x');
  EXPECT_THAT(pair.client.Send(most, MSG_DONTWAIT), IsOkAndHolds(20000));
  EXPECT_THAT(RecvOnce(pair.server, most.size(), MSG_WAITALL),
              IsOkAndHolds(most));
}

// Compares a connection with default buffers and one with small buffers.
void SmallBuffersFillEarlier(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair usual, ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Pair small, ConnectedPair(c.sys(), c.family(),
                                                       {.receive_buffer = 4096},
                                                       {.send_buffer = 4096}));
  ASSERT_OK_AND_ASSIGN(const size_t much, SendUntilFull(usual.client));
  ASSERT_OK_AND_ASSIGN(const size_t little, SendUntilFull(small.client));
  EXPECT_LT(little, much);
}

void LowatDefault(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_RCVLOWAT), IsOkAndHolds(1));
  EXPECT_THAT(SetSocketOption(socket, SO_RCVLOWAT, 0), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_RCVLOWAT), IsOkAndHolds(1));
}

void LowatNegative(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetSocketOption(socket, SO_RCVLOWAT, INT_MAX), IsOk());
  ASSERT_OK_AND_ASSIGN(const int most, socket.Option(SOL_SOCKET, SO_RCVLOWAT));
  EXPECT_LT(most, INT_MAX);
  EXPECT_THAT(SetSocketOption(socket, SO_RCVLOWAT, 5), IsOk());
  EXPECT_THAT(SetSocketOption(socket, SO_RCVLOWAT, -1), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_RCVLOWAT), IsOkAndHolds(most));
}

void LowatMakesRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetSocketOption(socket, SO_RCVLOWAT, 1000000), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_RCVBUF), IsOkAndHolds(2000000));
  EXPECT_THAT(SetSocketOption(socket, SO_RCVLOWAT, 1), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_RCVBUF), IsOkAndHolds(2000000));
}

void LowatInSetBuffer(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetSocketOption(socket, SO_RCVBUF, 10000), IsOk());
  EXPECT_THAT(SetSocketOption(socket, SO_RCVLOWAT, 1000000), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_RCVLOWAT), IsOkAndHolds(10000));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_RCVBUF), IsOkAndHolds(20000));
}

void LowatDelaysPoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 4), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(0));
  ASSERT_THAT(pair.client.Send("d"), IsOk());
  EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(POLLIN));
}

void LoweredLowatIsReady(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 4), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 3), IsOk());
  EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(POLLIN));
}

void LowatEndsWithTheStream(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 4), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(POLLIN));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("abc"));
}

// A non-blocking recv(2) ignores SO_RCVLOWAT.
void LowatWithoutWaiting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 4), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 256, MSG_DONTWAIT), IsOkAndHolds("abc"));
}

void LowatDelaysRecv(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 4), IsOk());
  std::string buffer(16, '.');
  PendingCall receiving(
      c, [&] { return pair.server.Recv(absl::MakeSpan(buffer)); });
  EXPECT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("d"), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(4));
}

// Bytes that recv(2) has already taken do not count for SO_RCVLOWAT.
void LowatDelaysRecvAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 4), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  std::string buffer(16, '.');
  PendingCall receiving(
      c, [&] { return pair.server.Recv(absl::MakeSpan(buffer)); });
  EXPECT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("d"), IsOk());
  EXPECT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("efg"), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(7));
}

// The buffer is full before SO_RCVLOWAT bytes are available.
void LowatOfLittleRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVLOWAT, 4), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 2), IsOkAndHolds("ab"));
}

void NoTimeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(TimeoutOf(socket, SO_RCVTIMEO), IsOkAndHolds(0));
  EXPECT_THAT(TimeoutOf(socket, SO_SNDTIMEO), IsOkAndHolds(0));
}

// The kernel's clock has at least 100 ticks per second, so a timeout is rounded
// up by at most 10 ms.
void TimeoutIsRoundedUp(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int64_t us : {1, 1001, 999999}) {
    EXPECT_THAT(SetTimeout(socket, SO_RCVTIMEO, 3, us), IsOk());
    ASSERT_OK_AND_ASSIGN(const int64_t told, TimeoutOf(socket, SO_RCVTIMEO));
    EXPECT_THAT(told, Ge(3000000 + us));
    EXPECT_THAT(told, Le(3000000 + us + 10000));
    EXPECT_THAT(SetTimeout(socket, SO_RCVTIMEO, 0, told % 1000000), IsOk());
    EXPECT_THAT(TimeoutOf(socket, SO_RCVTIMEO), IsOkAndHolds(told % 1000000));
  }
}

void TimeoutsAreApart(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetTimeout(socket, SO_RCVTIMEO, 1, 0), IsOk());
  EXPECT_THAT(SetTimeout(socket, SO_SNDTIMEO, 2, 0), IsOk());
  EXPECT_THAT(TimeoutOf(socket, SO_RCVTIMEO), IsOkAndHolds(1000000));
  EXPECT_THAT(TimeoutOf(socket, SO_SNDTIMEO), IsOkAndHolds(2000000));
}

void TimeoutOutOfDomain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetTimeout(socket, SO_RCVTIMEO, 1, 0), IsOk());
  EXPECT_THAT(SetTimeout(socket, SO_RCVTIMEO, 0, 1000000), IsErrno(EDOM));
  EXPECT_THAT(SetTimeout(socket, SO_RCVTIMEO, 0, -1), IsErrno(EDOM));
  EXPECT_THAT(TimeoutOf(socket, SO_RCVTIMEO), IsOkAndHolds(1000000));
}

void TimeoutTooShort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetSocketOption(socket, SO_RCVTIMEO, 1), IsErrno(EINVAL));
}

void NegativeTimeoutDoesNotWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(SetTimeout(pair.client, SO_RCVTIMEO, -1, 0), IsOk());
  EXPECT_THAT(TimeoutOf(pair.client, SO_RCVTIMEO), IsOkAndHolds(0));
  EXPECT_THAT(RecvOnce(pair.client), IsErrno(EAGAIN));
}

void ZeroTakesTheTimeoutAway(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetTimeout(pair.client, SO_RCVTIMEO, -1, 0), IsOk());
  ASSERT_THAT(SetTimeout(pair.client, SO_RCVTIMEO, 0, 0), IsOk());
  std::string buffer(16, '.');
  PendingCall receiving(
      c, [&] { return pair.client.Recv(absl::MakeSpan(buffer)); });
  EXPECT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(1));
}

void TimeoutIsInherited(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket listener, NewTcp(c));
  ASSERT_THAT(SetTimeout(listener, SO_RCVTIMEO, 7, 0), IsOk());
  ASSERT_THAT(loopback::Bind(listener, {c.Loopback(), 0}), IsOk());
  ASSERT_THAT(Listen(listener), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       loopback::ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, Accept(listener));
  EXPECT_THAT(TimeoutOf(server, SO_RCVTIMEO), IsOkAndHolds(7000000));
}

// recv(2) returns the bytes that it took before the timeout.
void TimeoutAfterSomeBytes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_THAT(SetTimeout(pair.server, SO_RCVTIMEO, 0, 20000), IsOk());
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 16, MSG_WAITALL), IsOkAndHolds("abc"));
}

}  // namespace

const std::vector<Case>& OptionsBuffersKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.options.buffer.doubled",
       .requirement = "SO_RCVBUF and SO_SNDBUF must read back twice the value "
                      "that was set.",
       .source = "socket(7), SO_RCVBUF, SO_SNDBUF",
       .run = &Doubled},
      {.id = "kernel.options.buffer.receive_floor",
       .requirement = "SO_RCVBUF should read back at least 2304 bytes.",
       .source = "socket(7), SO_RCVBUF; measured on Linux 6.18",
       .level = Level::kShould,
       .run = &ReceiveFloor},
      {.id = "kernel.options.buffer.send_floor",
       .requirement = "SO_SNDBUF should read back at least 4608 bytes.",
       .source = "socket(7), SO_SNDBUF; measured on Linux 6.18",
       .level = Level::kShould,
       .run = &SendFloor},
      {.id = "kernel.options.buffer.negative",
       .requirement = "A negative buffer size must set the maximum.",
       .source = "measured on Linux 6.18",
       .run = &NegativeIsTheMost},
      {.id = "kernel.options.buffer.locks",
       .requirement = "SO_BUF_LOCK must return which buffer sizes the program "
                      "has set, and be able to unlock them.",
       .source = "measured on Linux 6.18",
       .run = &LocksAreTold},
      {.id = "kernel.options.buffer.send_grows",
       .requirement = "The send buffer must grow when the connection is "
                      "established, if its size was not set.",
       .source = "tcp(7), tcp_wmem",
       .run = &SendBufferGrows},
      {.id = "kernel.options.buffer.set_stays",
       .requirement = "A send buffer size that was set must not change when "
                      "the connection is established.",
       .source = "tcp(7), tcp_wmem",
       .run = &SetSendBufferStays},
      {.id = "kernel.options.buffer.inherited",
       .requirement = "An accepted socket must inherit the buffer size that "
                      "was set on the listener, and its lock.",
       .source = "socket(7), SO_RCVBUF; measured on Linux 6.18",
       .run = &ReceiveBufferIsInherited},
      {.id = "kernel.options.buffer.smallest",
       .requirement = "Even the smallest send buffer should take a whole "
                      "segment if nothing waits in it.",
       .source = "tcp_sendmsg_locked() of Linux, net/ipv4/tcp.c; measured on "
                 "Linux 6.18",
       .level = Level::kShould,
       .run = &SmallestTakesASegment},
      {.id = "kernel.options.buffer.small_fill_earlier",
       .requirement = "send(2) must take fewer bytes before it blocks if the "
                      "buffers are small.",
       .source = "socket(7), SO_SNDBUF",
       .run = &SmallBuffersFillEarlier},
      {.id = "kernel.options.rcvlowat.default",
       .requirement =
           "SO_RCVLOWAT must be 1 by default, and also after it was set to 0.",
       .source = "socket(7), SO_RCVLOWAT",
       .run = &LowatDefault},
      {.id = "kernel.options.rcvlowat.negative",
       .requirement = "A negative SO_RCVLOWAT must set the maximum.",
       .source = "measured on Linux 6.18",
       .run = &LowatNegative},
      {.id = "kernel.options.rcvlowat.makes_room",
       .requirement = "SO_RCVLOWAT must raise the receive buffer to twice its "
                      "value, if the buffer size was not set.",
       .source = "measured on Linux 6.18",
       .run = &LowatMakesRoom},
      {.id = "kernel.options.rcvlowat.in_set_buffer",
       .requirement = "SO_RCVLOWAT must be limited to half of a receive buffer "
                      "size that was set.",
       .source = "measured on Linux 6.18",
       .run = &LowatInSetBuffer},
      {.id = "kernel.options.rcvlowat.poll",
       .requirement = "poll(2) must not report POLLIN while fewer than "
                      "SO_RCVLOWAT bytes are available.",
       .source = "socket(7), SO_RCVLOWAT",
       .run = &LowatDelaysPoll},
      {.id = "kernel.options.rcvlowat.lowered",
       .requirement = "poll(2) must report POLLIN once SO_RCVLOWAT is lowered "
                      "to the number of available bytes.",
       .source = "measured on Linux 6.18",
       .run = &LoweredLowatIsReady},
      {.id = "kernel.options.rcvlowat.end_of_stream",
       .requirement = "poll(2) must report POLLIN at the end of the stream, "
                      "whatever SO_RCVLOWAT is.",
       .source = "measured on Linux 6.18",
       .run = &LowatEndsWithTheStream},
      {.id = "kernel.options.rcvlowat.without_waiting",
       .requirement = "A non-blocking recv(2) must return the available data, "
                      "even if it is less than SO_RCVLOWAT.",
       .source = "measured on Linux 6.18",
       .run = &LowatWithoutWaiting},
      {.id = "kernel.options.rcvlowat.recv",
       .requirement = "A blocking recv(2) must block until SO_RCVLOWAT bytes "
                      "are available.",
       .source = "socket(7), SO_RCVLOWAT",
       .run = &LowatDelaysRecv},
      {.id = "kernel.options.rcvlowat.recv_of_some",
       .requirement =
           "A blocking recv(2) that starts with fewer than SO_RCVLOWAT bytes "
           "must block until SO_RCVLOWAT more bytes have arrived.",
       .source = "measured on Linux 6.18",
       .run = &LowatDelaysRecvAgain},
      {.id = "kernel.options.rcvlowat.little_room",
       .requirement = "recv(2) must return once its buffer is full, even if "
                      "the buffer is smaller than SO_RCVLOWAT.",
       .source = "measured on Linux 6.18",
       .run = &LowatOfLittleRoom},
      {.id = "kernel.options.timeout.default",
       .requirement = "SO_RCVTIMEO and SO_SNDTIMEO must be 0 by default.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &NoTimeout},
      {.id = "kernel.options.timeout.rounded_up",
       .requirement = "A timeout must be rounded up to a tick of the kernel's "
                      "clock, and read back rounded.",
       .source = "measured on Linux 6.18",
       .run = &TimeoutIsRoundedUp},
      {.id = "kernel.options.timeout.apart",
       .requirement =
           "SO_RCVTIMEO and SO_SNDTIMEO must be independent of each other.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &TimeoutsAreApart},
      {.id = "kernel.options.timeout.out_of_domain",
       .requirement = "Setting a timeout must fail with EDOM if the "
                      "microseconds are negative or not below one second.",
       .source = "measured on Linux 6.18",
       .run = &TimeoutOutOfDomain},
      {.id = "kernel.options.timeout.too_short",
       .requirement = "Setting a timeout by an int must fail with EINVAL.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &TimeoutTooShort},
      {.id = "kernel.options.timeout.negative",
       .requirement = "With a negative timeout recv(2) must not block, and the "
                      "timeout must read back 0.",
       .source = "measured on Linux 6.18",
       .run = &NegativeTimeoutDoesNotWait},
      {.id = "kernel.options.timeout.zero",
       .requirement = "A timeout of 0 must remove an earlier timeout.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &ZeroTakesTheTimeoutAway},
      {.id = "kernel.options.timeout.inherited",
       .requirement = "An accepted socket must inherit the listener's timeout.",
       .source = "measured on Linux 6.18",
       .run = &TimeoutIsInherited},
      {.id = "kernel.options.timeout.after_some_bytes",
       .requirement = "recv(2) must return the data received so far when the "
                      "timeout expires.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &TimeoutAfterSomeBytes},
  };
  return cases;
}

}  // namespace net::conformance
