// The end of a connection by shutdown(2), and the states of RFC 9293 on the
// way.

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
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

using loopback::Bind;
using loopback::Pair;
using loopback::RawSocket;

// ---- shutdown(2) in each state ----------------------------------------------

// Expects that shutdown(2) fails with `error` for every `how`.
void ExpectNoShutdown(const RawSocket& socket, int error) {
  for (const int how : {SHUT_RD, SHUT_WR, SHUT_RDWR}) {
    EXPECT_THAT(socket.Shutdown(how), IsErrno(error)) << how;
  }
}

void ShutdownUnconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectNoShutdown(socket, ENOTCONN);
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ExpectNoShutdown(socket, ENOTCONN);
}

// The failed shutdown(2) still takes effect on accepted connections.
void ShutdownBeforeListen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket listener, NewTcp(c));
  ASSERT_THAT(Bind(listener, {c.Loopback(), 0}), IsOk());
  ASSERT_THAT(listener.Shutdown(SHUT_WR), IsErrno(ENOTCONN));
  ASSERT_THAT(Listen(listener), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       loopback::ConnectTo(c.sys(), at));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_CLOSE_WAIT));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, Accept(listener));
  EXPECT_THAT(server.Send("x", MSG_NOSIGNAL), IsErrno(EPIPE));
  EXPECT_THAT(RecvOnce(client), IsOkAndHolds(""));
}

void ShutdownBeforeConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(client.Shutdown(SHUT_WR), IsErrno(ENOTCONN));
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
  EXPECT_THAT(client.Send("x", MSG_NOSIGNAL), IsErrno(EPIPE));
}

// The socket connects to itself.
void ShutdownBeforeConnectToItself(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ASSERT_THAT(socket.Shutdown(SHUT_WR), IsErrno(ENOTCONN));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint itself, socket.LocalEndpoint());
  ASSERT_THAT(Connect(socket, itself), IsErrno(EINPROGRESS));
  EXPECT_THAT(socket.TcpState(), IsOkAndHolds(TCP_CLOSE));
  ExpectNoShutdown(socket, ENOTCONN);
}

// The socket is not connected either, but `how` is checked first.
void ShutdownUnknownWay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.Shutdown(3), IsErrno(EINVAL));
  EXPECT_THAT(socket.Shutdown(-1), IsErrno(EINVAL));
}

void ShutdownConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  EXPECT_THAT(connecting.client.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(connecting.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(connecting.client.PendingError(), IsOkAndHolds(ECONNRESET));
}

void ShutdownAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(pair.client.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(pair.client.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(pair.client.Shutdown(SHUT_RDWR), IsOk());
}

void ShutdownAfterBothEnds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ExpectNoShutdown(pair.client, ENOTCONN);
  ExpectNoShutdown(pair.server, ENOTCONN);
}

void ShutdownAfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  ExpectNoShutdown(pair.client, ENOTCONN);
}

// ---- States -----------------------------------------------------------------

void StatesOfHalfClose(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(pair.server.TcpState(), IsOkAndHolds(TCP_CLOSE_WAIT));
  // The FIN is acknowledged after a while, or with the next data.
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_FIN_WAIT2));
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  // In TIME-WAIT the connection does not belong to the socket any more.
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(pair.server.TcpState(), IsOkAndHolds(TCP_CLOSE));
}

void StateOfShutdownForReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
  EXPECT_THAT(pair.server.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
}

// The FIN stays queued behind data for which the peer has no room.
void FinWait1(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_FIN_WAIT1));
  EXPECT_THAT(pair.server.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
  ASSERT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
  // The FIN is acknowledged after a while, or with the next data.
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_FIN_WAIT2));
}

void LastAck(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_LAST_ACK));
  ASSERT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
}

void Closing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSING));
  EXPECT_THAT(pair.server.TcpState(), IsOkAndHolds(TCP_FIN_WAIT2));
  ASSERT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
}

void StateAfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
}

// ---- Names ------------------------------------------------------------------

void NamesAfterShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, pair.client.PeerEndpoint());
  ASSERT_THAT(pair.client.Shutdown(SHUT_RDWR), IsOk());
  EXPECT_THAT(pair.client.PeerEndpoint(), IsOkAndHolds(peer));
  EXPECT_THAT(pair.server.LocalEndpoint(), IsOkAndHolds(peer));
}

