#include "fakes/kernel/tcp/time_wait.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Tests TIME-WAIT and FIN-WAIT-2 entries, and when their port can be used
// again: tcp(7), tcp_tw_reuse and tcp_fin_timeout; socket(7), SO_REUSEADDR.

namespace net::fake {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr ip::Endpoint kServer = {ip::kLocalV4, 4711};
constexpr uint16_t kClientPort = 40000;
constexpr ip::Endpoint kClient = {ip::kLocalV4, kClientPort};

class TimeWaitTest : public testing::Test {
 protected:
  TimeWaitTest() {
    // The only ephemeral port.
    EXPECT_TRUE(
        kernel_.SetSysctl("net.ipv4.ip_local_port_range", "40000 40000"));
  }

  int Listen() { return NewListener(sys_, kServer); }
  void Close(int fd) { EXPECT_THAT(sys_.Close(fd), IsOk()); }

  // Makes a connection whose client (or server) closes first and is now in
  // TIME-WAIT.
  void ClientFirst(int listener) {
    const Pair pair = NewPair(sys_, listener);
    Close(pair.client);
    Close(pair.server);
    ASSERT_THAT(kernel_.Dump(), HasSubstr("TIME-WAIT"));
  }
  void ServerFirst(int listener) {
    const Pair pair = NewPair(sys_, listener);
    Close(pair.server);
    Close(pair.client);
    ASSERT_THAT(kernel_.Dump(), HasSubstr("TIME-WAIT"));
  }
  // Makes a connection whose client is in FIN-WAIT-2 without a socket. Returns
  // the server's socket.
  int ClientFirstInFinWait2(int listener) {
    const Pair pair = NewPair(sys_, listener);
    Close(pair.client);
    EXPECT_THAT(kernel_.Dump(), HasSubstr("FIN-WAIT-2"));
    return pair.server;
  }

