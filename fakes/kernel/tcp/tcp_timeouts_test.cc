#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Retransmission, probes of a closed window and keepalive over a link that is
// cut, and when a connection ends. Each result was seen on Linux 6.18 with a
// loopback interface that is down.

namespace net::fake {
namespace {

class TimeoutsTest : public testing::Test {
 protected:
  TcpInfo Info(int fd) { return InfoOf(sys_, fd); }

  SysResult Receive(int fd) {
    char byte = 0;
    return sys_.Recv(fd, &byte, 1, MSG_DONTWAIT);
  }
  size_t ReceiveAll(int fd) {
    std::string buffer(size_t{1} << 20, '\0');
    size_t total = 0;
    for (;;) {
      const SysResult got =
          sys_.Recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (!got.ok() || got.value() == 0) return total;
      total += static_cast<size_t>(got.value());
    }
  }

  // Blocks until there is something to be received, and returns when.
  absl::Duration AwaitInput(int fd) {
    pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
    EXPECT_THAT(sys_.Poll(&entry, 1, -1), IsOkAndHolds(1));
    return kernel_.Now();
  }

  void SendByte(const Pair& pair) {
    EXPECT_THAT(WriteText(sys_, pair.client, "x"), IsOkAndHolds(1));
  }

  // Sends more than the peer's window. Returns how much was sent.
  size_t FillWindow(const Pair& pair) {
    const std::string much(size_t{16} << 20, 'x');
    const SysResult sent =
        sys_.Send(pair.client, much.data(), much.size(), MSG_DONTWAIT);
    EXPECT_THAT(sent, IsOk());
    // The probe fills the window.
    kernel_.Advance(absl::Milliseconds(300));
    return sent.ok() ? static_cast<size_t>(sent.value()) : 0;
  }

