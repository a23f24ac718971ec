#include "conformance/suite/witness.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "conformance/loopback/loopback.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

Syscalls& sys() { return DefaultSyscalls(); }

TEST(WitnessTest, SeesAListenersQueueAndBacklog) {
  const auto listener =
      loopback::ListenAnywhere(sys(), AF_INET, {.backlog = 7});
  ASSERT_TRUE(listener.ok());
  const Witness witness(sys(), listener->socket().fd());
  const auto empty = witness.Info();
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->state, TCP_LISTEN);
  EXPECT_EQ(empty->backlog, 7U);
  EXPECT_EQ(empty->queued, 0U);
  const auto client = loopback::ConnectTo(sys(), listener->endpoint());
  ASSERT_TRUE(client.ok());
  ASSERT_THAT(listener->socket().Wait(POLLIN), IsOkAndHolds(POLLIN));
  const auto one = witness.Info();
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->queued, 1U);
}

TEST(WitnessTest, SeesBothEndsOfAConnection) {
  const auto pair = loopback::ConnectedPair(sys(), AF_INET);
  ASSERT_TRUE(pair.ok());
  const Witness client(sys(), pair->client.fd());
  const Witness server(sys(), pair->server.fd());
  ASSERT_TRUE(client.Info().ok());
  EXPECT_EQ(client.Info()->state, TCP_ESTABLISHED);
  ASSERT_TRUE(client.LocalEndpoint().ok() && client.PeerEndpoint().ok());
  EXPECT_EQ(*client.LocalEndpoint(), *server.PeerEndpoint());
  EXPECT_EQ(*client.PeerEndpoint(), *server.LocalEndpoint());
}

TEST(WitnessTest, SeesOptionsAndFlagsEitherWay) {
  for (const bool on : {false, true}) {
    const int bits = on ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0;
    const SysResult made = sys().Socket(AF_INET, SOCK_STREAM | bits, 0);
    ASSERT_THAT(made, IsOk());
    const loopback::RawSocket socket(made.fd(), sys());
    ASSERT_THAT(socket.SetOption(SOL_SOCKET, SO_KEEPALIVE, on), IsOk());
    const Witness witness(sys(), socket.fd());
    EXPECT_THAT(witness.Option(SOL_SOCKET, SO_KEEPALIVE),
                IsOkAndHolds(on ? 1 : 0));
    EXPECT_THAT(witness.Nonblocking(), IsOkAndHolds(on));
    EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(on));
  }
}

TEST(WitnessTest, ReportsWhatItCannotSee) {
  const Witness closed(sys(), -1);
  EXPECT_THAT(closed.Option(SOL_SOCKET, SO_KEEPALIVE), IsErrno(EBADF));
  EXPECT_THAT(closed.Nonblocking(), IsErrno(EBADF));
  EXPECT_THAT(closed.CloseOnExec(), IsErrno(EBADF));
  EXPECT_THAT(closed.Info(), IsErrno(EBADF));
  EXPECT_THAT(closed.LocalEndpoint(), IsErrno(EBADF));
  const auto unconnected = loopback::NewSocket(sys(), AF_INET);
  ASSERT_TRUE(unconnected.ok());
  EXPECT_THAT(Witness(sys(), unconnected->fd()).PeerEndpoint(),
              IsErrno(ENOTCONN));
}

}  // namespace
}  // namespace net::conformance
