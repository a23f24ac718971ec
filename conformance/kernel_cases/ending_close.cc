// The end of a connection by the peer, by close(2), and with SO_LINGER.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
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
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::Pair;
using loopback::RawSocket;

// ---- After the peer has closed or reset -------------------------------------

// The peer has closed and replies to the first data with a reset. After the end
// of the stream a reset is reported as EPIPE.
void SendToClosed(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Close(), IsOk());
  EXPECT_THAT(pair.client.Send("x"), IsOkAndHolds(1));
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(pair.client.Send("x"), IsErrno(EPIPE));
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds(""));
}

void SendToReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(pair.client.Send("x"), IsErrno(ECONNRESET));
  EXPECT_THAT(pair.client.Send("x"), IsErrno(EPIPE));
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds(""));
}

void ReceiveFromReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsErrno(ECONNRESET));
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds(""));
  EXPECT_THAT(pair.client.Send("x"), IsErrno(EPIPE));
}

void ResetTakenBySoError(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  ASSERT_THAT(pair.client.PendingError(), IsOkAndHolds(ECONNRESET));
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(0));
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds(""));
  EXPECT_THAT(pair.client.Send("x"), IsErrno(EPIPE));
}

void DataBeforeReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("early"), IsOk());
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("early"));
  EXPECT_THAT(RecvOnce(pair.client), IsErrno(ECONNRESET));
}

// The peer has ended its stream before it resets the connection.
void ResetAfterEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(EPIPE));
}

// ---- close(2) ---------------------------------------------------------------

void CloseWithUnreadData(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("unread"), IsOk());
  ASSERT_THAT(pair.server.Close(), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsErrno(ECONNRESET));
}

void CloseWithUnreadDataLosesWhatWasSent(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("unread"), IsOk());
  ASSERT_THAT(pair.server.Send("received"), IsOk());
  ASSERT_THAT(pair.server.Close(), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds("received"));
  EXPECT_THAT(RecvOnce(pair.client), IsErrno(ECONNRESET));
}

void CloseWithReadData(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("read"), IsOk());
  ASSERT_THAT(RecvOnce(pair.server), IsOkAndHolds("read"));
  ASSERT_THAT(pair.server.Close(), IsOk());
  EXPECT_THAT(RecvOnce(pair.client), IsOkAndHolds(""));
}

// The kernel still sends the data after close(2).
void CloseDelivers(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

void DuplicateKeepsItOpen(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  const SysResult copy = c.sys().Dup(pair.client.fd());
  ASSERT_THAT(copy, IsOk());
  RawSocket other(copy.fd(), c.sys());
  ASSERT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_DONTWAIT), IsErrno(EAGAIN));
  ASSERT_THAT(other.Send("still"), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("still"));
  ASSERT_THAT(other.Close(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

void ShutdownThroughDuplicate(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  const SysResult copy = c.sys().Dup(pair.client.fd());
  ASSERT_THAT(copy, IsOk());
  const RawSocket other(copy.fd(), c.sys());
  ASSERT_THAT(other.HalfClose(), IsOk());
  EXPECT_THAT(pair.client.Send("x"), IsErrno(EPIPE));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

// ---- SO_LINGER --------------------------------------------------------------

SysResult SetLinger(const RawSocket& socket, int seconds) {
  const linger value = {.l_onoff = 1, .l_linger = seconds};
  return socket.syscalls().SetSockOpt(socket.fd(), SOL_SOCKET, SO_LINGER,
                                      &value, sizeof(value));
}

void LingerZeroResets(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, pair.client.LocalEndpoint());
  ASSERT_THAT(SetLinger(pair.client, 0), IsOk());
  ASSERT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsErrno(ECONNRESET));
  // No connection in TIME-WAIT keeps the port in use.
  ASSERT_OK_AND_ASSIGN(const RawSocket next, NewTcp(c));
  EXPECT_THAT(Bind(next, at), IsOk());
}

void LingerZeroLosesUnsent(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(SetLinger(pair.client, 0), IsOk());
  ASSERT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(loopback::RecvExactly(pair.server, size), IsErrno(ECONNRESET));
}

// SO_LINGER applies to close(2), not to shutdown(2).
void LingerZeroAndShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetLinger(pair.client, 0), IsOk());
  ASSERT_THAT(pair.client.Shutdown(SHUT_RDWR), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

void LingerWithNothingUnsent(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  // The peer has ended its stream, so close(2) has nothing to wait for.
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ASSERT_THAT(SetLinger(pair.client, 1000), IsOk());
  EXPECT_THAT(pair.client.Close(), IsOk());
}

// close(2) of a full connection blocks, in a task.
void LingerWaits(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(SetLinger(pair.client, 1000), IsOk());
  PendingCall close(c, [&] { return pair.client.Close(); });
  ASSERT_TRUE(close.AwaitBlocked());
  ASSERT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  EXPECT_THAT(close.Join(), IsOk());
}

void LingerInterrupted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(SetLinger(pair.client, 1000), IsOk());
  PendingCall close(c, [&] { return pair.client.Close(); });
  ASSERT_TRUE(close.AwaitBlocked());
  close.Interrupt();
  EXPECT_THAT(close.Join(), IsOk());
  // The kernel still sends the data.
  EXPECT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

void LingerTimesOut(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(SetLinger(pair.client, 1), IsOk());
  EXPECT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

void LingerNonblocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const size_t size, loopback::SendUntilFull(pair.client));
  ASSERT_THAT(SetLinger(pair.client, 1000), IsOk());
  ASSERT_THAT(c.sys().Fcntl(pair.client.fd(), F_SETFL, O_NONBLOCK), IsOk());
  PendingCall close(c, [&] { return pair.client.Close(); });
  ASSERT_TRUE(close.AwaitBlocked());
  ASSERT_THAT(loopback::RecvExactly(pair.server, size), IsOk());
  EXPECT_THAT(close.Join(), IsOk());
}

