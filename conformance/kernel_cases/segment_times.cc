// When timers send, acknowledge and give up, within 15 %; and what TCP_INFO
// says about it.

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
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
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
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

// The time of CLOCK_MONOTONIC in milliseconds.
double Now(Context& c) {
  timespec now = {};
  EXPECT_THAT(c.sys().ClockGetTime(CLOCK_MONOTONIC, &now), IsOk());
  return static_cast<double>(now.tv_sec) * 1e3 +
         static_cast<double>(now.tv_nsec) / 1e6;
}

// Within 15 %.
testing::Matcher<double> IsAbout(double milliseconds) {
  return AllOf(Ge(milliseconds * 0.85), Le(milliseconds * 1.15));
}

// Expects that `measure` returns about `milliseconds`. A machine that is busy
// may be late, but seldom many times in a row.
void ExpectDuration(double milliseconds,
                    const std::function<double()>& measure) {
  constexpr int kAttempts = 10;
  double taken = measure();
  for (int i = 1; i < kAttempts && taken > milliseconds * 1.15; ++i) {
    taken = measure();
  }
  EXPECT_THAT(taken, IsAbout(milliseconds));
}

const std::string kTen(10, 'x');

// ---- Nagle and delayed acknowledgements -------------------------------------

double SecondPieceWaits(Context& c) {
  const absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return -1;
  EXPECT_THAT(pair->client.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair->server), IsOkAndHolds(kTen));
  EXPECT_THAT(pair->server.Send(kTen), IsOk());
  EXPECT_THAT(RecvOnce(pair->client), IsOkAndHolds(kTen));
  EXPECT_THAT(pair->client.Send(kTen), IsOk());
  EXPECT_THAT(pair->client.Send(kTen), IsOk());
  const double start = Now(c);
  EXPECT_THAT(RecvOnce(pair->server, 10), IsOkAndHolds(kTen));
  EXPECT_THAT(RecvOnce(pair->server, 10), IsOkAndHolds(kTen));
  return Now(c) - start;
}

void NagleDelay(Context& c) {
  ExpectDuration(42, [&] { return SecondPieceWaits(c); });
}

// ---- TCP_USER_TIMEOUT -------------------------------------------------------

double TimeOutOfUnread(Context& c, int timeout) {
  const absl::StatusOr<Pair> pair = NewPair(c);
  if (!pair.ok()) return -1;
  EXPECT_THAT(SetTcp(pair->client, TCP_USER_TIMEOUT, timeout), IsOk());
  const double start = Now(c);
  EXPECT_THAT(loopback::SendUntilFull(pair->client), IsOk());
  EXPECT_THAT(pair->client.Wait(POLLIN | POLLOUT),
              IsOkAndHolds(POLLIN | POLLOUT | POLLERR | POLLHUP));
  const double taken = Now(c) - start;
  EXPECT_THAT(pair->client.PendingError(), IsOkAndHolds(ETIMEDOUT));
  EXPECT_THAT(pair->client.Send("x", MSG_NOSIGNAL), IsErrno(EPIPE));
  return taken;
}

void UserTimeoutShort(Context& c) {
  ExpectDuration(570, [&] { return TimeOutOfUnread(c, 100); });
}
void UserTimeoutMedium(Context& c) {
  ExpectDuration(1500, [&] { return TimeOutOfUnread(c, 1000); });
}
void UserTimeoutLong(Context& c) {
  ExpectDuration(3470, [&] { return TimeOutOfUnread(c, 3000); });
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
  ExpectDuration(1500, [&] { return TimeOutOfConnect(c); });
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
  ExpectDuration(210, [&] { return PieceWaits(c); });
}

// The window that was announced before is not taken back by SO_RCVBUF, but by
// data that has no room.
void LoweredBufferAndInfo(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const auto window = [&] {
    constexpr size_t kOffset = 228;  // tcpi_snd_wnd of <linux/tcp.h>
    auto info =
        OptionOf<std::array<char, 232>>(pair.client, IPPROTO_TCP, TCP_INFO);
    uint32_t value = UINT32_MAX;
    if (info.ok()) std::memcpy(&value, info->data() + kOffset, sizeof(value));
    return value;
  };
  ASSERT_THAT(pair.client.Send(std::string(30000, 'x')), IsOkAndHolds(30000));
  const uint32_t before = window();
  EXPECT_GT(before, 30000U);
  EXPECT_LT(before, 200'000U);
  ASSERT_THAT(SetSocketOption(pair.server, SO_RCVBUF, 1), IsOk());
  EXPECT_EQ(window(), before);
  ASSERT_THAT(pair.client.Send(std::string(30000, 'y'), MSG_DONTWAIT),
              IsOkAndHolds(30000));
  EXPECT_EQ(window(), 0U);
}

void UnsentLowWaterMarkSends(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetTcp(pair.client, TCP_NOTSENT_LOWAT, 1000), IsOk());
  const std::string part(20000, 'x');
  int sends = 0;
  while (sends < 100 && pair.client.Ready(POLLOUT).value() == POLLOUT) {
    ASSERT_THAT(pair.client.Send(part, MSG_DONTWAIT), IsOk());
    ++sends;
  }
  EXPECT_EQ(sends, 3);
}

// ---- TCP_INFO ---------------------------------------------------------------

void InfoOfIdleConnection(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send(kTen), IsOk());
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds(kTen));
  ASSERT_THAT(pair.server.Send(kTen), IsOk());
  ASSERT_THAT(RecvOnce(pair.client), IsOkAndHolds(kTen));
  const double start = Now(c);
  ASSERT_THAT(c.sys().Poll(nullptr, 0, 500), IsOkAndHolds(0));
  ASSERT_OK_AND_ASSIGN(const auto info,
                       OptionOf<tcp_info>(pair.client, IPPROTO_TCP, TCP_INFO));
  const double idle = Now(c) - start;
  for (const uint32_t time :
       {info.tcpi_last_data_sent, info.tcpi_last_data_recv,
        info.tcpi_last_ack_recv}) {
    EXPECT_THAT(static_cast<double>(time), IsAbout(idle));
  }
  EXPECT_EQ(info.tcpi_pmtu, c.v6() ? 65536U : 65535U);
  EXPECT_EQ(info.tcpi_advmss, c.v6() ? 65464U : 65483U);
}

}  // namespace

const std::vector<Case>& SegmentTimesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.segments.nagle.delay",
       .requirement = "After an exchange, the second of two small writes must "
                      "arrive after about 42 ms.",
       .source = "RFC 9293, section 3.8.6.3; measured on Linux 6.18",
       .run = &NagleDelay},
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
      {.id = "kernel.segments.notsent_lowat.sends",
       .requirement = "With TCP_NOTSENT_LOWAT 1000, POLLOUT must end after "
                      "three sends of 20000 bytes.",
       .source = "measured on Linux 6.18",
       .run = &UnsentLowWaterMarkSends},
      {.id = "kernel.segments.info.idle",
       .requirement = "TCP_INFO must return the times since data and "
                      "acknowledgements, and the loopback interface's sizes.",
       .source = "measured on Linux 6.18",
       .run = &InfoOfIdleConnection},
  };
  return cases;
}

}  // namespace net::conformance
