#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/short_calls.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Links that fail or take time, several hosts, and what TCP makes of it.

namespace net::fake {

void PrintTo(TcpState state, std::ostream* os) { *os << TcpStateName(state); }

}  // namespace net::fake

namespace net {
namespace {

using fake::AcceptFrom;
using fake::ConnectTo;
using fake::NewListener;
using fake::NewTcp;
using fake::ReadText;
using fake::Ready;
using fake::SetOption;
using fake::StateOf;
using fake::TcpState;
using fake::WriteText;

constexpr ip::Addr kServerAddr = ip::Addr::V4(10, 0, 0, 1);
constexpr ip::Addr kClientAddr = ip::Addr::V4(10, 0, 0, 2);
constexpr ip::Endpoint kServerEnd = {kServerAddr, 7007};

class LinkTest : public testing::Test {
 protected:
  LinkTest() {
    listener_ = NewListener(server_, kServerEnd);
    Connect();
  }

  void Connect() {
    out_ = NewTcp(client_);
    EXPECT_THAT(ConnectTo(client_, out_, kServerEnd), IsOk());
    in_ = AcceptFrom(server_, listener_);
  }

  // Blocks until there is something to be received, and returns when.
  absl::Duration AwaitInput(FakeProcess& process, int fd) {
    pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
    EXPECT_THAT(process.Poll(&entry, 1, -1), IsOkAndHolds(1));
    return kernel_.Now();
  }

  static SysResult Receive(FakeProcess& process, int fd) {
    char byte = 0;
    return process.Recv(fd, &byte, 1, MSG_DONTWAIT);
  }

  static int Unacknowledged(FakeProcess& process, int fd) {
    int size = -1;
    EXPECT_THAT(process.Ioctl(fd, SIOCOUTQ, reinterpret_cast<intptr_t>(&size)),
                IsOk());
    return size;
  }

  static void KeepAlive(FakeProcess& process, int fd) {
    EXPECT_THAT(SetOption(process, fd, IPPROTO_TCP, TCP_KEEPIDLE, 10), IsOk());
    EXPECT_THAT(SetOption(process, fd, IPPROTO_TCP, TCP_KEEPINTVL, 5), IsOk());
    EXPECT_THAT(SetOption(process, fd, IPPROTO_TCP, TCP_KEEPCNT, 3), IsOk());
    EXPECT_THAT(SetOption(process, fd, SOL_SOCKET, SO_KEEPALIVE, 1), IsOk());
  }

