#include "conformance/loopback/connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/loopback/fixture.h"
#include "conformance/loopback/raw_socket.h"
#include "conformance/loopback/refused_port.h"
#include "conformance/loopback/transfer.h"
#include "fakes/call.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::loopback {
namespace {

using ::testing::Eq;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Ne;

bool IsCloseOnExec(const RawSocket& socket) {
  const SysResult flags = socket.syscalls().Fcntl(socket.fd(), F_GETFD, 0);
  return flags.ok() && (flags.value() & FD_CLOEXEC) != 0;
}

bool IsNonblocking(const RawSocket& socket) {
  const SysResult flags = socket.syscalls().Fcntl(socket.fd(), F_GETFL, 0);
  return flags.ok() && (flags.value() & O_NONBLOCK) != 0;
}

using ConnectionTest = LoopbackTest;
INSTANTIATE_TEST_SUITE_P(BothFamilies, ConnectionTest, BothFamilies(),
                         FamilyName);

TEST_P(ConnectionTest, ListensOnAPortOfTheKernelsChoice) {
  auto one = ListenAnywhere(sys(), family());
  auto two = ListenAnywhere(sys(), family());
  ASSERT_THAT(one, IsOk());
  ASSERT_THAT(two, IsOk());
  EXPECT_EQ(one->endpoint().addr, LoopbackAddr(family()));
  EXPECT_GT(one->endpoint().port, 0);
  EXPECT_NE(one->endpoint().port, two->endpoint().port);
  EXPECT_THAT(one->socket().LocalEndpoint(), IsOkAndHolds(Eq(one->endpoint())));
  EXPECT_TRUE(IsCloseOnExec(one->socket()));
  EXPECT_FALSE(IsNonblocking(one->socket()));
}

TEST_P(ConnectionTest, ReportsAPortThatIsTaken) {
  auto holder = ListenAnywhere(sys(), family());
  ASSERT_THAT(holder, IsOk());
  EXPECT_THAT(ListenOn(sys(), holder->endpoint()), IsErrno(EADDRINUSE));
}

TEST_P(ConnectionTest, SharesAPortOnlyWhenBothSaySo) {
  auto holder = ListenAnywhere(sys(), family(), {.reuse_port = true});
  ASSERT_THAT(holder, IsOk());
  EXPECT_THAT(ListenOn(sys(), holder->endpoint()), IsErrno(EADDRINUSE));
  EXPECT_THAT(ListenOn(sys(), holder->endpoint(), {.reuse_port = true}),
              IsOk());
}

TEST_P(ConnectionTest, SetsTheOptionsThatTheConfigurationNames) {
  auto plain = ListenAnywhere(sys(), family());
  auto set = ListenAnywhere(sys(), family(),
                            {.nonblocking = true,
                             .reuse_addr = true,
                             .receive_buffer = kSmallestBuffer});
  ASSERT_THAT(plain, IsOk());
  ASSERT_THAT(set, IsOk());
  EXPECT_THAT(plain->socket().Option(SOL_SOCKET, SO_REUSEADDR),
              IsOkAndHolds(Eq(0)));
  EXPECT_THAT(set->socket().Option(SOL_SOCKET, SO_REUSEADDR),
              IsOkAndHolds(Ne(0)));
  auto usual = plain->socket().Option(SOL_SOCKET, SO_RCVBUF);
  ASSERT_THAT(usual, IsOk());
  EXPECT_THAT(set->socket().Option(SOL_SOCKET, SO_RCVBUF),
              IsOkAndHolds(testing::Lt(*usual)));
  EXPECT_TRUE(IsNonblocking(set->socket()));
}

TEST_P(ConnectionTest, V6OnlyIsAnOptionOfIpv6Alone) {
  auto listener = ListenAnywhere(sys(), family(), {.v6_only = true});
  if (family() == AF_INET) {
    EXPECT_FALSE(listener.ok());
  } else {
    ASSERT_THAT(listener, IsOk());
    EXPECT_THAT(listener->socket().Option(IPPROTO_IPV6, IPV6_V6ONLY),
                IsOkAndHolds(Eq(1)));
  }
}

TEST_P(ConnectionTest, ANonblockingAcceptWithoutAConnectionFailsWithEagain) {
  auto listener = ListenAnywhere(sys(), family(), {.nonblocking = true});
  ASSERT_THAT(listener, IsOk());
  EXPECT_THAT(listener->Accept(), IsErrno(EAGAIN));
}

TEST_P(ConnectionTest, AcceptsInOrder) {
  auto listener = ListenAnywhere(sys(), family());
  ASSERT_THAT(listener, IsOk());
  auto first = ConnectTo(sys(), listener->endpoint());
  auto second = ConnectTo(sys(), listener->endpoint());
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  auto accepted = listener->Accept();
  ASSERT_THAT(accepted, IsOk());
  EXPECT_THAT(accepted->PeerEndpoint(), IsOkAndHolds(*first->LocalEndpoint()));
  EXPECT_TRUE(IsCloseOnExec(*accepted));
  EXPECT_FALSE(IsNonblocking(*accepted));
  auto nonblocking = listener->Accept(SOCK_NONBLOCK);
  ASSERT_THAT(nonblocking, IsOk());
  EXPECT_TRUE(IsNonblocking(*nonblocking));
}

TEST_P(ConnectionTest, PassesStrangersOver) {
  auto listener = ListenAnywhere(sys(), family());
  ASSERT_THAT(listener, IsOk());
  auto stranger = ConnectTo(sys(), listener->endpoint());
  auto friendly = ConnectTo(sys(), listener->endpoint());
  ASSERT_THAT(stranger, IsOk());
  ASSERT_THAT(friendly, IsOk());
  auto accepted = listener->AcceptFrom(*friendly->LocalEndpoint());
  ASSERT_THAT(accepted, IsOk());
  ASSERT_THAT(accepted->Send("hello"), IsOk());
  EXPECT_THAT(RecvExactly(*friendly, 5), IsOkAndHolds(Eq("hello")));
  EXPECT_THAT(RecvUntilEof(*stranger), IsOkAndHolds(Eq("")));
}

TEST_P(ConnectionTest, FindsItsClientAlsoAfterThatReset) {
  auto listener = ListenAnywhere(sys(), family());
  ASSERT_THAT(listener, IsOk());
  auto client = ConnectTo(sys(), listener->endpoint());
  ASSERT_THAT(client, IsOk());
  auto origin = client->LocalEndpoint();
  ASSERT_THAT(origin, IsOk());
  ASSERT_THAT(client->Reset(), IsOk());
  auto accepted = listener->AcceptFrom(*origin);
  ASSERT_THAT(accepted, IsOk());
  EXPECT_THAT(accepted->PendingError(), IsOkAndHolds(Eq(ECONNRESET)));
}

TEST_P(ConnectionTest, ConnectsFromTheGivenEndpoint) {
  auto listener = ListenAnywhere(sys(), family());
  ASSERT_THAT(listener, IsOk());
  auto taken = RefusedPort::Reserve(sys(), family());
  ASSERT_THAT(taken, IsOk());
  EXPECT_THAT(
      ConnectTo(sys(), listener->endpoint(), {.local = taken->endpoint()}),
      IsErrno(EADDRINUSE));
  // IPv4 has other loopback addresses to connect from, IPv6 only ::1.
  const ip::Addr origin =
      family() == AF_INET ? ip::Addr::V4(127, 0, 0, 2) : ip::kLocalV6;
  auto client = ConnectTo(sys(), listener->endpoint(),
                          {.local = ip::Endpoint{origin, 0}});
  ASSERT_THAT(client, IsOk());
  EXPECT_EQ(client->LocalEndpoint()->addr, origin);
  EXPECT_TRUE(IsCloseOnExec(*client));
}

TEST_P(ConnectionTest, AConnectErrorIsReported) {
  auto refused = RefusedPort::Reserve(sys(), family());
  ASSERT_THAT(refused, IsOk());
  EXPECT_THAT(ConnectTo(sys(), refused->endpoint()), IsErrno(ECONNREFUSED));
}

TEST_P(ConnectionTest, ANonblockingConnectDoesNotWait) {
  auto listener = ListenAnywhere(sys(), family());
  ASSERT_THAT(listener, IsOk());
  auto client = ConnectTo(sys(), listener->endpoint(), {.nonblocking = true});
  ASSERT_THAT(client, IsOk());
  EXPECT_TRUE(IsNonblocking(*client));
  EXPECT_THAT(client->Wait(POLLOUT), IsOkAndHolds(Gt(0)));
  EXPECT_THAT(client->PendingError(), IsOkAndHolds(Eq(0)));
}

TEST_P(ConnectionTest, APairIsTwoEndsOfOneConnection) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  EXPECT_THAT(pair->client.LocalEndpoint(),
              IsOkAndHolds(*pair->server.PeerEndpoint()));
  EXPECT_THAT(pair->server.LocalEndpoint(),
              IsOkAndHolds(*pair->client.PeerEndpoint()));
  EXPECT_FALSE(IsNonblocking(pair->client));
  EXPECT_FALSE(IsNonblocking(pair->server));
}

