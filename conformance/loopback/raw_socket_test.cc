#include "conformance/loopback/raw_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/loopback/connection.h"
#include "conformance/loopback/fixture.h"
#include "conformance/loopback/refused_port.h"
#include "conformance/loopback/transfer.h"
#include "fakes/call.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::loopback {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Gt;
using ::testing::IsEmpty;

TEST(RawSocketOwnership, ClosesOnceInTheDestructor) {
  FaultInjector kernel(DefaultSyscalls());
  {
    auto made = NewSocket(kernel, AF_INET);
    ASSERT_THAT(made, IsOk());
    RawSocket first = *std::move(made);
    const RawSocket second = std::move(first);
    EXPECT_TRUE(second.is_open());
    EXPECT_FALSE(first.is_open());
    EXPECT_EQ(kernel.Count(Call::kClose), 0);
  }
  EXPECT_EQ(kernel.Count(Call::kClose), 1);
  EXPECT_THAT(kernel.OpenDescriptors(), IsEmpty());
}

TEST(RawSocketPrinting, ShowsTheDescriptor) {
  RawSocket socket(7, DefaultSyscalls());
  EXPECT_EQ(testing::PrintToString(socket), "socket 7");
  EXPECT_EQ(socket.Release(), 7);
  EXPECT_EQ(testing::PrintToString(socket), "closed socket");
}

TEST(RawSocketOwnership, AssigningClosesWhatWasThere) {
  FaultInjector kernel(DefaultSyscalls());
  auto one = NewSocket(kernel, AF_INET);
  auto two = NewSocket(kernel, AF_INET);
  ASSERT_THAT(one, IsOk());
  ASSERT_THAT(two, IsOk());
  const int kept = two->fd();
  *one = *std::move(two);
  EXPECT_THAT(kernel.OpenDescriptors(), ElementsAre(kept));
  EXPECT_EQ(one->fd(), kept);
  RawSocket& self = *one;
  *one = std::move(self);
  EXPECT_EQ(one->fd(), kept);
  EXPECT_THAT(kernel.OpenDescriptors(), ElementsAre(kept));
  EXPECT_EQ(kernel.StrayCloses(), 0);
}

TEST(RawSocketOwnership, CloseAndResetGiveTheDescriptorUpWhateverTheyAnswer) {
  FaultInjector kernel(DefaultSyscalls());
  kernel.Arm(ParseFaultPlan("close#1=EIO; close#2=EINTR; "
                            "setsockopt#2=ENOPROTOOPT")
                 .value());
  for (const auto end : {&RawSocket::Close, &RawSocket::Reset}) {
    auto socket = NewSocket(kernel, AF_INET);
    ASSERT_THAT(socket, IsOk());
    EXPECT_FALSE(((*socket).*end)().ok());
    EXPECT_FALSE(socket->is_open());
  }
  // Reset() reports a failing setsockopt(2), and still closes.
  auto socket = NewSocket(kernel, AF_INET);
  ASSERT_THAT(socket, IsOk());
  EXPECT_THAT(socket->Reset(), IsErrno(ENOPROTOOPT));
  EXPECT_THAT(kernel.OpenDescriptors(), IsEmpty());
  EXPECT_EQ(kernel.StrayCloses(), 0);
  EXPECT_THAT(kernel.Unmatched(), IsEmpty());
}

TEST(RawSocketOwnership, ReleaseGivesTheDescriptorUp) {
  FaultInjector kernel(DefaultSyscalls());
  int fd = -1;
  {
    auto socket = NewSocket(kernel, AF_INET);
    ASSERT_THAT(socket, IsOk());
    fd = socket->Release();
    EXPECT_EQ(socket->Release(), -1);
  }
  EXPECT_THAT(kernel.OpenDescriptors(), ElementsAre(fd));
  EXPECT_THAT(kernel.Close(fd), IsOk());
}

