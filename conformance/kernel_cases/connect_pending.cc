// connect(2) that takes time: in progress, interrupted, timed out, ended.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/sharing.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::FullQueue;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;
using loopback::RefusedPort;

// ---- Non-blocking -----------------------------------------------------------

void AnswersInProgress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsErrno(EINPROGRESS));
  ASSERT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(0));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
}

void AgainOnceConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(Connect(client, listener.endpoint()), IsErrno(EINPROGRESS));
  ASSERT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(Connect(client, listener.endpoint()), IsErrno(EISCONN));
}

// A non-blocking socket whose connection has been refused. The error is still
// pending.
struct Refused {
  RefusedPort port;
  RawSocket client;
};

absl::StatusOr<Refused> NewRefused(Context& c) {
  absl::StatusOr<RefusedPort> port = RefusedPort::Reserve(c.sys(), c.family());
  if (!port.ok()) return port.status();
  absl::StatusOr<RawSocket> client = NewTcp(c, SOCK_NONBLOCK);
  if (!client.ok()) return client.status();
  EXPECT_THAT(Connect(*client, port->endpoint()), IsErrno(EINPROGRESS));
  EXPECT_THAT(client->Wait(POLLOUT), IsOk());
  return Refused{*std::move(port), *std::move(client)};
}

void RefusedPending(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Refused refused, NewRefused(c));
  EXPECT_THAT(refused.client.PendingError(), IsOkAndHolds(ECONNREFUSED));
  EXPECT_THAT(refused.client.PendingError(), IsOkAndHolds(0));
}

// connect(2) reports and clears the error, as SO_ERROR does, and then starts a
// new attempt.
void RefusedToldByConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Refused refused, NewRefused(c));
  EXPECT_THAT(Connect(refused.client, refused.port.endpoint()),
              IsErrno(ECONNREFUSED));
  EXPECT_THAT(Connect(refused.client, refused.port.endpoint()),
              IsErrno(EINPROGRESS));
}

// SO_ERROR has cleared the error, so connect(2) cannot report the reason.
void RefusedAndErrorTaken(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Refused refused, NewRefused(c));
  ASSERT_THAT(refused.client.PendingError(), IsOkAndHolds(ECONNREFUSED));
  EXPECT_THAT(Connect(refused.client, refused.port.endpoint()),
              IsErrno(ECONNABORTED));
  EXPECT_THAT(Connect(refused.client, refused.port.endpoint()),
              IsErrno(EINPROGRESS));
}

// ---- In progress ------------------------------------------------------------

void UnderWay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  EXPECT_THAT(connecting.client.TcpState(), IsOkAndHolds(TCP_SYN_SENT));
  EXPECT_THAT(connecting.client.PendingError(), IsOkAndHolds(0));
  EXPECT_THAT(connecting.client.PeerEndpoint(), IsErrno(ENOTCONN));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local,
                       connecting.client.LocalEndpoint());
  EXPECT_EQ(local.addr, c.Loopback());
  EXPECT_NE(local.port, 0);
}

void AlreadyUnderWay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  EXPECT_THAT(Connect(connecting.client, connecting.queue.endpoint()),
              IsErrno(EALREADY));
  EXPECT_THAT(Connect(connecting.client, {c.Foreign(), kPort}),
              IsErrno(EALREADY));
}

void UnderWayIsNotListening(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  EXPECT_THAT(Listen(connecting.client), IsErrno(EINVAL));
  EXPECT_THAT(Accept(connecting.client), IsErrno(EINVAL));
}

// The SYN is retransmitted after one second, and gets a reply.
void RoomIsMade(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connecting connecting, NewConnecting(c));
  ASSERT_THAT(connecting.queue.Drain(), IsOk());
  EXPECT_THAT(connecting.client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(connecting.client.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
  EXPECT_THAT(connecting.client.PeerEndpoint(),
              IsOkAndHolds(connecting.queue.endpoint()));
}

// The second connect(2) is blocking and waits for the first attempt.
void BlockingConnectJoins(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connecting connecting, NewConnecting(c));
  const RawSocket& client = connecting.client;
  ASSERT_THAT(c.sys().Fcntl(client.fd(), F_SETFL, 0), IsOk());
  PendingCall connect(
      c, [&] { return Connect(client, connecting.queue.endpoint()); });
  ASSERT_TRUE(connect.AwaitBlocked());
  ASSERT_THAT(connecting.queue.Drain(), IsOk());
  EXPECT_THAT(connect.Join(), IsOk());
}

