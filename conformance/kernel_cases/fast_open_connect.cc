// TCP_FASTOPEN_CONNECT, with which connect(2) leaves the SYN to the first
// send(2).

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/fast_open_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
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

using loopback::Listener;
using loopback::RawSocket;

void ConnectsWithoutCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(POLLIN));
}

void DefersConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetFastOpenCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  ExpectNothingQueued(listener);
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_SYN_SENT}));
  EXPECT_THAT(client.Ready(POLLIN | POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(client.PeerEndpoint(), IsErrno(ENOTCONN));
  EXPECT_THAT(RecvOnce(client, 1, MSG_DONTWAIT), IsErrno(EAGAIN));
  EXPECT_THAT(client.Send("hey"), IsOkAndHolds(3));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_ESTABLISHED}));
  ExpectAccepted(listener, "hey");
  EXPECT_THAT(Connect(client, listener.endpoint()), IsErrno(EISCONN));
}

void DefersNonblocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetFastOpenCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c, SOCK_NONBLOCK));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(Connect(client, listener.endpoint()), IsErrno(EISCONN));
  EXPECT_THAT(client.Send("hey"), IsOkAndHolds(3));
  ExpectAccepted(listener, "hey");
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(Connect(client, listener.endpoint()), IsErrno(EISCONN));
}

void DeferredRefused(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetFastOpenCookie(c, listener);
  RawSocket holder;
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint refused, RefusedEndpoint(c, holder));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c));
  EXPECT_THAT(Connect(client, refused), IsOk());
  EXPECT_THAT(client.Send("x"), IsErrno(ECONNREFUSED));
  EXPECT_THAT(client.Send("x"), IsErrno(EPIPE));
}

void DeferredEnds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetFastOpenCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(RawSocket closed, NewDeferring(c));
  EXPECT_THAT(Connect(closed, listener.endpoint()), IsOk());
  EXPECT_THAT(closed.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket shut, NewDeferring(c));
  EXPECT_THAT(Connect(shut, listener.endpoint()), IsOk());
  EXPECT_THAT(shut.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(shut.Send("x"), IsErrno(ECONNRESET));
  ASSERT_OK_AND_ASSIGN(const RawSocket dissolved, NewDeferring(c));
  EXPECT_THAT(Connect(dissolved, listener.endpoint()), IsOk());
  EXPECT_THAT(Disconnect(dissolved), IsOk());
  EXPECT_THAT(dissolved.PendingError(), IsOkAndHolds(ECONNRESET));
  ExpectNothingQueued(listener);
}

void DeferredSendsNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetFastOpenCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(client.Send(""), IsOkAndHolds(0));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_ESTABLISHED}));
}

}  // namespace

const std::vector<Case>& FastOpenConnectKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.fast_open.connect.first",
       .requirement = "With TCP_FASTOPEN_CONNECT, connect(2) must connect "
                      "without a cookie.",
       .source = "tcp(7), TCP_FASTOPEN_CONNECT",
       .needs = Need::kOwnNetwork,
       .run = &ConnectsWithoutCookie},
      {.id = "kernel.fast_open.connect",
       .requirement = "With TCP_FASTOPEN_CONNECT and a cookie, connect(2) must "
                      "succeed without a SYN; the first send must carry it.",
       .source = "tcp(7), TCP_FASTOPEN_CONNECT; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DefersConnect},
      {.id = "kernel.fast_open.connect.nonblocking",
       .requirement = "A deferred connect(2) must succeed on a non-blocking "
                      "socket; a second one must fail with EISCONN before the "
                      "first send, and succeed once after it.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DefersNonblocking},
      {.id = "kernel.fast_open.connect.refused",
       .requirement = "The first send of a deferred connect(2) must fail with "
                      "ECONNREFUSED if nobody listens.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DeferredRefused},
      {.id = "kernel.fast_open.connect.ends",
       .requirement = "close(2), shutdown(2) and connect(2) to AF_UNSPEC must "
                      "end a deferred connect(2) without a SYN.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DeferredEnds},
      {.id = "kernel.fast_open.connect.nothing",
       .requirement = "A send of 0 bytes must carry out a deferred connect(2).",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DeferredSendsNothing},
  };
  return cases;
}

}  // namespace net::conformance
