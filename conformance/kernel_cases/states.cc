// Calls on sockets in states in which programs rarely make them. The other
// files have the states in which a call is useful.

#include <netinet/tcp.h>
#include <poll.h>
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

using loopback::FullQueue;
using loopback::Pair;
using loopback::RawSocket;

void NoPeerBeforeTheConnection(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket bound, NewTcp(c));
  ASSERT_THAT(loopback::Bind(bound, {c.Loopback(), 0}), IsOk());
  EXPECT_THAT(bound.PeerEndpoint(), IsErrno(ENOTCONN));
  ASSERT_THAT(Listen(bound), IsOk());
  EXPECT_THAT(bound.PeerEndpoint(), IsErrno(ENOTCONN));
}

void WhileConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  EXPECT_THAT(loopback::Bind(connecting.client, {c.Loopback(), 0}),
              IsErrno(EINVAL));
  EXPECT_THAT(connecting.client.SetOption(SOL_SOCKET, SO_KEEPALIVE, 1), IsOk());
  EXPECT_THAT(connecting.client.TcpState(), IsOkAndHolds(TCP_SYN_SENT));
}

// Expects that `socket`, one end of a connection, cannot be bound, connected or
// made a listener, and keeps its local address.
void ExpectStaysAnEnd(Context& c, const RawSocket& socket,
                      const ip::Endpoint& local) {
  EXPECT_THAT(loopback::Bind(socket, {c.Loopback(), 0}), IsErrno(EINVAL));
  EXPECT_THAT(Listen(socket), IsErrno(EINVAL));
  EXPECT_THAT(Connect(socket, local), IsErrno(EISCONN));
  EXPECT_THAT(Accept(socket), IsErrno(EINVAL));
  EXPECT_THAT(socket.LocalEndpoint(), IsOkAndHolds(local));
}

void HalfClosed(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, pair.server.PeerEndpoint());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ExpectStaysAnEnd(c, pair.client, local);
}

void HalfClosedByPeer(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, pair.server.PeerEndpoint());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, pair.server.LocalEndpoint());
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ASSERT_THAT(pair.client.Wait(POLLIN), IsOk());
  ExpectStaysAnEnd(c, pair.client, local);
  EXPECT_THAT(pair.client.PeerEndpoint(), IsOkAndHolds(peer));
}

// Two attempts time out at the same time, because each takes 3 s on a kernel
// with real time.
void TimedOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket one, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_OK_AND_ASSIGN(const RawSocket two, NewTcp(c, SOCK_NONBLOCK));
  for (const RawSocket* socket : {&one, &two}) {
    ASSERT_THAT(socket->SetOption(IPPROTO_TCP, TCP_SYNCNT, 1), IsOk());
    ASSERT_THAT(Connect(*socket, queue.endpoint()), IsErrno(EINPROGRESS));
  }
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, one.LocalEndpoint());
  for (const RawSocket* socket : {&one, &two}) {
    ASSERT_THAT(socket->Wait(POLLOUT), IsOk());
  }
  EXPECT_THAT(one.LocalEndpoint(), IsOkAndHolds(local));
  EXPECT_THAT(one.PeerEndpoint(), IsErrno(ENOTCONN));
  EXPECT_THAT(Accept(one), IsErrno(EINVAL));
  EXPECT_THAT(Listen(one), IsErrno(EINVAL));
  EXPECT_THAT(one.Shutdown(SHUT_RDWR), IsErrno(ENOTCONN));
  EXPECT_THAT(one.PendingError(), IsOkAndHolds(ETIMEDOUT));
  EXPECT_THAT(loopback::Bind(two, {c.Loopback(), 0}), IsOk());
  // connect(2) reports the error, and the next one makes an attempt.
  EXPECT_THAT(Connect(two, queue.endpoint()), IsErrno(ETIMEDOUT));
  EXPECT_THAT(Connect(two, queue.endpoint()), IsErrno(EINPROGRESS));
}

}  // namespace

const std::vector<Case>& StatesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.states.no_peer",
       .requirement =
           "getpeername(2) must fail with ENOTCONN on a bound socket "
           "and on a listener.",
       .source = "getpeername(2), ENOTCONN",
       .run = &NoPeerBeforeTheConnection},
      {.id = "kernel.states.connecting",
       .requirement = "While a socket is connecting, bind(2) must fail with "
                      "EINVAL, and options must be settable.",
       .source = "bind(2), EINVAL; socket(7), SO_KEEPALIVE",
       .run = &WhileConnecting},
      {.id = "kernel.states.half_closed",
       .requirement =
           "After a shutdown(SHUT_WR), bind(2), listen(2) and accept(2) must "
           "fail with EINVAL, connect(2) with EISCONN, and getsockname(2) must "
           "return the same address.",
       .source = "bind(2), EINVAL; connect(2), EISCONN; measured on Linux 6.18",
       .run = &HalfClosed},
      {.id = "kernel.states.half_closed_by_peer",
       .requirement =
           "After the peer's FIN, bind(2), listen(2) and accept(2) must fail "
           "with EINVAL, connect(2) with EISCONN, and the addresses must be "
           "the "
           "same.",
       .source = "bind(2), EINVAL; connect(2), EISCONN; measured on Linux 6.18",
       .run = &HalfClosedByPeer},
      {.id = "kernel.states.timed_out",
       .requirement =
           "After an attempt has timed out, getsockname(2) must return the "
           "same "
           "address, getpeername(2) and shutdown(2) fail with ENOTCONN, "
           "listen(2) and accept(2) with EINVAL, bind(2) must succeed, and "
           "connect(2) must report the error once.",
       .source = "connect(2), ETIMEDOUT; measured on Linux 6.18",
       .run = &TimedOut},
  };
  return cases;
}

}  // namespace net::conformance