  void Set(int fd, int name, int value) {
    EXPECT_THAT(SetOption(sys_, fd, IPPROTO_TCP, name, value), IsOk());
  }
  // Probes after 10 s, and then each 5 s.
  void KeepAlive(int fd) {
    Set(fd, TCP_KEEPIDLE, 10);
    Set(fd, TCP_KEEPINTVL, 5);
    Set(fd, TCP_KEEPCNT, 3);
    EXPECT_THAT(SetOption(sys_, fd, SOL_SOCKET, SO_KEEPALIVE, 1), IsOk());
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
};

TEST_F(TimeoutsTest, CountsOfRetransmissions) {
  const Pair pair = NewPair(sys_);
  kernel_.Cut({});
  SendByte(pair);
  kernel_.Advance(absl::Seconds(1));
  // At 0.2 s (the tail loss probe), 0.4 s and 0.8 s.
  const TcpInfo info = Info(pair.client);
  EXPECT_EQ(info.total_retrans, 3U);
  EXPECT_EQ(info.retransmits, 2U);
  EXPECT_EQ(info.backoff, 2U);
  EXPECT_EQ(info.data_segs_out, 4U);
  EXPECT_EQ(info.segs_out, 6U);
}

// Linux: 2 and 3 segments with data, then 3 and 3.
TEST_F(TimeoutsTest, NewDataFollowsTheTailLossProbeButNoTimeout) {
  for (const bool times_out : {false, true}) {
    const Pair pair = NewPair(sys_);
    Set(pair.client, TCP_NODELAY, 1);
    kernel_.Cut({});
    SendByte(pair);
    kernel_.Advance(absl::Milliseconds(times_out ? 500 : 300));
    EXPECT_EQ(Info(pair.client).retransmits, times_out ? 1U : 0U);
    EXPECT_EQ(Info(pair.client).data_segs_out, times_out ? 3U : 2U);
    SendByte(pair);
    EXPECT_EQ(Info(pair.client).data_segs_out, 3U);
    kernel_.Restore({});
    kernel_.Advance(absl::Seconds(2));
    EXPECT_EQ(ReadText(sys_, pair.server), "xx");
  }
}

TEST_F(TimeoutsTest, ALostProbeIsSentAgain) {
  const Pair pair = NewPair(sys_);
  const std::string much(size_t{16} << 20, 'x');
  EXPECT_THAT(sys_.Send(pair.client, much.data(), much.size(), MSG_DONTWAIT),
              IsOk());
  EXPECT_GT(Info(pair.client).snd_wnd, 0U);
  kernel_.Cut({});
  kernel_.Advance(absl::Milliseconds(300));
  kernel_.Restore({});
  kernel_.Advance(absl::Seconds(1));
  EXPECT_EQ(Info(pair.client).snd_wnd, 0U);
  EXPECT_GE(Info(pair.client).total_retrans, 1U);
}

// Linux: after 4.66 s, 0.5 s after the buffers were filled.
TEST_F(TimeoutsTest, TcpRetries2EndsAConnectionWhoseProbesAreLost) {
  EXPECT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_retries2", "3"));
  const Pair pair = NewPair(sys_);
  FillWindow(pair);
  kernel_.Advance(absl::Milliseconds(200));
  kernel_.Cut({});
  const absl::Duration start = kernel_.Now();
  const absl::Duration span = AwaitInput(pair.client) - start;
  EXPECT_GE(span, absl::Seconds(4));
  EXPECT_LE(span, absl::Seconds(5.3));
  EXPECT_THAT(Receive(pair.client), IsErrno(ETIMEDOUT));
}

// ENETUNREACH only while there is no route.
TEST_F(TimeoutsTest, ATimeoutOverIPv6) {
  const Pair pair = NewPair(sys_, NewListener(sys_, {ip::kLocalV6, 0}));
  Set(pair.client, TCP_USER_TIMEOUT, 500);
  kernel_.Cut({});
  SendByte(pair);
  AwaitInput(pair.client);
  EXPECT_THAT(Receive(pair.client), IsErrno(ETIMEDOUT));
}

TEST_F(TimeoutsTest, CountsOfProbes) {
  const Pair pair = NewPair(sys_);
  FillWindow(pair);
  EXPECT_EQ(Info(pair.client).snd_wnd, 0U);
  kernel_.Cut({});
  kernel_.Advance(absl::Seconds(10));
  EXPECT_GE(Info(pair.client).probes, 3U);
}

TEST_F(TimeoutsTest, TheBackoffOfProbesEndsAtTcpRetries2) {
  EXPECT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_retries2", "3"));
  const Pair pair = NewPair(sys_);
  FillWindow(pair);
  kernel_.Advance(absl::Minutes(1));
  const uint32_t sent = Info(pair.client).segs_out;
  EXPECT_EQ(Info(pair.client).backoff, 3U);
  // A probe each 1.6 s.
  kernel_.Advance(absl::Minutes(1));
  const uint32_t probes = Info(pair.client).segs_out - sent;
  EXPECT_GE(probes, 37U);
  EXPECT_LE(probes, 38U);
}

TEST_F(TimeoutsTest, AnAcknowledgementEndsTheBackoff) {
  const Pair pair = NewPair(sys_);
  kernel_.Cut({});
  SendByte(pair);
  kernel_.Advance(absl::Seconds(1));
  kernel_.Restore({});
  EXPECT_EQ(AwaitInput(pair.server), absl::Milliseconds(1600));
  EXPECT_EQ(ReadText(sys_, pair.server), "x");
  kernel_.Advance(absl::Milliseconds(400));
  EXPECT_EQ(Info(pair.client).backoff, 0U);
  EXPECT_EQ(Info(pair.client).retransmits, 0U);
  kernel_.Cut({});
  SendByte(pair);
  kernel_.Restore({});
  // The time stamps have made a round trip of 1 ms, of which an eighth counts.
  EXPECT_EQ(AwaitInput(pair.server),
            absl::Milliseconds(2200) + absl::Microseconds(125));
}

TEST_F(TimeoutsTest, TheUserTimeoutCountsFromTheLossThatLasts) {
  const Pair pair = NewPair(sys_);
  Set(pair.client, TCP_USER_TIMEOUT, 2000);
  kernel_.Cut({});
  SendByte(pair);
  kernel_.Advance(absl::Seconds(1));
  kernel_.Restore({});
  kernel_.Advance(absl::Seconds(3));
  EXPECT_EQ(ReadText(sys_, pair.server), "x");
  kernel_.Cut({});
  SendByte(pair);
  kernel_.Advance(absl::Seconds(1));
  EXPECT_EQ(StateOf(sys_, pair.client), TcpState::kEstablished);
  kernel_.Advance(absl::Seconds(2));
  EXPECT_EQ(StateOf(sys_, pair.client), TcpState::kClosed);
}

TEST_F(TimeoutsTest, TheSysctlOfTheShortestTimeout) {
  EXPECT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_rto_min_us", "50000"));
  const Pair pair = NewPair(sys_);
  kernel_.Cut({});
  SendByte(pair);
  kernel_.Restore({});
  EXPECT_EQ(AwaitInput(pair.server), absl::Milliseconds(50));
}

TEST_F(TimeoutsTest, TheSysctlOfTheLongestTimeout) {
  EXPECT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_rto_max_ms", "1000"));
  const Pair pair = NewPair(sys_);
  kernel_.Cut({});
  SendByte(pair);
  kernel_.Advance(absl::Seconds(6));
  // At 0.2 s, 0.4 s, 0.8 s, 1.6 s, and then each second.
  EXPECT_EQ(Info(pair.client).total_retrans, 8U);
}

TEST_F(TimeoutsTest, TheTimeoutIncludesTheRoundTrip) {
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(300)}), IsOk());
  const Pair pair = NewPair(sys_);
  SendByte(pair);
  kernel_.Advance(absl::Seconds(2));
  EXPECT_EQ(Info(pair.client).total_retrans, 0U);
  EXPECT_EQ(ReadText(sys_, pair.server), "x");
}