void ListenerGone(Context& c) {
  ASSERT_OK_AND_ASSIGN(std::optional<FullQueue> queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(
      const RawSocket client,
      ConnectTo(c.sys(), queue->endpoint(), {.nonblocking = true}));
  queue.reset();
  ASSERT_THAT(client.Wait(POLLOUT), IsOk());
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(ECONNREFUSED));
}

void CloseGivesUp(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connecting connecting, NewConnecting(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local,
                       connecting.client.LocalEndpoint());
  ASSERT_THAT(connecting.client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket other, NewTcp(c));
  EXPECT_THAT(loopback::Bind(other, local), IsOk());
}

// ---- Blocking ---------------------------------------------------------------

void InterruptedGoesOn(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  PendingCall connect(c, [&] { return Connect(client, queue.endpoint()); });
  ASSERT_TRUE(connect.AwaitBlocked());
  connect.Interrupt();
  EXPECT_THAT(connect.Join(), IsErrno(EINTR));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_SYN_SENT));
}

void InterruptedThenConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  PendingCall connect(c, [&] { return Connect(client, queue.endpoint()); });
  ASSERT_TRUE(connect.AwaitBlocked());
  connect.Interrupt();
  ASSERT_THAT(connect.Join(), IsErrno(EINTR));
  ASSERT_THAT(queue.Drain(), IsOk());
  EXPECT_THAT(Connect(client, queue.endpoint()), IsOk());
  EXPECT_THAT(client.PeerEndpoint(), IsOkAndHolds(queue.endpoint()));
}

// After SO_SNDTIMEO expires the attempt is as on a non-blocking socket.
void SendTimeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  const timeval soon = {.tv_sec = 0, .tv_usec = 20000};
  ASSERT_THAT(c.sys().SetSockOpt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon,
                                 sizeof(soon)),
              IsOk());
  EXPECT_THAT(Connect(client, queue.endpoint()), IsErrno(EINPROGRESS));
  EXPECT_THAT(Connect(client, queue.endpoint()), IsErrno(EALREADY));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_SYN_SENT));
}

void TimedOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(client.SetOption(IPPROTO_TCP, TCP_SYNCNT, 1), IsOk());
  EXPECT_THAT(Connect(client, queue.endpoint()), IsErrno(ETIMEDOUT));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(0));
}

void TimedOutPending(Context& c) {
  c.env().SetSysctl("net.ipv4.tcp_syn_retries", "1");
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  ASSERT_THAT(connecting.client.Wait(POLLOUT), IsOk());
  EXPECT_THAT(connecting.client.PendingError(), IsOkAndHolds(ETIMEDOUT));
}

// Another thread shuts the socket down while connect(2) is blocked.
void ShutdownWakes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  PendingCall connect(c, [&] { return Connect(client, queue.endpoint()); });
  ASSERT_TRUE(connect.AwaitBlocked());
  ASSERT_THAT(client.Shutdown(SHUT_RDWR), IsOk());
  EXPECT_THAT(connect.Join(), IsErrno(ECONNRESET));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_CLOSE));
}

void DisconnectWakes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  PendingCall connect(c, [&] { return Connect(client, queue.endpoint()); });
  ASSERT_TRUE(connect.AwaitBlocked());
  ASSERT_THAT(Disconnect(client), IsOk());
  EXPECT_THAT(connect.Join(), IsErrno(EPIPE));
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(ECONNRESET));
}

// ---- Old connections with the same four-tuple -------------------------------

// The peer's end is in TIME-WAIT, and no socket listens. (The byte carries the
// acknowledgement that ends FIN-WAIT-1.)
void BeforeTimeWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, pair.client.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, pair.server.LocalEndpoint());
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ASSERT_THAT(pair.client.Send("x"), IsOk());
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds("x"));
  ASSERT_THAT(pair.server.Close(), IsOk());
  ASSERT_THAT(pair.client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket again, BoundSharing(c, from, kPlain));
  EXPECT_THAT(Connect(again, at), IsErrno(ECONNREFUSED));
  // The port is free now.
  EXPECT_THAT(BoundSharing(c, at, kPlain), IsOk());
}