  FakeKernel kernel_{{.addresses = {kServerAddr}}};
  FakeHost& phone_ =
      kernel_.AddHost({.name = "phone", .addresses = {kClientAddr}});
  FakeProcess& server_ = kernel_.NewProcess({.name = "server"});
  FakeProcess& client_ =
      kernel_.NewProcess({.name = "client", .host = &phone_});
  FakeKernel::Participant self_{kernel_};
  int listener_ = -1;
  int in_ = -1;
  int out_ = -1;
};

// ---- Hosts ------------------------------------------------------------------

TEST_F(LinkTest, HostsReachEachOtherByTheirAddresses) {
  EXPECT_EQ(fake::PeerNameOf(server_, in_).addr, kClientAddr);
  EXPECT_THAT(WriteText(client_, out_, "hello"), IsOkAndHolds(5));
  EXPECT_EQ(ReadText(server_, in_), "hello");
}

TEST_F(LinkTest, EachHostHasItsOwnLoopbackAndPorts) {
  const ip::Endpoint local = {ip::kLocalV4, 7777};
  NewListener(server_, local);
  const int refused = NewTcp(client_);
  EXPECT_THAT(ConnectTo(client_, refused, local), IsErrno(ECONNREFUSED));
  NewListener(client_, local);
  EXPECT_THAT(ConnectTo(client_, NewTcp(client_), local), IsOk());
}

TEST_F(LinkTest, NoRouteToAnAddressOfNobody) {
  EXPECT_THAT(
      ConnectTo(client_, NewTcp(client_), {ip::Addr::V4(10, 0, 0, 9), 80}),
      IsErrno(ENETUNREACH));
}

TEST_F(LinkTest, KeepaliveFindsThatThePeersMachineIsDead) {
  KeepAlive(server_, in_);
  phone_.PowerOff();
  EXPECT_EQ(AwaitInput(server_, in_), absl::Seconds(10 + 3 * 5));
  EXPECT_THAT(Receive(server_, in_), IsErrno(ETIMEDOUT));
  EXPECT_EQ(StateOf(server_, in_), TcpState::kClosed);
}

TEST_F(LinkTest, KeepaliveKeepsALivingConnection) {
  KeepAlive(server_, in_);
  kernel_.Advance(absl::Hours(24));
  EXPECT_EQ(StateOf(server_, in_), TcpState::kEstablished);
  EXPECT_EQ(StateOf(client_, out_), TcpState::kEstablished);
}

TEST_F(LinkTest, KeepaliveWaitsAgainAfterTraffic) {
  KeepAlive(server_, in_);
  kernel_.Advance(absl::Seconds(9));
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  EXPECT_EQ(ReadText(server_, in_), "x");
  phone_.PowerOff();
  EXPECT_EQ(AwaitInput(server_, in_), absl::Seconds(9 + 10 + 3 * 5));
}

TEST_F(LinkTest, AMachineThatHasStartedAgainResets) {
  KeepAlive(server_, in_);
  phone_.PowerOff();
  phone_.PowerOn();
  EXPECT_EQ(AwaitInput(server_, in_), absl::Seconds(10));
  EXPECT_THAT(Receive(server_, in_), IsErrno(ECONNRESET));
}

TEST_F(LinkTest, KeepaliveThatFindsADeadPeerSendsAReset) {
  KeepAlive(server_, in_);
  kernel_.Cut({.from = kClientAddr, .to = kServerAddr, .both_ways = false});
  EXPECT_EQ(AwaitInput(client_, out_), absl::Seconds(25));
  EXPECT_THAT(Receive(client_, out_), IsErrno(ECONNRESET));
}

TEST_F(LinkTest, AMachineThatIsOffReceivesNothing) {
  phone_.PowerOff();
  EXPECT_THAT(WriteText(server_, in_, "x"), IsOkAndHolds(1));
  EXPECT_THAT(Receive(client_, out_), IsErrno(EAGAIN));
}

TEST_F(LinkTest, AMachineThatIsOffSendsNothing) {
  phone_.PowerOff();
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  EXPECT_THAT(Receive(server_, in_), IsErrno(EAGAIN));
}

TEST_F(LinkTest, PowerOnOfAMachineThatIsOnKeepsItsConnections) {
  phone_.PowerOn();
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  EXPECT_EQ(ReadText(server_, in_), "x");
}

// ---- Cuts -------------------------------------------------------------------

TEST_F(LinkTest, ACutDelaysData) {
  kernel_.Cut({});
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  kernel_.Advance(absl::Seconds(1));
  EXPECT_THAT(Receive(server_, in_), IsErrno(EAGAIN));
  kernel_.Restore({});
  // Sent at 0 s, 0.2 s (the tail loss probe), 0.4 s, 0.8 s and 1.6 s.
  EXPECT_EQ(AwaitInput(server_, in_), absl::Milliseconds(1600));
  EXPECT_EQ(ReadText(server_, in_), "x");
}

TEST_F(LinkTest, ACutOfOneWayLosesAcknowledgementsOnly) {
  const LinkEnds back = {
      .from = kServerAddr, .to = kClientAddr, .both_ways = false};
  kernel_.Cut(back);
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  EXPECT_EQ(ReadText(server_, in_), "x");
  EXPECT_EQ(Unacknowledged(client_, out_), 1);
  kernel_.Restore(back);
  kernel_.Advance(absl::Milliseconds(200));
  EXPECT_EQ(Unacknowledged(client_, out_), 0);
  EXPECT_THAT(Receive(server_, in_), IsErrno(EAGAIN));
}

TEST_F(LinkTest, ACutLosesWhatIsUnderWay) {
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(30)}), IsOk());
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  kernel_.Advance(absl::Milliseconds(10));
  kernel_.Cut({});
  kernel_.Advance(absl::Milliseconds(30));
  kernel_.Restore({});
  EXPECT_THAT(Receive(server_, in_), IsErrno(EAGAIN));
  // The retransmission, sent after 0.2 s.
  EXPECT_EQ(AwaitInput(server_, in_), absl::Milliseconds(230));
}