// Linux: within 0.04 ms.
TEST_F(TimeoutsTest, ASelectiveAcknowledgementRetransmits) {
  const Pair pair = NewPair(sys_);
  Set(pair.client, TCP_NODELAY, 1);
  kernel_.Cut({});
  EXPECT_THAT(WriteText(sys_, pair.client, "a"), IsOkAndHolds(1));
  kernel_.Restore({});
  EXPECT_THAT(Receive(pair.server), IsErrno(EAGAIN));
  EXPECT_THAT(WriteText(sys_, pair.client, "b"), IsOkAndHolds(1));
  EXPECT_EQ(ReadText(sys_, pair.server), "ab");
  EXPECT_EQ(kernel_.Now(), absl::ZeroDuration());
}

// RFC 8985, section 6.2, step 4: three are enough. One or two may be the effect
// of reordering, for which an eighth of the round trip and two ticks of 4 ms
// pass.
TEST_F(TimeoutsTest, ThreeSelectiveAcknowledgementsRetransmitAtOnce) {
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(10)}), IsOk());
  for (const bool three : {false, true}) {
    const Pair pair = NewPair(sys_);
    Set(pair.client, TCP_NODELAY, 1);
    const absl::Duration start = kernel_.Now();
    kernel_.Cut({});
    SendByte(pair);
    kernel_.Restore({});
    for (int i = 0; i < (three ? 3 : 2); ++i) SendByte(pair);
    EXPECT_EQ(AwaitInput(pair.server) - start,
              three ? absl::Milliseconds(30) : absl::Microseconds(40500));
  }
}

// The byte is sent again at 1.52 s. Linux has freed the memory of the other
// data, so that this byte needs some: it counts as an answer to the probe.
TEST_F(TimeoutsTest, DataAfterAllWasReadEndsTheProbesOfKeepalive) {
  const Pair pair = NewPair(sys_);
  EXPECT_THAT(WriteText(sys_, pair.server, "first"), IsOkAndHolds(5));
  Set(pair.client, TCP_KEEPIDLE, 1);
  Set(pair.client, TCP_KEEPINTVL, 1);
  Set(pair.client, TCP_KEEPCNT, 1);
  EXPECT_THAT(SetOption(sys_, pair.client, SOL_SOCKET, SO_KEEPALIVE, 1),
              IsOk());
  EXPECT_EQ(ReadText(sys_, pair.client), "first");
  kernel_.Advance(absl::Milliseconds(920));
  kernel_.Cut({});
  EXPECT_THAT(WriteText(sys_, pair.server, "x"), IsOkAndHolds(1));
  kernel_.Advance(absl::Milliseconds(340));
  kernel_.Restore({});
  kernel_.Advance(absl::Seconds(2));
  EXPECT_EQ(StateOf(sys_, pair.client), TcpState::kEstablished);
}

// ---- Sockets that the program has closed ------------------------------------