void NamesAfterBothEnds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, pair.client.LocalEndpoint());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  EXPECT_THAT(pair.client.PeerEndpoint(), IsErrno(ENOTCONN));
  EXPECT_THAT(pair.server.PeerEndpoint(), IsErrno(ENOTCONN));
  EXPECT_THAT(pair.client.LocalEndpoint(), IsOkAndHolds(local));
}

void NamesAfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, pair.client.LocalEndpoint());
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(pair.client.PeerEndpoint(), IsErrno(ENOTCONN));
  EXPECT_THAT(pair.client.LocalEndpoint(), IsOkAndHolds(local));
}

// ---- After shutdown(2) of this end ------------------------------------------

void SendAfterHalfClose(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(pair.client.Send("x"), IsErrno(EPIPE));
  EXPECT_THAT(pair.client.Send(""), IsErrno(EPIPE));
}

void ReceiveAfterHalfClose(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
  ASSERT_THAT(pair.server.Send("answer"), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("answer"));
}

void EndComesAfterData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("last words"), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("last words"));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

// SHUT_RD sends nothing to the peer.
void ReceiveAfterShutdownForReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds(""));
  ASSERT_THAT(pair.server.Send("late"), IsOkAndHolds(4));
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("late"));
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds(""));
}

void DataBeforeShutdownForReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("early"), IsOk());
  ASSERT_THAT(pair.client.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("early"));
}

void SendAfterShutdownForReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Shutdown(SHUT_RD), IsOk());
  ASSERT_THAT(pair.client.Send("on"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("on"));
}

// The data can never be read, so the kernel replies with a reset.
void DataAfterBothWays(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Shutdown(SHUT_RDWR), IsOk());
  ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
  EXPECT_THAT(pair.server.PendingError(), IsOkAndHolds(EPIPE));
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
}

}  // namespace