TEST_F(LinkTest, DataUnderWayOutlivesItsSender) {
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(30)}), IsOk());
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  EXPECT_THAT(
      client_.SetSockOpt(out_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)),
      IsOk());
  EXPECT_THAT(client_.Close(out_), IsOk());
  EXPECT_THAT(Receive(server_, in_), IsErrno(EAGAIN));
  kernel_.Advance(absl::Milliseconds(30));
  EXPECT_THAT(Receive(server_, in_), IsOkAndHolds(1));
  EXPECT_THAT(Receive(server_, in_), IsErrno(ECONNRESET));
}

TEST_F(LinkTest, UserTimeoutEndsAConnectionWhoseDataIsLost) {
  EXPECT_THAT(SetOption(client_, out_, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000),
              IsOk());
  kernel_.Cut({});
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  // Linux 6.18 over loopback: 1.43 s.
  EXPECT_EQ(AwaitInput(client_, out_), absl::Milliseconds(1400));
  EXPECT_EQ(Ready(client_, out_, POLLIN), POLLIN | POLLERR | POLLHUP);
  EXPECT_THAT(Receive(client_, out_), IsErrno(ETIMEDOUT));
}

TEST_F(LinkTest, Retries2EndsAConnectionWhoseDataIsLost) {
  EXPECT_TRUE(phone_.SetSysctl("net.ipv4.tcp_retries2", "3"));
  kernel_.Cut({});
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  // Linux 6.18 over loopback: 6.86 s.
  EXPECT_EQ(AwaitInput(client_, out_), absl::Milliseconds(6400));
  EXPECT_THAT(Receive(client_, out_), IsErrno(ETIMEDOUT));
}

TEST_F(LinkTest, ByDefaultAConnectionOutlivesACutOfMinutes) {
  kernel_.Cut({});
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  // RFC 1122, section 4.2.3.5: at least 100 s.
  kernel_.Advance(absl::Minutes(14));
  EXPECT_EQ(StateOf(client_, out_), TcpState::kEstablished);
  kernel_.Advance(absl::Minutes(4));
  EXPECT_EQ(StateOf(client_, out_), TcpState::kClosed);
}

TEST_F(LinkTest, ACutConnectTimesOut) {
  kernel_.Cut({.from = kClientAddr, .to = kServerAddr});
  const int fd = NewTcp(client_);
  EXPECT_THAT(SetOption(client_, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500),
              IsOk());
  EXPECT_THAT(ConnectTo(client_, fd, kServerEnd), IsErrno(ETIMEDOUT));
  EXPECT_EQ(kernel_.Now(), absl::Milliseconds(1500));
}

TEST_F(LinkTest, LoopbackThatIsDownLosesDataOfConnections) {
  const int listener = NewListener(server_, {ip::kLocalV4, 7777});
  const int out = NewTcp(server_);
  EXPECT_THAT(ConnectTo(server_, out, {ip::kLocalV4, 7777}), IsOk());
  const int in = AcceptFrom(server_, listener);
  kernel_.SetLoopbackUp(false);
  EXPECT_THAT(WriteText(server_, out, "abc"), IsOkAndHolds(3));
  kernel_.Advance(absl::Milliseconds(100));
  EXPECT_THAT(Receive(server_, in), IsErrno(EAGAIN));
  kernel_.SetLoopbackUp(true);
  kernel_.Advance(absl::Seconds(3));
  EXPECT_EQ(ReadText(server_, in), "abc");
}

TEST_F(LinkTest, TheFinIsRetransmitted) {
  kernel_.Cut({});
  EXPECT_THAT(client_.Close(out_), IsOk());
  EXPECT_EQ(StateOf(server_, in_), TcpState::kEstablished);
  kernel_.Restore({});
  EXPECT_EQ(AwaitInput(server_, in_), absl::Milliseconds(200));
  EXPECT_EQ(ReadText(server_, in_), "");
}

// ---- Windows ----------------------------------------------------------------