// This side's end is in FIN-WAIT-2. It is still a full socket, because
// TCP_LINGER2 is longer than TIME-WAIT lasts.
void BeforeLongFinWait2(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(RawSocket client,
                       BoundSharing(c, {c.Loopback(), 0}, kReuseAddr));
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, client.LocalEndpoint());
  ASSERT_THAT(client.SetOption(IPPROTO_TCP, TCP_LINGER2, 120), IsOk());
  ASSERT_THAT(client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket again,
                       BoundSharing(c, from, kReuseAddr));
  EXPECT_THAT(Connect(again, listener.endpoint()), IsErrno(EADDRNOTAVAIL));
}

// The peer's end is still in CLOSE-WAIT. This end, which had sent its FIN, was
// closed without a reset.
void BeforeCloseWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(RawSocket client,
                       BoundSharing(c, {c.Loopback(), 0}, kReuseAddr));
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, client.LocalEndpoint());
  ASSERT_THAT(client.HalfClose(), IsOk());
  ASSERT_THAT(server.Send("x"), IsOk());
  ASSERT_THAT(RecvOnce(client), IsOkAndHolds("x"));
  ASSERT_THAT(client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket again,
                       BoundSharing(c, from, kReuseAddr));
  ASSERT_THAT(Connect(again, listener.endpoint()), IsOk());
  EXPECT_THAT(server.TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(server.PendingError(), IsOkAndHolds(EPIPE));
  ASSERT_OK_AND_ASSIGN(const RawSocket accepted, listener.Accept());
  EXPECT_THAT(accepted.PeerEndpoint(), IsOkAndHolds(from));
}

}  // namespace