const std::vector<Case>& EndingKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.ending.shutdown.before_listen",
       .requirement =
           "A shutdown(2) that failed with ENOTCONN before listen(2) must "
           "apply to the connections that are accepted.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .run = &ShutdownBeforeListen},
      {.id = "kernel.ending.shutdown.before_connect",
       .requirement = "After a shutdown(SHUT_WR) that failed with ENOTCONN, "
                      "connect(2) must succeed and send(2) fail with EPIPE.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .run = &ShutdownBeforeConnect},
      {.id = "kernel.ending.shutdown.before_connect_to_itself",
       .requirement = "After a shutdown(SHUT_WR) that failed with ENOTCONN, a "
                      "connection of the socket to itself must end at once.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .run = &ShutdownBeforeConnectToItself},
      {.id = "kernel.ending.shutdown.unconnected",
       .requirement = "shutdown(2) must fail with ENOTCONN on a socket that is "
                      "not connected.",
       .source = "shutdown(2), ENOTCONN",
       .run = &ShutdownUnconnected},
      {.id = "kernel.ending.shutdown.unknown_way",
       .requirement = "shutdown(2) with an unknown `how` must fail with "
                      "EINVAL, even if the socket is not connected.",
       .source = "shutdown(2), EINVAL",
       .run = &ShutdownUnknownWay},
      {.id = "kernel.ending.shutdown.connecting",
       .requirement = "shutdown(2) must end an attempt to connect that is in "
                      "progress, and leave ECONNRESET pending.",
       .source = "measured on Linux 6.18",
       .run = &ShutdownConnecting},
      {.id = "kernel.ending.shutdown.again",
       .requirement =
           "A second shutdown(2) must succeed while the connection lasts.",
       .source = "measured on Linux 6.18",
       .run = &ShutdownAgain},
      {.id = "kernel.ending.shutdown.after_both_ends",
       .requirement = "shutdown(2) must fail with ENOTCONN once both "
                      "directions have ended.",
       .source = "shutdown(2), ENOTCONN",
       .run = &ShutdownAfterBothEnds},
      {.id = "kernel.ending.shutdown.after_reset",
       .requirement = "shutdown(2) must fail with ENOTCONN after a reset.",
       .source = "shutdown(2), ENOTCONN",
       .run = &ShutdownAfterReset},
      {.id = "kernel.ending.state.half_close",
       .requirement = "The states must be FIN-WAIT-2 and CLOSE-WAIT after one "
                      "end's FIN, and CLOSED after both.",
       .source = "RFC 9293, section 3.6; tcp(7), TCP_INFO",
       .run = &StatesOfHalfClose},
      {.id = "kernel.ending.state.shutdown_reading",
       .requirement = "shutdown(SHUT_RD) must leave both ends in ESTABLISHED.",
       .source = "measured on Linux 6.18",
       .run = &StateOfShutdownForReading},
      {.id = "kernel.ending.state.fin_wait1",
       .requirement = "A FIN that is queued behind data must leave its sender "
                      "in FIN-WAIT-1 until it is acknowledged.",
       .source = "RFC 9293, section 3.6",
       .run = &FinWait1},
      {.id = "kernel.ending.state.last_ack",
       .requirement = "A FIN that is queued behind data must leave its sender "
                      "in LAST-ACK if the peer's FIN came first.",
       .source = "RFC 9293, section 3.6",
       .run = &LastAck},
      {.id = "kernel.ending.state.closing",
       .requirement = "A FIN that arrives while the receiver's own is queued "
                      "must lead to CLOSING.",
       .source = "RFC 9293, section 3.6, simultaneous close",
       .run = &Closing},
      {.id = "kernel.ending.state.reset",
       .requirement = "A reset must lead to CLOSED.",
       .source = "RFC 9293, section 3.10.7.4",
       .run = &StateAfterReset},
      {.id = "kernel.ending.names.shutdown",
       .requirement =
           "A socket must keep its local and peer address after shutdown(2).",
       .source = "getpeername(2); measured on Linux 6.18",
       .run = &NamesAfterShutdown},
      {.id = "kernel.ending.names.both_ends",
       .requirement = "Once both directions have ended a socket must have no "
                      "peer address, and keep its local address.",
       .source = "getpeername(2), ENOTCONN",
       .run = &NamesAfterBothEnds},
      {.id = "kernel.ending.names.reset",
       .requirement = "After a reset a socket must have no peer address, and "
                      "keep its local address.",
       .source = "getpeername(2), ENOTCONN",
       .run = &NamesAfterReset},
      {.id = "kernel.ending.own.send_after_half_close",
       .requirement = "send(2) must fail with EPIPE after shutdown(SHUT_WR), "
                      "even for zero bytes.",
       .source = "send(2), EPIPE",
       .run = &SendAfterHalfClose},
      {.id = "kernel.ending.own.receive_after_half_close",
       .requirement = "recv(2) must still return data after shutdown(SHUT_WR).",
       .source = "shutdown(2), DESCRIPTION; RFC 9293, section 3.6",
       .run = &ReceiveAfterHalfClose},
      {.id = "kernel.ending.own.end_after_data",
       .requirement = "recv(2) must return the data before it returns 0, and "
                      "return 0 every time afterwards.",
       .source = "recv(2), RETURN VALUE",
       .run = &EndComesAfterData},
      {.id = "kernel.ending.own.receive_after_shut_rd",
       .requirement =
           "After shutdown(SHUT_RD), recv(2) must return 0 while there is no "
           "data, and still return data that arrives later.",
       .source = "measured on Linux 6.18",
       .run = &ReceiveAfterShutdownForReading},
      {.id = "kernel.ending.own.data_before_shut_rd",
       .requirement =
           "recv(2) must return data that arrived before shutdown(SHUT_RD).",
       .source = "measured on Linux 6.18",
       .run = &DataBeforeShutdownForReading},
      {.id = "kernel.ending.own.send_after_shut_rd",
       .requirement = "send(2) must still succeed after shutdown(SHUT_RD).",
       .source = "shutdown(2), DESCRIPTION",
       .run = &SendAfterShutdownForReading},
      {.id = "kernel.ending.own.data_after_both_ways",
       .requirement =
           "Data that arrives after shutdown(SHUT_RDWR) must cause a reset.",
       .source = "RFC 9293, section 3.6.1; measured on Linux 6.18",
       .run = &DataAfterBothWays},
  };
  return cases;
}

}  // namespace net::conformance