  SysResult Connect() { return ConnectTo(sys_, NewTcp(sys_), kServer); }
  SysResult ConnectFrom(const ip::Endpoint& local) {
    const int fd = NewTcp(sys_);
    EXPECT_THAT(SetOption(sys_, fd, SOL_SOCKET, SO_REUSEADDR, 1), IsOk());
    const SysResult bound = BindTo(sys_, fd, local);
    return bound.ok() ? ConnectTo(sys_, fd, kServer) : bound;
  }
  SysResult Bind(const ip::Endpoint& local, bool reuse_addr) {
    const int fd = NewTcp(sys_);
    EXPECT_THAT(SetOption(sys_, fd, SOL_SOCKET, SO_REUSEADDR, reuse_addr),
                IsOk());
    const SysResult bound = BindTo(sys_, fd, local);
    Close(fd);
    return bound;
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
};

// --- How long ----------------------------------------------------------------

TEST_F(TimeWaitTest, LastsAMinute) {
  ClientFirst(Listen());
  kernel_.Advance(absl::Seconds(60) - absl::Nanoseconds(1));
  EXPECT_THAT(kernel_.Dump(), HasSubstr("TIME-WAIT"));
  kernel_.Advance(absl::Nanoseconds(1));
  EXPECT_THAT(kernel_.Dump(), Not(HasSubstr("TIME-WAIT")));
}

TEST_F(TimeWaitTest, BeginsWithTheOtherEndsFin) {
  const int server = ClientFirstInFinWait2(Listen());
  kernel_.Advance(absl::Seconds(59));
  Close(server);
  EXPECT_THAT(kernel_.Dump(), Not(HasSubstr("FIN-WAIT-2")));
  kernel_.Advance(absl::Seconds(59));
  EXPECT_THAT(kernel_.Dump(), HasSubstr("TIME-WAIT"));
  kernel_.Advance(absl::Seconds(1));
  EXPECT_THAT(kernel_.Dump(), Not(HasSubstr("TIME-WAIT")));
}

// Linux lets a reset end the state early, which RFC 1337 describes as a hazard.
TEST_F(TimeWaitTest, AResetForgetsFinWait2) {
  const int server = ClientFirstInFinWait2(Listen());
  const linger now = {.l_onoff = 1, .l_linger = 0};
  ASSERT_THAT(sys_.SetSockOpt(server, SOL_SOCKET, SO_LINGER, &now, sizeof(now)),
              IsOk());
  Close(server);
  EXPECT_THAT(kernel_.Dump(), Not(HasSubstr("FIN-WAIT-2")));
  EXPECT_THAT(kernel_.Dump(), Not(HasSubstr("TIME-WAIT")));
}

// The acknowledgement of the keepalive probe takes no window back.
TEST_F(TimeWaitTest, DataAfterAKeepaliveProbeIsReset) {
  const int server = ClientFirstInFinWait2(Listen());
  ASSERT_THAT(SetOption(sys_, server, IPPROTO_TCP, TCP_KEEPIDLE, 1), IsOk());
  ASSERT_THAT(SetOption(sys_, server, SOL_SOCKET, SO_KEEPALIVE, 1), IsOk());
  kernel_.Advance(absl::Seconds(1.5));
  EXPECT_EQ(InfoOf(sys_, server).probes, 0U) << "it was acknowledged";
  EXPECT_THAT(WriteText(sys_, server, "x"), IsOk());
  EXPECT_EQ(Ready(sys_, server, POLLIN), POLLIN | POLLERR | POLLHUP);
}

// --- bind(2) -----------------------------------------------------------------

TEST_F(TimeWaitTest, ThePortIsInUse) {
  const int listener = Listen();
  ServerFirst(listener);
  Close(listener);
  EXPECT_THAT(Bind(kServer, /*reuse_addr=*/false), IsErrno(EADDRINUSE));
  kernel_.Advance(absl::Minutes(1));
  EXPECT_THAT(Bind(kServer, /*reuse_addr=*/false), IsOk());
}

// socket(7) mentions only the new socket. Linux requires the option of both.
TEST_F(TimeWaitTest, ReuseAddrOfTheNewSocketAloneIsNotEnough) {
  const int listener = Listen();
  ServerFirst(listener);
  Close(listener);
  EXPECT_THAT(Bind(kServer, /*reuse_addr=*/true), IsErrno(EADDRINUSE));
}

TEST_F(TimeWaitTest, ReuseAddrOfBothIsEnough) {
  const int listener = NewTcp(sys_);
  ASSERT_THAT(SetOption(sys_, listener, SOL_SOCKET, SO_REUSEADDR, 1), IsOk());
  ASSERT_THAT(BindTo(sys_, listener, kServer), IsOk());
  ASSERT_THAT(sys_.Listen(listener, 16), IsOk());
  ServerFirst(listener);
  Close(listener);
  EXPECT_THAT(Bind(kServer, /*reuse_addr=*/false), IsErrno(EADDRINUSE));
  EXPECT_THAT(Bind(kServer, /*reuse_addr=*/true), IsOk());
}

// --- connect(2) --------------------------------------------------------------

TEST_F(TimeWaitTest, ConnectMayChooseThePortAgainAfterASecond) {
  ClientFirst(Listen());
  EXPECT_THAT(Connect(), IsErrno(EADDRNOTAVAIL));
  kernel_.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_THAT(Connect(), IsErrno(EADDRNOTAVAIL));
  kernel_.Advance(absl::Nanoseconds(1));
  EXPECT_THAT(Connect(), IsOk());
  EXPECT_THAT(kernel_.Dump(), Not(HasSubstr("TIME-WAIT")));
}

TEST_F(TimeWaitTest, UnlessTheSysctlForbidsIt) {
  ASSERT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_tw_reuse", "0"));
  ClientFirst(Listen());
  kernel_.Advance(absl::Seconds(59));
  EXPECT_THAT(Connect(), IsErrno(EADDRNOTAVAIL));
  kernel_.Advance(absl::Seconds(1));
  EXPECT_THAT(Connect(), IsOk());
}

TEST_F(TimeWaitTest, FinWait2IsNotReplaced) {
  const int listener = Listen();
  ClientFirstInFinWait2(listener);
  kernel_.Advance(absl::Seconds(30));
  EXPECT_THAT(Connect(), IsErrno(EADDRNOTAVAIL));
}

TEST_F(TimeWaitTest, ToAnotherServerThePortIsFree) {
  ClientFirst(Listen());
  const ip::Endpoint other = {ip::Addr::V4(127, 0, 0, 2), 4711};
  NewListener(sys_, other);
  EXPECT_THAT(ConnectTo(sys_, NewTcp(sys_), other), IsOk());
}

// A socket with an explicitly bound port need not wait.
TEST_F(TimeWaitTest, ABoundPortConnectsAtOnce) {
  const int listener = Listen();
  const int client = NewTcp(sys_);
  ASSERT_THAT(SetOption(sys_, client, SOL_SOCKET, SO_REUSEADDR, 1), IsOk());
  ASSERT_THAT(BindTo(sys_, client, kClient), IsOk());
  ASSERT_THAT(ConnectTo(sys_, client, kServer), IsOk());
  const int server = AcceptFrom(sys_, listener);
  Close(client);
  Close(server);
  ASSERT_THAT(kernel_.Dump(), HasSubstr("TIME-WAIT"));
  EXPECT_THAT(ConnectFrom(kClient), IsOk());
}

// --- accept(2) ---------------------------------------------------------------

// RFC 9293, section 3.6.1: a SYN to an end in TIME-WAIT reopens it.
TEST_F(TimeWaitTest, AListenerTakesTheSameClientAgain) {
  const int listener = Listen();
  ServerFirst(listener);
  EXPECT_THAT(Connect(), IsOk());
  EXPECT_EQ(PeerNameOf(sys_, AcceptFrom(sys_, listener)), kClient);
  EXPECT_THAT(kernel_.Dump(), Not(HasSubstr("TIME-WAIT")));
}

// Without a listener, the end in TIME-WAIT sends a challenge ACK for the SYN.
// The client resets that connection. The retransmitted SYN, 8 ms later, is
// refused.
TEST_F(TimeWaitTest, WithoutAListenerTheSecondSynIsRefused) {
  const int listener = Listen();
  ServerFirst(listener);
  Close(listener);
  const int client = NewTcp(sys_, AF_INET, SOCK_NONBLOCK);
  ASSERT_THAT(ConnectTo(sys_, client, kServer), IsErrno(EINPROGRESS));
  EXPECT_THAT(kernel_.Dump(), Not(HasSubstr("TIME-WAIT")));
  kernel_.Advance(absl::Milliseconds(8) - absl::Nanoseconds(1));
  EXPECT_THAT(ConnectTo(sys_, client, kServer), IsErrno(EALREADY));
  kernel_.Advance(absl::Nanoseconds(1));
  EXPECT_THAT(ConnectTo(sys_, client, kServer), IsErrno(ECONNREFUSED));
}

// The same with an old connection that is still alive.
TEST_F(TimeWaitTest, AnOldConnectionEndsBeforeTheSecondSyn) {
  const int listener = Listen();
  const int client = NewTcp(sys_);
  ASSERT_THAT(SetOption(sys_, client, SOL_SOCKET, SO_REUSEADDR, 1), IsOk());
  ASSERT_THAT(BindTo(sys_, client, kClient), IsOk());
  ASSERT_THAT(ConnectTo(sys_, client, kServer), IsOk());
  const int server = AcceptFrom(sys_, listener);
  Close(client);
  const absl::Duration before = kernel_.Now();
  EXPECT_THAT(ConnectFrom(kClient), IsOk());
  EXPECT_EQ(kernel_.Now() - before, absl::Milliseconds(8));
  char byte = 0;
  EXPECT_THAT(sys_.Send(server, &byte, 1, MSG_NOSIGNAL), IsErrno(EPIPE));
}

}  // namespace
}  // namespace net::fake
