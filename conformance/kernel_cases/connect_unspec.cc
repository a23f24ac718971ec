// connect(2) to AF_UNSPEC, which dissolves the association (connect(2)).

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

void DisconnectFresh(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Disconnect(socket), IsOk());
  EXPECT_THAT(socket.LocalEndpoint(), IsOkAndHolds(ip::Endpoint{c.Any(), 0}));
}

void DisconnectResets(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(pair.client.PeerEndpoint(), IsErrno(ENOTCONN));
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(ECONNRESET));
  EXPECT_THAT(RecvOnce(pair.server), IsErrno(ECONNRESET));
}

void DisconnectThenConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("of the first"), IsOk());
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  ASSERT_THAT(Connect(pair.client, listener.endpoint()), IsOk());
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(0));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ASSERT_THAT(server.Send("of the second"), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("of the second"));
}

void DisconnectThenListen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  EXPECT_THAT(Listen(pair.client), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_LISTEN));
}

void DisconnectListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket queued,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(Disconnect(listener.socket()), IsOk());
  EXPECT_THAT(listener.socket().TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(RecvOnce(queued), IsErrno(ECONNRESET));
  EXPECT_THAT(listener.Accept(), IsErrno(EINVAL));
}

void DisconnectConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  ASSERT_THAT(Disconnect(connecting.client), IsOk());
  EXPECT_THAT(connecting.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
  // The pending error reports that the attempt was ended.
  EXPECT_THAT(connecting.client.PendingError(), IsOkAndHolds(ECONNRESET));
}

void DisconnectAfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(ECONNRESET));
  EXPECT_THAT(Connect(pair.client, listener.endpoint()), IsOk());
}

// Both directions have ended, so there is nothing to reset.
void DisconnectAfterBothEnds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ASSERT_THAT(Disconnect(pair.client), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

}  // namespace

const std::vector<Case>& ConnectUnspecKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.connect.unspec.fresh",
       .requirement = "connect(2) to AF_UNSPEC must succeed on a new socket "
                      "and have no effect.",
       .source = "connect(2), AF_UNSPEC",
       .run = &DisconnectFresh},
      {.id = "kernel.connect.unspec.resets",
       .requirement = "connect(2) to AF_UNSPEC must reset the connection, and "
                      "leave ECONNRESET pending on both sides.",
       .source = "connect(2), AF_UNSPEC",
       .run = &DisconnectResets},
      {.id = "kernel.connect.unspec.then_connect",
       .requirement = "After connect(2) to AF_UNSPEC a socket must be able to "
                      "connect again, without the pending error and the unread "
                      "data of the first connection.",
       .source = "connect(2), AF_UNSPEC",
       .run = &DisconnectThenConnect},
      {.id = "kernel.connect.unspec.then_listen",
       .requirement =
           "After connect(2) to AF_UNSPEC a socket must be able to listen.",
       .source = "measured on Linux 6.18",
       .run = &DisconnectThenListen},
      {.id = "kernel.connect.unspec.listener",
       .requirement = "connect(2) to AF_UNSPEC of a listener must make it stop "
                      "listening, and reset its queued connections.",
       .source = "measured on Linux 6.18",
       .run = &DisconnectListener},
      {.id = "kernel.connect.unspec.connecting",
       .requirement = "connect(2) to AF_UNSPEC must end an attempt that is in "
                      "progress, and leave ECONNRESET pending.",
       .source = "measured on Linux 6.18",
       .run = &DisconnectConnecting},
      {.id = "kernel.connect.unspec.after_reset",
       .requirement = "connect(2) to AF_UNSPEC after a reset must leave the "
                      "error pending, and the socket able to connect again.",
       .source = "measured on Linux 6.18",
       .run = &DisconnectAfterReset},
      {.id = "kernel.connect.unspec.after_both_ends",
       .requirement = "connect(2) to AF_UNSPEC must not reset a connection "
                      "whose two directions have both ended.",
       .source = "measured on Linux 6.18",
       .run = &DisconnectAfterBothEnds},
  };
  return cases;
}

}  // namespace net::conformance
