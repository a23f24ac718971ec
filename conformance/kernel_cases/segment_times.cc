// Tests the times at which timers send, acknowledge and give up, within 15 %.
// Tests the times and sizes in TCP_INFO.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/kernel_cases/times.h"
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

const std::string kTen(10, 'x');

// ---- Nagle and delayed acknowledgements -------------------------------------

double SecondPieceWaits(Context& c) {
  const absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return -1;
  EXPECT_THAT(pair->client.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair->server), IsOkAndHolds(kTen));
  EXPECT_THAT(pair->server.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair->client), IsOkAndHolds(kTen));
  const double start = Now(c);
  EXPECT_THAT(pair->client.Send(kTen), IsOk());
  EXPECT_THAT(pair->client.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair->server, 10), IsOkAndHolds(kTen));
  EXPECT_THAT(RecvOnce(pair->server, 10), IsOkAndHolds(kTen));
  return Now(c) - start;
}

void NagleDelay(Context& c) {
  ExpectAbout(
      42, [&] { return SecondPieceWaits(c); }, kMostOfMilliseconds);
}

// Returns how long close(2) waits for the acknowledgement of the FIN.
double LingerAfterDelay(Context& c) {
  absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return -1;
  // The first is acknowledged quickly, the second with a delay.
  for (const size_t size : {20000U, 100U}) {
    EXPECT_THAT(pair->client.Send(std::string(size, 'x')), IsOkAndHolds(size));
  }
  EXPECT_THAT(c.sys().Poll(nullptr, 0, 200), IsOkAndHolds(0));
  const linger two_seconds = {.l_onoff = 1, .l_linger = 2};
  EXPECT_THAT(c.sys().SetSockOpt(pair->client.fd(), SOL_SOCKET, SO_LINGER,
                                 &two_seconds, sizeof(two_seconds)),
              IsOk());
  const double start = Now(c);
  EXPECT_THAT(pair->client.Close(), IsOk());
  return Now(c) - start;
}

void SecondDelay(Context& c) {
  ExpectAbout(
      42, [&] { return LingerAfterDelay(c); }, kMostOfMilliseconds);
}

// ---- TCP_USER_TIMEOUT -------------------------------------------------------

double TimeOutOfUnread(Context& c, int timeout) {
  const absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return -1;
  EXPECT_THAT(SetTcp(pair->client, TCP_USER_TIMEOUT, timeout), IsOk());
  const double start = Now(c);
  EXPECT_THAT(loopback::SendUntilFull(pair->client), IsOk());
  EXPECT_THAT(pair->client.Wait(POLLIN),
              IsOkAndHolds(POLLIN | POLLERR | POLLHUP));
  const double taken = Now(c) - start;
  EXPECT_THAT(pair->client.PendingError(), IsOkAndHolds(ETIMEDOUT));
  EXPECT_THAT(pair->client.Send("x", MSG_NOSIGNAL), IsErrno(EPIPE));
  return taken;
}

void UserTimeoutShort(Context& c) {
  ExpectAbout(570, [&] { return TimeOutOfUnread(c, 100); });
}
void UserTimeoutMedium(Context& c) {
  ExpectAbout(1500, [&] { return TimeOutOfUnread(c, 1000); });
}
void UserTimeoutLong(Context& c) {
  ExpectAbout(3470, [&] { return TimeOutOfUnread(c, 3000); });
}

double TimeOutOfConnect(Context& c) {
  const absl::StatusOr<Connecting> connecting = NewConnecting(c);
  if (!connecting.ok()) return -1;
  const absl::StatusOr<RawSocket> client = NewTcp(c);
  if (!client.ok()) return -1;
  EXPECT_THAT(SetTcp(*client, TCP_USER_TIMEOUT, 1500), IsOk());
  const double start = Now(c);
  EXPECT_THAT(Connect(*client, connecting->queue.endpoint()),
              IsErrno(ETIMEDOUT));
  return Now(c) - start;
}

void UserTimeoutOfConnect(Context& c) {
  ExpectAbout(1500, [&] { return TimeOutOfConnect(c); });
}

void UserTimeoutEndsSend(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, TCP_USER_TIMEOUT, 100), IsOk());
  const SysResult sent = pair.client.Send(std::string(8 << 20, 'x'));
  ASSERT_THAT(sent, IsOk());
  EXPECT_LT(sent.value(), 8 << 20);
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(ETIMEDOUT));
  EXPECT_THAT(pair.client.Send("x", MSG_NOSIGNAL), IsErrno(EPIPE));
}

// ---- Windows ----------------------------------------------------------------

// Returns the time between the second piece and the third.
double PieceWaits(Context& c) {
  const absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return -1;
  EXPECT_THAT(SetSocketOption(pair->server, SO_RCVBUF, 1), IsOk());
  EXPECT_THAT(pair->client.Send(std::string(60000, 'x'), MSG_DONTWAIT),
              IsOkAndHolds(60000));
  EXPECT_THAT(RecvOnce(pair->server, 60000), IsOk());
  EXPECT_THAT(RecvOnce(pair->server, 60000), IsOk());
  const double start = Now(c);
  EXPECT_THAT(RecvOnce(pair->server, 60000), IsOk());
  return Now(c) - start;
}

void SmallWindowTime(Context& c) {
  ExpectAbout(210, [&] { return PieceWaits(c); });
}

// Returns tcpi_snd_wnd of <linux/tcp.h>.
uint32_t Window(const RawSocket& socket) {
  constexpr size_t kOffset = 228;
  const auto info =
      OptionOf<std::array<char, 232>>(socket, IPPROTO_TCP, TCP_INFO);
  uint32_t window = UINT32_MAX;
  EXPECT_THAT(info, IsOk());
  if (info.ok()) std::memcpy(&window, info->data() + kOffset, sizeof(window));
  return window;
}