TEST_P(ConnectionTest, APairsListenerIsGone) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  EXPECT_THAT(ConnectTo(sys(), *pair->server.LocalEndpoint()),
              IsErrno(ECONNREFUSED));
}

TEST_P(ConnectionTest, APairMayBeConfigured) {
  auto pair = ConnectedPair(sys(), family(), {.nonblocking = true},
                            {.nonblocking = true});
  ASSERT_THAT(pair, IsOk());
  EXPECT_TRUE(IsNonblocking(pair->client));
  EXPECT_FALSE(IsNonblocking(pair->server));  // not inherited from the listener
  EXPECT_THAT(pair->client.PendingError(), IsOkAndHolds(Eq(0)));
}

// Returns whether a listener without SO_REUSEADDR can use both ports of a pair
// after the pair is destroyed. A connection in TIME-WAIT would keep a port in
// use. So would another program that was given the port in between, which is
// rare.
//
// The client is bound before it connects, because a port that connect(2) picks
// may be shared with connections of other programs to other endpoints.
bool APairFreesItsPorts(Syscalls& sys, int family) {
  std::vector<ip::Endpoint> ends;
  {
    auto pair = ConnectedPair(sys, family, {},
                              {.local = ip::Endpoint{LoopbackAddr(family), 0}});
    EXPECT_THAT(pair, IsOk());
    if (!pair.ok()) return false;
    ends = {*pair->client.LocalEndpoint(), *pair->server.LocalEndpoint()};
  }
  return ListenOn(sys, ends[0]).ok() && ListenOn(sys, ends[1]).ok();
}