TEST_F(LinkTest, UserTimeoutEndsAConnectionWhosePeerDoesNotRead) {
  EXPECT_THAT(SetOption(client_, out_, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000),
              IsOk());
  const std::string much(size_t{16} << 20, 'x');
  EXPECT_THAT(client_.Send(out_, much.data(), much.size(), MSG_DONTWAIT),
              IsOk());
  // Linux 6.18 over loopback: 1.49 s.
  const absl::Duration end = AwaitInput(client_, out_);
  EXPECT_GE(end, absl::Milliseconds(1400));
  EXPECT_LE(end, absl::Milliseconds(1500));
  EXPECT_THAT(Receive(client_, out_), IsErrno(ETIMEDOUT));
}

TEST_F(LinkTest, ALostWindowUpdateIsFoundByAProbe) {
  const std::string much(size_t{1} << 20, 'x');
  EXPECT_THAT(client_.Send(out_, much.data(), much.size(), MSG_DONTWAIT),
              IsOkAndHolds(static_cast<int64_t>(much.size())));
  // The probe fills the window.
  kernel_.Advance(absl::Milliseconds(300));
  kernel_.Cut({});
  const std::string first = ReadText(server_, in_, much.size());
  kernel_.Restore({});
  EXPECT_THAT(Receive(server_, in_), IsErrno(EAGAIN));
  AwaitInput(server_, in_);
  EXPECT_NE(ReadText(server_, in_, much.size()), "");
}

TEST_F(LinkTest, ASendThatNobodyReadsIsADeadlock) {
  kernel_.ExpectDeadlock();
  const std::string much(size_t{16} << 20, 'x');
  EXPECT_THAT(client_.Send(out_, much.data(), much.size(), 0),
              IsErrno(EDEADLK));
}

// ---- Links that take time ---------------------------------------------------

TEST_F(LinkTest, DelayOfAConnectAndOfData) {
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(30)}), IsOk());
  const int fd = NewTcp(client_);
  EXPECT_THAT(ConnectTo(client_, fd, kServerEnd), IsOk());
  EXPECT_EQ(kernel_.Now(), absl::Milliseconds(60));
  const int accepted = AcceptFrom(server_, listener_);
  EXPECT_EQ(kernel_.Now(), absl::Milliseconds(90));
  EXPECT_THAT(WriteText(client_, fd, "x"), IsOkAndHolds(1));
  EXPECT_EQ(AwaitInput(server_, accepted), absl::Milliseconds(120));
}

// RFC 6298, section 2.2: RTTVAR is half of the first round trip.
TEST_F(LinkTest, TcpInfoHasTheRoundTripTime) {
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(30)}), IsOk());
  const int fd = NewTcp(client_);
  EXPECT_THAT(ConnectTo(client_, fd, kServerEnd), IsOk());
  tcp_info info = {};
  socklen_t size = sizeof(info);
  EXPECT_THAT(client_.GetSockOpt(fd, IPPROTO_TCP, TCP_INFO, &info, &size),
              IsOk());
  EXPECT_EQ(info.tcpi_rtt, 60'000U);
  EXPECT_EQ(info.tcpi_rttvar, 30'000U);
}

TEST_F(LinkTest, DelayOfOneWay) {
  EXPECT_THAT(kernel_.SetLink(
                  {.from = kClientAddr, .to = kServerAddr, .both_ways = false},
                  {.delay = absl::Milliseconds(30)}),
              IsOk());
  EXPECT_THAT(WriteText(server_, in_, "x"), IsOkAndHolds(1));
  EXPECT_EQ(AwaitInput(client_, out_), absl::ZeroDuration());
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  EXPECT_EQ(AwaitInput(server_, in_), absl::Milliseconds(30));
}

TEST_F(LinkTest, JitterKeepsTheOrder) {
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(1),
                                   .jitter = absl::Milliseconds(50)}),
              IsOk());
  EXPECT_THAT(SetOption(client_, out_, IPPROTO_TCP, TCP_NODELAY, 1), IsOk());
  for (const absl::string_view text : {"a", "b", "c", "d", "e"}) {
    EXPECT_THAT(WriteText(client_, out_, text), IsOkAndHolds(1));
  }
  kernel_.Advance(absl::Milliseconds(60));
  EXPECT_EQ(ReadText(server_, in_), "abcde");
}