TEST(RawSocketOwnership, WithoutDescriptorEveryCallIsTheKernelsEbadf) {
  RawSocket none;
  char byte = 0;
  EXPECT_THAT(none.Send("x"), IsErrno(EBADF));
  EXPECT_THAT(none.Recv(absl::MakeSpan(&byte, 1)), IsErrno(EBADF));
  EXPECT_THAT(none.Shutdown(SHUT_RD), IsErrno(EBADF));
  EXPECT_THAT(none.SetOption(SOL_SOCKET, SO_KEEPALIVE, 1), IsErrno(EBADF));
  EXPECT_THAT(none.Option(SOL_SOCKET, SO_KEEPALIVE), IsErrno(EBADF));
  EXPECT_THAT(none.TcpState(), IsErrno(EBADF));
  EXPECT_THAT(none.LocalEndpoint(), IsErrno(EBADF));
  EXPECT_THAT(none.PeerEndpoint(), IsErrno(EBADF));
  EXPECT_THAT(none.Close(), IsErrno(EBADF));
  EXPECT_THAT(none.Reset(), IsErrno(EBADF));
}

TEST(RawSocketWait, GoesOnOverSignals) {
  FaultInjector kernel(DefaultSyscalls());
  auto pair = ConnectedPair(kernel, AF_INET);
  ASSERT_THAT(pair, IsOk());
  kernel.Arm(ParseFaultPlan("poll=EINTR*2").value());
  EXPECT_THAT(pair->client.Wait(POLLOUT), IsOkAndHolds(Eq(POLLOUT)));
  EXPECT_THAT(kernel.Unmatched(), IsEmpty());
  kernel.Arm(ParseFaultPlan("poll=ENOMEM").value());
  EXPECT_THAT(pair->client.Wait(POLLOUT), IsErrno(ENOMEM));
}

using RawSocketTest = LoopbackTest;
INSTANTIATE_TEST_SUITE_P(BothFamilies, RawSocketTest, BothFamilies(),
                         FamilyName);

TEST_P(RawSocketTest, SendsAndReceives) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  EXPECT_THAT(pair->server.Ready(POLLIN), IsOkAndHolds(Eq(0)));
  ASSERT_THAT(pair->client.Send("ping"), IsOkAndHolds(Eq(4)));
  EXPECT_THAT(pair->server.Ready(POLLIN), IsOkAndHolds(Eq(POLLIN)));
  std::string buffer(16, '\0');
  ASSERT_THAT(pair->server.Recv(absl::MakeSpan(buffer), MSG_PEEK),
              IsOkAndHolds(Eq(4)));
  ASSERT_THAT(pair->server.Recv(absl::MakeSpan(buffer)), IsOkAndHolds(Eq(4)));
  EXPECT_EQ(buffer.substr(0, 4), "ping");
  EXPECT_THAT(pair->server.Recv(absl::MakeSpan(buffer), MSG_DONTWAIT),
              IsErrno(EAGAIN));
}

TEST_P(RawSocketTest, CloseEndsTheStreamInOrder) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(pair->server.Send("last"), IsOk());
  ASSERT_THAT(pair->server.Close(), IsOk());
  EXPECT_FALSE(pair->server.is_open());
  EXPECT_THAT(RecvUntilEof(pair->client), IsOkAndHolds(Eq("last")));
}

TEST_P(RawSocketTest, ResetIsSeenAsConnectionReset) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(pair->server.Reset(), IsOk());
  EXPECT_FALSE(pair->server.is_open());
  EXPECT_THAT(pair->client.PeerEndpoint(), IsErrno(ENOTCONN));
  char byte = 0;
  EXPECT_THAT(pair->client.Recv(absl::MakeSpan(&byte, 1)), IsErrno(ECONNRESET));
  EXPECT_THAT(pair->client.Send("x"), IsErrno(EPIPE));  // without SIGPIPE
}