TEST_P(ConnectionTest, APairThatEndsLeavesNoTimeWait) {
  EXPECT_TRUE(APairFreesItsPorts(sys(), family()) ||
              APairFreesItsPorts(sys(), family()) ||
              APairFreesItsPorts(sys(), family()));
}

TEST_P(ConnectionTest, AnEndThatWasMovedOutOutlivesThePair) {
  RawSocket server;
  RawSocket client;
  {
    auto pair = ConnectedPair(sys(), family());
    ASSERT_THAT(pair, IsOk());
    server = std::move(pair->server);
    client = std::move(pair->client);
  }
  ASSERT_THAT(server.Send("x"), IsOk());
  EXPECT_THAT(RecvExactly(client, 1), IsOkAndHolds(Eq("x")));
}

TEST_P(ConnectionTest, SignalsDisturbNothing) {
  FaultInjector kernel(sys());
  kernel.Arm(
      ParseFaultPlan("connect#1=EINTR; poll#1=EINTR; accept4#1=EINTR").value());
  auto pair = ConnectedPair(kernel, family());
  ASSERT_THAT(pair, IsOk());
  EXPECT_THAT(kernel.Unmatched(), IsEmpty());
  EXPECT_EQ(kernel.Count(Call::kConnect), 1);
  ASSERT_THAT(SendAll(pair->client, "whole"), IsOk());
  EXPECT_THAT(RecvExactly(pair->server, 5), IsOkAndHolds(Eq("whole")));
}

TEST_P(ConnectionTest, AnInterruptedAttemptThatFailsIsReported) {
  FaultInjector kernel(sys());
  auto refused = RefusedPort::Reserve(kernel, family());
  ASSERT_THAT(refused, IsOk());
  kernel.Arm(
      ParseFaultPlan("connect=EINTR before; getsockopt=ENOBUFS").value());
  EXPECT_THAT(ConnectTo(kernel, refused->endpoint()), IsErrno(ENOBUFS));
  EXPECT_THAT(kernel.Unmatched(), IsEmpty());
  kernel.Arm(ParseFaultPlan("connect=EINTR before; poll=ENOMEM").value());
  EXPECT_THAT(ConnectTo(kernel, refused->endpoint()), IsErrno(ENOMEM));
  EXPECT_THAT(kernel.Unmatched(), IsEmpty());
}

// Each system call of ConnectedPair() fails once. The errno must be reported,
// and no descriptor left open.
TEST_P(ConnectionTest, AFailingCallLeavesNothingBehind) {
  for (const char* const plan :
       {"socket#1=ENOMEM", "setsockopt#1=ENOMEM", "bind#1=ENOMEM",
        "listen#1=ENOMEM", "getsockname#1=ENOMEM", "socket#2=ENOMEM",
        "setsockopt#2=ENOMEM", "bind#2=ENOMEM", "connect#1=ENOMEM",
        "getsockname#2=ENOMEM", "poll#1=ENOMEM", "poll#2=ENOMEM",
        "accept4#1=ENOMEM"}) {
    SCOPED_TRACE(plan);
    FaultInjector kernel(sys());
    kernel.Arm(ParseFaultPlan(plan).value());
    EXPECT_THAT(
        ConnectedPair(kernel, family(), {.receive_buffer = kSmallestBuffer},
                      {.local = ip::Endpoint{LoopbackAddr(family()), 0},
                       .send_buffer = kSmallestBuffer}),
        IsErrno(ENOMEM));
    EXPECT_THAT(kernel.Unmatched(), IsEmpty());
    EXPECT_THAT(kernel.OpenDescriptors(), IsEmpty());
    EXPECT_EQ(kernel.StrayCloses(), 0);
  }
}

TEST(Connection, AnUnknownFamilyIsReported) {
  EXPECT_THAT(NewSocket(DefaultSyscalls(), 99), IsErrno(EAFNOSUPPORT));
}

TEST(Connection, AKernelWithoutSocketsIsReported) {
  Syscalls none;
  EXPECT_THAT(ListenAnywhere(none, AF_INET), IsErrno(ENOSYS));
  EXPECT_THAT(ConnectTo(none, {LoopbackAddr(AF_INET), 1}), IsErrno(ENOSYS));
  EXPECT_THAT(ConnectedPair(none, AF_INET), IsErrno(ENOSYS));
  EXPECT_THAT(RefusedPort::Reserve(none, AF_INET), IsErrno(ENOSYS));
}

}  // namespace
}  // namespace net::loopback