TEST_F(TimeoutsTest, OrphanRetriesEndsAConnectionWhoseDataIsLost) {
  for (const bool ends : {true, false}) {
    // Linux: after 1.48 s and 6.66 s.
    EXPECT_TRUE(
        kernel_.SetSysctl("net.ipv4.tcp_orphan_retries", ends ? "1" : "3"));
    const Pair pair = NewPair(sys_);
    kernel_.Cut({});
    SendByte(pair);
    EXPECT_THAT(sys_.Close(pair.client), IsOk());
    kernel_.Advance(absl::Seconds(2));
    kernel_.Restore({});
    kernel_.Advance(absl::Seconds(10));
    EXPECT_EQ(ReceiveAll(pair.server), ends ? 0U : 1U);
  }
}

// tcp_orphan_retries() of Linux (net/ipv4/tcp_timer.c): 8 if the sysctl is 0,
// which is 0.2 s * (2^9 - 1) for lost data.
TEST_F(TimeoutsTest, AnOrphansDataIsRetransmittedEightTimes) {
  for (const int seconds : {90, 130}) {
    const Pair pair = NewPair(sys_);
    kernel_.Cut({});
    SendByte(pair);
    EXPECT_THAT(sys_.Close(pair.client), IsOk());
    kernel_.Advance(absl::Seconds(seconds));
    kernel_.Restore({});
    kernel_.Advance(absl::Minutes(3));
    EXPECT_EQ(ReceiveAll(pair.server), seconds == 90 ? 1U : 0U);
  }
}

TEST_F(TimeoutsTest, AnOrphanProbesEightTimes) {
  for (const int seconds : {20, 300}) {
    const Pair pair = NewPair(sys_);
    const size_t sent = FillWindow(pair);
    kernel_.Cut({});
    EXPECT_THAT(sys_.Close(pair.client), IsOk());
    kernel_.Advance(absl::Seconds(seconds));
    kernel_.Restore({});
    size_t received = 0;
    for (int i = 0; i < 100; ++i) {
      received += ReceiveAll(pair.server);
      kernel_.Advance(absl::Seconds(1));
    }
    EXPECT_EQ(received == sent, seconds == 20);
  }
}

TEST_F(TimeoutsTest, OrphanRetriesEndsAConnectionWhoseProbesAreLost) {
  EXPECT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_orphan_retries", "1"));
  const Pair pair = NewPair(sys_);
  const size_t sent = FillWindow(pair);
  kernel_.Cut({});
  EXPECT_THAT(sys_.Close(pair.client), IsOk());
  kernel_.Advance(absl::Seconds(10));
  kernel_.Restore({});
  EXPECT_LT(ReceiveAll(pair.server), sent);
  // The window update was answered by a reset.
  EXPECT_EQ(StateOf(sys_, pair.server), TcpState::kClosed);
}

// ---- Keepalive --------------------------------------------------------------

TEST_F(TimeoutsTest, KeepaliveThatWasSetBeforeTheConnection) {
  const int listener = NewListener(sys_);
  const int fd = NewTcp(sys_);
  KeepAlive(fd);
  EXPECT_THAT(ConnectTo(sys_, fd, NameOf(sys_, listener)), IsOk());
  kernel_.Cut({});
  EXPECT_EQ(AwaitInput(fd), absl::Seconds(25));
  EXPECT_THAT(Receive(fd), IsErrno(ETIMEDOUT));
}

TEST_F(TimeoutsTest, AShorterIdleTimeCountsFromTheLastSegment) {
  const Pair pair = NewPair(sys_);
  KeepAlive(pair.server);
  kernel_.Cut({});
  kernel_.Advance(absl::Seconds(4));
  Set(pair.server, TCP_KEEPIDLE, 6);
  EXPECT_EQ(AwaitInput(pair.server), absl::Seconds(6 + 3 * 5));
}

TEST_F(TimeoutsTest, AnIdleTimeThatHasPassedEndsNow) {
  const Pair pair = NewPair(sys_);
  KeepAlive(pair.server);
  kernel_.Cut({});
  kernel_.Advance(absl::Seconds(4));
  Set(pair.server, TCP_KEEPIDLE, 3);
  EXPECT_EQ(AwaitInput(pair.server), absl::Seconds(4 + 3 * 5));
}