TEST_F(LinkTest, JitterIsAddedToTheDelay) {
  std::set<absl::Duration> spans;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(10),
                                     .jitter = absl::Milliseconds(20),
                                     .seed = seed}),
                IsOk());
    const absl::Duration start = kernel_.Now();
    EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
    const absl::Duration span = AwaitInput(server_, in_) - start;
    EXPECT_GE(span, absl::Milliseconds(10));
    EXPECT_LE(span, absl::Milliseconds(30));
    spans.insert(span);
    EXPECT_EQ(ReadText(server_, in_), "x");
    // The acknowledgement arrives, and nothing is under way.
    kernel_.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(spans.size(), 10U);
}

TEST_F(LinkTest, BandwidthOfAStream) {
  EXPECT_THAT(kernel_.SetLink({}, {.bandwidth = 10'000}), IsOk());
  const std::string data(30'000, 'x');
  EXPECT_THAT(WriteText(client_, out_, data), IsOkAndHolds(30'000));
  EXPECT_EQ(AwaitInput(server_, in_), absl::Microseconds(3'005'200));
  EXPECT_EQ(ReadText(server_, in_), data);
}

// A link of the IPv4 wildcard also carries IPv6. The headers have 72 bytes.
TEST_F(LinkTest, BandwidthOverIPv6) {
  EXPECT_THAT(kernel_.SetLink({}, {.bandwidth = 10'000}), IsOk());
  const fake::Pair pair =
      fake::NewPair(server_, NewListener(server_, {ip::kLocalV6, 0}));
  kernel_.Advance(absl::Seconds(1));
  const absl::Duration start = kernel_.Now();
  EXPECT_THAT(WriteText(server_, pair.client, std::string(428, 'x')),
              IsOkAndHolds(428));
  EXPECT_EQ(AwaitInput(server_, pair.server) - start, absl::Milliseconds(50));
}

TEST_F(LinkTest, ALinkThatWasRestoredHasItsDelay) {
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(30)}), IsOk());
  kernel_.Cut({.from = kClientAddr, .to = kServerAddr});
  kernel_.Restore({.from = kClientAddr, .to = kServerAddr});
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  EXPECT_EQ(AwaitInput(server_, in_), absl::Milliseconds(30));
}

TEST_F(LinkTest, ALinkThatBecomesFasterKeepsTheOrder) {
  EXPECT_THAT(SetOption(client_, out_, IPPROTO_TCP, TCP_NODELAY, 1), IsOk());
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(30)}), IsOk());
  EXPECT_THAT(WriteText(client_, out_, "a"), IsOkAndHolds(1));
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(1)}), IsOk());
  EXPECT_THAT(WriteText(client_, out_, "b"), IsOkAndHolds(1));
  kernel_.Advance(absl::Milliseconds(30));
  EXPECT_EQ(ReadText(server_, in_), "ab");
}

// The timer of the SYN has been cleared.
TEST_F(LinkTest, AClearedTimerDoesNotMoveTheClock) {
  kernel_.ExpectDeadlock();
  EXPECT_THAT(kernel_.SetLink({}, {.delay = absl::Milliseconds(30)}), IsOk());
  Connect();
  const absl::Duration before = kernel_.Now();
  EXPECT_LT(before, absl::Seconds(1));
  char byte = 0;
  EXPECT_THAT(client_.Recv(out_, &byte, 1, 0), IsErrno(EDEADLK));
  EXPECT_EQ(kernel_.Now(), before);
}