// Connects twice from the same endpoint, with a reset in between. Returns
// whether that succeeds. A connection in TIME-WAIT would prevent it. So would
// another program that was given the port in between, which is rare.
//
// The client is bound before it connects, because a port that connect(2) picks
// may be shared with connections of other programs to other endpoints.
bool ConnectsAgainAfterReset(Syscalls& sys, int family) {
  auto listener = ListenAnywhere(sys, family);
  if (!listener.ok()) return false;
  auto first = ConnectTo(sys, listener->endpoint(),
                         {.local = ip::Endpoint{LoopbackAddr(family), 0}});
  if (!first.ok()) return false;
  auto local = first->LocalEndpoint();
  if (!local.ok() || !first->Reset().ok()) return false;
  return ConnectTo(sys, listener->endpoint(), {.local = *local}).ok();
}

TEST_P(RawSocketTest, ResetLeavesNoTimeWait) {
  EXPECT_TRUE(ConnectsAgainAfterReset(sys(), family()) ||
              ConnectsAgainAfterReset(sys(), family()) ||
              ConnectsAgainAfterReset(sys(), family()));
}

TEST_P(RawSocketTest, HalfCloseEndsOneDirectionOnly) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(pair->server.HalfClose(), IsOk());
  EXPECT_THAT(RecvUntilEof(pair->client), IsOkAndHolds(Eq("")));
  ASSERT_THAT(pair->client.Send("still here"), IsOk());
  ASSERT_THAT(pair->client.Close(), IsOk());
  EXPECT_THAT(RecvUntilEof(pair->server), IsOkAndHolds(Eq("still here")));
  EXPECT_THAT(pair->server.Send("x"), IsErrno(EPIPE));
}

TEST_P(RawSocketTest, OptionsAreSetAndRead) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  const RawSocket& socket = pair->client;
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(Eq(0)));
  ASSERT_THAT(socket.SetOption(SOL_SOCKET, SO_KEEPALIVE, 1), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(Eq(1)));
  EXPECT_THAT(socket.Option(SOL_SOCKET, 9999), IsErrno(ENOPROTOOPT));
}

TEST_P(RawSocketTest, TakesThePendingErrorOnce) {
  auto refused = RefusedPort::Reserve(sys(), family());
  ASSERT_THAT(refused, IsOk());
  auto client = ConnectTo(sys(), refused->endpoint(), {.nonblocking = true});
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(client->Wait(POLLOUT), IsOkAndHolds(Gt(0)));
  EXPECT_THAT(client->PendingError(), IsOkAndHolds(Eq(ECONNREFUSED)));
  EXPECT_THAT(client->PendingError(), IsOkAndHolds(Eq(0)));
}

TEST_P(RawSocketTest, ReturnsTheStateOfTheConnection) {
  auto listener = ListenAnywhere(sys(), family());
  ASSERT_THAT(listener, IsOk());
  EXPECT_THAT(listener->socket().TcpState(), IsOkAndHolds(Eq(TCP_LISTEN)));
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  EXPECT_THAT(pair->client.TcpState(), IsOkAndHolds(Eq(TCP_ESTABLISHED)));
  ASSERT_THAT(pair->server.HalfClose(), IsOk());
  EXPECT_THAT(pair->client.TcpState(), IsOkAndHolds(Eq(TCP_CLOSE_WAIT)));
}

TEST_P(RawSocketTest, ReturnsBothEndpoints) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  auto client = pair->client.LocalEndpoint();
  auto server = pair->server.LocalEndpoint();
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(server, IsOk());
  EXPECT_EQ(client->addr, LoopbackAddr(family()));
  EXPECT_NE(*client, *server);
  EXPECT_THAT(pair->client.PeerEndpoint(), IsOkAndHolds(Eq(*server)));
  EXPECT_THAT(pair->server.PeerEndpoint(), IsOkAndHolds(Eq(*client)));
}

}  // namespace
}  // namespace net::loopback