// The window that was announced before is not taken back by SO_RCVBUF, but by
// data that has no room.
void LoweredBufferAndInfo(Context& c) {
  uint32_t before = 0;
  uint32_t lowered = 0;
  uint32_t after = 0;
  Undisturbed(c, [&] {
    ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
    ASSERT_THAT(pair.client.Send(std::string(30000, 'x')), IsOkAndHolds(30000));
    before = Window(pair.client);
    ASSERT_THAT(SetSocketOption(pair.server, SO_RCVBUF, 1), IsOk());
    lowered = Window(pair.client);
    ASSERT_THAT(pair.client.Send(std::string(30000, 'y'), MSG_DONTWAIT),
                IsOkAndHolds(30000));
    after = Window(pair.client);
  });
  EXPECT_GT(before, 30000U);
  EXPECT_LT(before, 200'000U);
  EXPECT_EQ(lowered, before);
  EXPECT_EQ(after, 0U);
}

// ---- TCP_INFO ---------------------------------------------------------------

// The times of TCP_INFO, and the time that passed since the connection was
// made.
struct IdleTimes {
  tcp_info info = {};
  double passed = 0;
};

IdleTimes TimesOfIdleConnection(Context& c) {
  IdleTimes times;
  const double start = Now(c);
  const absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return times;
  EXPECT_THAT(pair->client.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair->server), IsOkAndHolds(kTen));
  EXPECT_THAT(pair->server.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair->client), IsOkAndHolds(kTen));
  EXPECT_THAT(c.sys().Poll(nullptr, 0, 500), IsOkAndHolds(0));
  const auto info = OptionOf<tcp_info>(pair->client, IPPROTO_TCP, TCP_INFO);
  EXPECT_THAT(info, IsOk());
  if (info.ok()) times.info = *info;
  times.passed = Now(c) - start;
  return times;
}

void InfoOfIdleConnection(Context& c) {
  IdleTimes times;
  for (const auto& time :
       {&tcp_info::tcpi_last_data_sent, &tcp_info::tcpi_last_data_recv,
        &tcp_info::tcpi_last_ack_recv}) {
    ExpectAbout(1, [&] {
      times = TimesOfIdleConnection(c);
      return static_cast<double>(times.info.*time) / times.passed;
    });
  }
  EXPECT_EQ(times.info.tcpi_pmtu, c.v6() ? 65536U : 65535U);
  EXPECT_EQ(times.info.tcpi_advmss, c.v6() ? 65464U : 65483U);
}

}  // namespace

const std::vector<Case>& SegmentTimesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.segments.nagle.delay",
       .requirement = "After an exchange, the second of two small writes must "
                      "arrive after about 42 ms.",
       .source = "RFC 9293, section 3.8.6.3; measured on Linux 6.18",
       .run = &NagleDelay},
      {.id = "kernel.segments.acknowledgement.second_delay",
       .requirement = "The second delayed acknowledgement in a row must not "
                      "wait longer than the first, about 42 ms.",
       .source = "Linux, tcp_send_delayed_ack() in net/ipv4/tcp_output.c; "
                 "measured on Linux 6.18",
       .run = &SecondDelay},
      {.id = "kernel.segments.user_timeout.100ms",
       .requirement = "TCP_USER_TIMEOUT of 100 ms must end a connection whose "
                      "peer does not read after about 0.57 s.",
       .source = "tcp(7), TCP_USER_TIMEOUT; measured on Linux 6.18",
       .run = &UserTimeoutShort},
      {.id = "kernel.segments.user_timeout.1000ms",
       .requirement = "TCP_USER_TIMEOUT of 1000 ms must end a connection whose "
                      "peer does not read after about 1.5 s.",
       .source = "tcp(7), TCP_USER_TIMEOUT; measured on Linux 6.18",
       .run = &UserTimeoutMedium},
      {.id = "kernel.segments.user_timeout.3000ms",
       .requirement = "TCP_USER_TIMEOUT of 3000 ms must end a connection whose "
                      "peer does not read after about 3.47 s.",
       .source = "tcp(7), TCP_USER_TIMEOUT; measured on Linux 6.18",
       .run = &UserTimeoutLong},
      {.id = "kernel.segments.user_timeout.connect.time",
       .requirement = "TCP_USER_TIMEOUT of 1500 ms must end a connect(2) that "
                      "gets no answer after about that time.",
       .source = "tcp(7), TCP_USER_TIMEOUT; measured on Linux 6.18",
       .run = &UserTimeoutOfConnect},
      {.id = "kernel.segments.user_timeout.send",
       .requirement = "TCP_USER_TIMEOUT must end a blocked send(2) with the "
                      "bytes that were taken, and leave ETIMEDOUT in SO_ERROR.",
       .source = "measured on Linux 6.18",
       .run = &UserTimeoutEndsSend},
      {.id = "kernel.segments.small_window.time",
       .requirement = "A segment that was dropped because SO_RCVBUF had no "
                      "room must be sent again after about 210 ms.",
       .source = "measured on Linux 6.18",
       .run = &SmallWindowTime},
      {.id = "kernel.segments.small_window.info",
       .requirement = "TCP_INFO must show the window as announced after "
                      "SO_RCVBUF was lowered, and 0 after data had no room.",
       .source = "measured on Linux 6.18",
       .run = &LoweredBufferAndInfo},
      {.id = "kernel.segments.info.idle",
       .requirement = "TCP_INFO must return the times since data and "
                      "acknowledgements, and the loopback interface's sizes.",
       .source = "measured on Linux 6.18",
       .run = &InfoOfIdleConnection},
  };
  return cases;
}

}  // namespace net::conformance