const std::vector<Case>& ConnectPendingKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.connect.nonblock.in_progress",
       .requirement = "A non-blocking connect(2) must fail with EINPROGRESS, "
                      "even if the peer replies at once.",
       .source = "connect(2), EINPROGRESS",
       .run = &AnswersInProgress},
      {.id = "kernel.connect.nonblock.again",
       .requirement =
           "After a non-blocking connect(2) has completed, the next connect(2) "
           "must return 0 and the one after it fail with EISCONN.",
       .source = "measured on Linux 6.18",
       .run = &AgainOnceConnected},
      {.id = "kernel.connect.nonblock.refused",
       .requirement =
           "After a refusal, SO_ERROR must return ECONNREFUSED once.",
       .source = "connect(2), EINPROGRESS; socket(7), SO_ERROR",
       .run = &RefusedPending},
      {.id = "kernel.connect.nonblock.refused_then_connect",
       .requirement = "After a refusal, the next connect(2) must fail with "
                      "ECONNREFUSED, and the one after it start a new attempt.",
       .source = "measured on Linux 6.18",
       .run = &RefusedToldByConnect},
      {.id = "kernel.connect.nonblock.refused_and_taken",
       .requirement = "After a refusal whose error SO_ERROR has returned, the "
                      "next connect(2) must fail with ECONNABORTED, and the "
                      "one after it start a new attempt.",
       .source = "measured on Linux 6.18",
       .run = &RefusedAndErrorTaken},
      {.id = "kernel.connect.under_way.names",
       .requirement = "A socket whose connect(2) is in progress must have a "
                      "local address and no peer address.",
       .source = "getpeername(2), ENOTCONN; RFC 9293, section 3.3.2",
       .run = &UnderWay},
      {.id = "kernel.connect.under_way.again",
       .requirement = "connect(2) must fail with EALREADY while an attempt is "
                      "in progress.",
       .source = "connect(2), EALREADY",
       .run = &AlreadyUnderWay},
      {.id = "kernel.connect.under_way.no_listener",
       .requirement = "listen(2) and accept(2) must fail with EINVAL while an "
                      "attempt is in progress.",
       .source = "listen(2); accept(2), EINVAL",
       .run = &UnderWayIsNotListening},
      {.id = "kernel.connect.under_way.room_is_made",
       .requirement =
           "An attempt must succeed once the listener's accept queue has room.",
       .source = "RFC 9293, section 3.8.3; listen(2)",
       .run = &RoomIsMade},
      {.id = "kernel.connect.under_way.blocking_joins",
       .requirement = "A blocking connect(2) must wait for the attempt that is "
                      "in progress, and return 0 when it succeeds.",
       .source = "measured on Linux 6.18",
       .run = &BlockingConnectJoins},
      {.id = "kernel.connect.under_way.listener_gone",
       .requirement = "An attempt must be refused once the listener is closed.",
       .source = "RFC 9293, section 3.10.7.1",
       .run = &ListenerGone},
      {.id = "kernel.connect.under_way.close",
       .requirement = "close(2) must end an attempt that is in progress, and "
                      "free its port.",
       .source = "RFC 9293, section 3.10.4",
       .needs = Need::kOwnNetwork,
       .run = &CloseGivesUp},
      {.id = "kernel.connect.blocking.interrupted",
       .requirement = "A connect(2) that fails with EINTR must leave the "
                      "attempt in progress.",
       .source = "connect(2), EINTR; POSIX connect()",
       .run = &InterruptedGoesOn},
      {.id = "kernel.connect.blocking.interrupted_then_connected",
       .requirement = "A connect(2) after one that failed with EINTR must wait "
                      "for the same attempt.",
       .source = "measured on Linux 6.18",
       .run = &InterruptedThenConnected},
      {.id = "kernel.connect.blocking.send_timeout",
       .requirement = "connect(2) must fail with EINPROGRESS when SO_SNDTIMEO "
                      "expires, and leave the attempt in progress.",
       .source = "socket(7), SO_SNDTIMEO",
       .run = &SendTimeout},
      {.id = "kernel.connect.blocking.timed_out",
       .requirement = "connect(2) must fail with ETIMEDOUT if there is no "
                      "reply, and leave the socket closed.",
       .source = "connect(2), ETIMEDOUT; tcp(7), TCP_SYNCNT",
       .run = &TimedOut},
      {.id = "kernel.connect.nonblock.timed_out",
       .requirement = "ETIMEDOUT must be pending after tcp_syn_retries "
                      "retransmissions without a reply.",
       .source = "connect(2), ETIMEDOUT; tcp(7), tcp_syn_retries",
       .needs = Need::kOwnNetwork,
       .run = &TimedOutPending},
      {.id = "kernel.connect.blocking.shutdown",
       .requirement = "A blocked connect(2) must fail with ECONNRESET when the "
                      "socket is shut down.",
       .source = "measured on Linux 6.18",
       .run = &ShutdownWakes},
      {.id = "kernel.connect.blocking.disconnect",
       .requirement = "A blocked connect(2) must fail with EPIPE when another "
                      "thread calls connect(2) to AF_UNSPEC.",
       .source = "measured on Linux 6.18",
       .run = &DisconnectWakes},
      {.id = "kernel.connect.old_connection.time_wait",
       .requirement =
           "An attempt whose four-tuple is in TIME-WAIT at the peer, where "
           "nothing listens, must end that TIME-WAIT and be refused.",
       .source = "RFC 9293, section 3.5.1; found by fuzzing",
       .needs = Need::kOwnNetwork,
       .run = &BeforeTimeWait},
      {.id = "kernel.connect.old_connection.long_fin_wait2",
       .requirement = "connect(2) must fail with EADDRNOTAVAIL while this side "
                      "holds the same four-tuple in FIN-WAIT-2, if TCP_LINGER2 "
                      "is longer than TIME-WAIT lasts.",
       .source = "tcp(7), TCP_LINGER2; found by fuzzing",
       .needs = Need::kOwnNetwork,
       .run = &BeforeLongFinWait2},
      {.id = "kernel.connect.old_connection.close_wait",
       .requirement = "An attempt whose four-tuple the peer still holds in "
                      "CLOSE-WAIT must end that old connection, and succeed.",
       .source = "RFC 9293, section 3.5.1; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &BeforeCloseWait},
  };
  return cases;
}

}  // namespace net::conformance