TEST_F(TimeoutsTest, SoKeepaliveOffEndsTheProbes) {
  const Pair pair = NewPair(sys_);
  KeepAlive(pair.server);
  kernel_.Cut({});
  const uint32_t sent = Info(pair.server).segs_out;
  kernel_.Advance(absl::Seconds(9));
  EXPECT_THAT(SetOption(sys_, pair.server, SOL_SOCKET, SO_KEEPALIVE, 0),
              IsOk());
  kernel_.Advance(absl::Minutes(5));
  EXPECT_EQ(Info(pair.server).segs_out, sent);
  EXPECT_EQ(StateOf(sys_, pair.server), TcpState::kEstablished);
}

// sock_set_keepalive() of Linux calls tcp_set_keepalive(), which acts on a
// change only.
TEST_F(TimeoutsTest, SoKeepaliveThatIsOnStartsNothing) {
  const Pair pair = NewPair(sys_);
  KeepAlive(pair.server);
  kernel_.Cut({});
  kernel_.Advance(absl::Seconds(9));
  EXPECT_THAT(SetOption(sys_, pair.server, SOL_SOCKET, SO_KEEPALIVE, 1),
              IsOk());
  EXPECT_EQ(AwaitInput(pair.server), absl::Seconds(25));
}

// At least one probe is sent, even if the user timeout is over before.
TEST_F(TimeoutsTest, KeepaliveWithAShortUserTimeout) {
  const Pair pair = NewPair(sys_);
  KeepAlive(pair.server);
  Set(pair.server, TCP_USER_TIMEOUT, 1'000);
  kernel_.Cut({});
  EXPECT_EQ(AwaitInput(pair.server), absl::Seconds(15));
}

// The user timeout replaces the number of probes.
TEST_F(TimeoutsTest, KeepaliveWithAUserTimeout) {
  const Pair pair = NewPair(sys_);
  KeepAlive(pair.server);
  Set(pair.server, TCP_USER_TIMEOUT, 12'000);
  kernel_.Cut({});
  EXPECT_EQ(AwaitInput(pair.server), absl::Seconds(15));
  EXPECT_THAT(Receive(pair.server), IsErrno(ETIMEDOUT));
}

TEST_F(TimeoutsTest, KeepaliveLeavesDataToItsRetransmission) {
  const Pair pair = NewPair(sys_);
  KeepAlive(pair.client);
  kernel_.Cut({});
  SendByte(pair);
  kernel_.Advance(absl::Minutes(5));
  EXPECT_EQ(StateOf(sys_, pair.client), TcpState::kEstablished);
}

// ---- MSG_ZEROCOPY -----------------------------------------------------------

TEST_F(TimeoutsTest, TheEndOfAConnectionCompletesZeroCopySends) {
  const Pair pair = NewPair(sys_);
  EXPECT_THAT(SetOption(sys_, pair.client, SOL_SOCKET, SO_ZEROCOPY, 1), IsOk());
  Set(pair.client, TCP_USER_TIMEOUT, 500);
  kernel_.Cut({});
  EXPECT_THAT(sys_.Send(pair.client, "x", 1, MSG_ZEROCOPY), IsOkAndHolds(1));
  char byte = 0;
  EXPECT_THAT(sys_.Recv(pair.client, &byte, 1, MSG_ERRQUEUE), IsErrno(EAGAIN));
  AwaitInput(pair.client);
  EXPECT_THAT(Receive(pair.client), IsErrno(ETIMEDOUT));
  EXPECT_THAT(sys_.Recv(pair.client, &byte, 1, MSG_ERRQUEUE), IsOk());
}

// Linux: one notification, of 0 to 2.
TEST_F(TimeoutsTest, AdjacentZeroCopySendsAreOneNotification) {
  const Pair pair = NewPair(sys_);
  EXPECT_THAT(SetOption(sys_, pair.client, SOL_SOCKET, SO_ZEROCOPY, 1), IsOk());
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(sys_.Send(pair.client, "x", 1, MSG_ZEROCOPY), IsOkAndHolds(1));
  }
  char byte = 0;
  EXPECT_THAT(sys_.Recv(pair.client, &byte, 1, MSG_ERRQUEUE), IsOk());
  EXPECT_THAT(sys_.Recv(pair.client, &byte, 1, MSG_ERRQUEUE), IsErrno(EAGAIN));
}

}  // namespace
}  // namespace net::fake