// With TCP_LINGER2 = T > 60 s, Linux keeps the full socket for T - 60 s and
// then a TIME-WAIT entry for another T - 60 s. T = 61 s therefore lasts 2 s in
// all. (Measured on Linux 6.18.) The only sign that FIN-WAIT-2 has ended is
// that its port is free.
void Linger2BeyondAMinute(Context& c) {
  constexpr int kTries = 50;
  constexpr int kBetweenMs = 200;
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, pair.client.LocalEndpoint());
  ASSERT_THAT(pair.client.SetOption(IPPROTO_TCP, TCP_LINGER2, 61), IsOk());
  ASSERT_THAT(pair.client.Close(), IsOk());
  ASSERT_THAT(BoundSharing(c, local, kPlain), IsErrno(EADDRINUSE));
  for (int i = 0; i < kTries; ++i) {
    if (BoundSharing(c, local, kPlain).ok()) return;
    ASSERT_THAT(c.sys().Poll(nullptr, 0, kBetweenMs), IsOkAndHolds(0));
  }
  c.Variation("lasts_61_seconds");
}

}  // namespace

const std::vector<Case>& EndingCloseKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.ending.peer.send_to_closed",
       .requirement = "The first send(2) to a peer that has closed must "
                      "succeed, and the second fail with EPIPE.",
       .source = "RFC 9293, section 3.6.1; send(2), EPIPE",
       .run = &SendToClosed},
      {.id = "kernel.ending.peer.send_to_reset",
       .requirement =
           "After a reset the first send(2) must fail with ECONNRESET, the "
           "second with EPIPE, and recv(2) return 0.",
       .source = "send(2), ECONNRESET, EPIPE",
       .run = &SendToReset},
      {.id = "kernel.ending.peer.receive_from_reset",
       .requirement = "After a reset the first recv(2) must fail with "
                      "ECONNRESET, and the next return 0.",
       .source = "recv(2); RFC 9293, section 3.10.7.4",
       .run = &ReceiveFromReset},
      {.id = "kernel.ending.peer.reset_taken",
       .requirement = "SO_ERROR must clear the error of a reset: recv(2) must "
                      "return 0 afterwards.",
       .source = "socket(7), SO_ERROR",
       .run = &ResetTakenBySoError},
      {.id = "kernel.ending.peer.data_before_reset",
       .requirement = "recv(2) must return data that arrived before a reset, "
                      "and then fail with ECONNRESET.",
       .source = "measured on Linux 6.18",
       .run = &DataBeforeReset},
      {.id = "kernel.ending.peer.reset_after_end",
       .requirement = "A reset after the peer's FIN must leave EPIPE pending.",
       .source = "measured on Linux 6.18",
       .run = &ResetAfterEnd},
      {.id = "kernel.ending.close.unread",
       .requirement = "close(2) with unread data must reset the connection.",
       .source = "RFC 9293, section 3.6.1; RFC 2525, section 2.17",
       .run = &CloseWithUnreadData},
      {.id = "kernel.ending.close.unread_and_sent",
       .requirement = "Data that had arrived before a close(2) with unread "
                      "data must be received before the reset is reported.",
       .source = "measured on Linux 6.18",
       .run = &CloseWithUnreadDataLosesWhatWasSent},
      {.id = "kernel.ending.close.read",
       .requirement = "close(2) without unread data must end the stream.",
       .source = "RFC 9293, section 3.6",
       .run = &CloseWithReadData},
      {.id = "kernel.ending.close.delivers",
       .requirement = "Data that was sent before close(2) must be delivered "
                      "after it, followed by the end of the stream.",
       .source = "close(2); RFC 9293, section 3.6",
       .run = &CloseDelivers},
      {.id = "kernel.ending.close.duplicate",
       .requirement = "A connection must stay open until the last descriptor "
                      "of its socket is closed.",
       .source = "dup(2); close(2)",
       .run = &DuplicateKeepsItOpen},
      {.id = "kernel.ending.close.shutdown_of_duplicate",
       .requirement = "shutdown(2) through one descriptor must apply to every "
                      "descriptor of the socket.",
       .source = "dup(2); shutdown(2)",
       .run = &ShutdownThroughDuplicate},
      {.id = "kernel.ending.linger.zero",
       .requirement = "close(2) with SO_LINGER of 0 seconds must reset the "
                      "connection and free the port.",
       .source = "socket(7), SO_LINGER; RFC 9293, section 3.10.5",
       .needs = Need::kOwnNetwork,
       .run = &LingerZeroResets},
      {.id = "kernel.ending.linger.zero_unsent",
       .requirement = "close(2) with SO_LINGER of 0 seconds must discard data "
                      "that was not sent yet.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerZeroLosesUnsent},
      {.id = "kernel.ending.linger.zero_shutdown",
       .requirement = "shutdown(2) with SO_LINGER of 0 seconds must not reset "
                      "the connection.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerZeroAndShutdown},
      {.id = "kernel.ending.linger.nothing_unsent",
       .requirement = "close(2) with SO_LINGER must not block if there is "
                      "nothing to send.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerWithNothingUnsent},
      {.id = "kernel.ending.linger.waits",
       .requirement =
           "close(2) with SO_LINGER must block until all data is delivered.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerWaits},
      {.id = "kernel.ending.linger.interrupted",
       .requirement =
           "A close(2) that is blocked by SO_LINGER must return 0 on a signal.",
       .source = "measured on Linux 6.18",
       .run = &LingerInterrupted},
      {.id = "kernel.ending.linger.times_out",
       .requirement =
           "close(2) must return 0 when the seconds of SO_LINGER have passed, "
           "and the remaining data must still be delivered.",
       .source = "socket(7), SO_LINGER; measured on Linux 6.18",
       .run = &LingerTimesOut},
      {.id = "kernel.ending.linger.nonblocking",
       .requirement =
           "close(2) with SO_LINGER must block, even if O_NONBLOCK is set.",
       .source = "measured on Linux 6.18",
       .run = &LingerNonblocking},
      {.id = "kernel.ending.linger2.beyond_a_minute",
       .requirement = "With TCP_LINGER2 = T > 60 s, FIN-WAIT-2 may last 2 * (T "
                      "- 60) s: 2 s for T = 61 s.",
       .source = "measured on Linux 6.18; tcp(7), TCP_LINGER2, differs",
       .level = Level::kVariation,
       .needs = Need::kOwnNetwork,
       .run = &Linger2BeyondAMinute},
  };
  return cases;
}

}  // namespace net::conformance