TEST_F(LinkTest, BandwidthOfTwoSegments) {
  EXPECT_THAT(kernel_.SetLink({}, {.bandwidth = 10'000}), IsOk());
  EXPECT_THAT(SetOption(client_, out_, IPPROTO_TCP, TCP_NODELAY, 1), IsOk());
  const std::string data(448, 'x');
  EXPECT_THAT(WriteText(client_, out_, data), IsOkAndHolds(448));
  EXPECT_THAT(WriteText(client_, out_, data), IsOkAndHolds(448));
  EXPECT_EQ(AwaitInput(server_, in_), absl::Milliseconds(50));
  EXPECT_EQ(ReadText(server_, in_), data);
  // The second one leaves after the first one.
  EXPECT_EQ(AwaitInput(server_, in_), absl::Milliseconds(100));
}

// Sends data over a link that loses segments. Returns how long that takes.
absl::Duration SendOverLossyLink(double loss, uint64_t seed) {
  FakeKernel kernel;
  FakeProcess& sys = kernel.NewProcess();
  FakeKernel::Participant self(kernel);
  const fake::Pair pair = fake::NewPair(sys);
  EXPECT_THAT(
      kernel.SetLink(
          {}, {.delay = absl::Milliseconds(5), .loss = loss, .seed = seed}),
      IsOk());
  std::string data;
  for (int i = 0; i < 1'000'000; ++i) {
    data.push_back(static_cast<char>('a' + i % 26));
  }
  size_t sent = 0;
  std::string received;
  std::string buffer(65536, '\0');
  while (received.size() < data.size()) {
    const SysResult part = sys.Send(pair.client, data.data() + sent,
                                    data.size() - sent, MSG_DONTWAIT);
    if (part.ok()) sent += static_cast<size_t>(part.value());
    const SysResult got =
        sys.Recv(pair.server, buffer.data(), buffer.size(), 0);
    EXPECT_THAT(got, IsOk());
    if (!got.ok()) break;
    received.append(buffer, 0, static_cast<size_t>(got.value()));
  }
  EXPECT_TRUE(received == data);
  return kernel.Now();
}

TEST(LossTest, DelaysAStreamButDoesNotBreakIt) {
  const absl::Duration lossless = SendOverLossyLink(0, 1);
  EXPECT_GT(SendOverLossyLink(0.2, 1), 2 * lossless);
}

TEST(LossTest, IsTheSameWithTheSameSeed) {
  EXPECT_EQ(SendOverLossyLink(0.2, 7), SendOverLossyLink(0.2, 7));
  EXPECT_NE(SendOverLossyLink(0.2, 7), SendOverLossyLink(0.2, 8));
}

// ---- Rules ------------------------------------------------------------------

TEST_F(LinkTest, ARuleThatRejects) {
  EXPECT_THAT(kernel_.SetLink({.from = kClientAddr, .to = kServerAddr},
                              {.rule = LinkOptions::Rule::kReject}),
              IsOk());
  EXPECT_THAT(ConnectTo(client_, NewTcp(client_), kServerEnd),
              IsErrno(ECONNREFUSED));
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  EXPECT_THAT(Receive(client_, out_), IsErrno(ECONNRESET));
}

TEST_F(LinkTest, ARuleThatDrops) {
  EXPECT_THAT(kernel_.SetLink({.from = kClientAddr, .to = kServerAddr},
                              {.rule = LinkOptions::Rule::kDrop}),
              IsOk());
  const int fd = NewTcp(client_);
  EXPECT_THAT(SetOption(client_, fd, IPPROTO_TCP, TCP_SYNCNT, 1), IsOk());
  EXPECT_THAT(ConnectTo(client_, fd, kServerEnd), IsErrno(ETIMEDOUT));
}

TEST_F(LinkTest, TheLinkThatWasSetLastCounts) {
  EXPECT_THAT(kernel_.SetLink({}, {.rule = LinkOptions::Rule::kDrop}), IsOk());
  EXPECT_THAT(kernel_.SetLink({.from = kClientAddr, .to = kServerAddr}, {}),
              IsOk());
  EXPECT_THAT(WriteText(client_, out_, "x"), IsOkAndHolds(1));
  EXPECT_EQ(ReadText(server_, in_), "x");
  // Also if it was set before.
  EXPECT_THAT(kernel_.SetLink({}, {.rule = LinkOptions::Rule::kDrop}), IsOk());
  EXPECT_THAT(WriteText(client_, out_, "y"), IsOkAndHolds(1));
  EXPECT_THAT(Receive(server_, in_), IsErrno(EAGAIN));
}

TEST_F(LinkTest, ValuesOutOfRange) {
  for (const LinkOptions& options : {
           LinkOptions{.delay = absl::Seconds(-1)},
           LinkOptions{.jitter = absl::Seconds(-1)},
           LinkOptions{.bandwidth = -1},
           LinkOptions{.loss = -0.1},
           LinkOptions{.loss = 1.1},
       }) {
    EXPECT_EQ(kernel_.SetLink({}, options).code(),
              absl::StatusCode::kInvalidArgument)
        << options;
  }
}

}  // namespace
}  // namespace net
