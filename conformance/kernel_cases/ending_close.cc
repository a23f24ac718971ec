// The peer's end of a connection, close(2), resets, and SO_LINGER.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/kernel_cases.h"
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
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::Pair;
using loopback::RawSocket;

// ---- After the peer's end ---------------------------------------------------

// The peer has closed. The first write is answered by a reset, which after the
// stream's end is a broken pipe.
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

// The peer has ended its stream already when it resets.
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

// What was sent goes on its way after the close.
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
  // No TIME_WAIT holds the port.
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

// shutdown(2) is not a close: it does not reset.
void LingerZeroAndShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(SetLinger(pair.client, 0), IsOk());
  ASSERT_THAT(pair.client.Shutdown(SHUT_RDWR), IsOk());
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

void LingerWithNothingUnsent(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  // The peer has ended, so that there is nothing at all to wait for.
  ASSERT_THAT(pair.server.HalfClose(), IsOk());
  ASSERT_THAT(SetLinger(pair.client, 1000), IsOk());
  EXPECT_THAT(pair.client.Close(), IsOk());
}

// A close that waits, made by a task, of a full connection.
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
  // What was sent goes on its way all the same.
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

// Linux takes the seconds beyond a minute twice, and those of the minute not at
// all. Nothing tells that FIN_WAIT2 is over but that its port is free.
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
       .requirement = "The first send to a peer that has closed must succeed, "
                      "the second be into a broken pipe.",
       .source = "RFC 9293, section 3.6.1; send(2), EPIPE",
       .run = &SendToClosed},
      {.id = "kernel.ending.peer.send_to_reset",
       .requirement = "After a reset the first send must tell it, the second "
                      "be into a broken pipe, and the stream at its end.",
       .source = "send(2), ECONNRESET, EPIPE",
       .run = &SendToReset},
      {.id = "kernel.ending.peer.receive_from_reset",
       .requirement = "After a reset the first receive must tell it, and the "
                      "next see the end.",
       .source = "recv(2); RFC 9293, section 3.10.7.4",
       .run = &ReceiveFromReset},
      {.id = "kernel.ending.peer.reset_taken",
       .requirement = "Taking the error of a reset must lose it: the stream "
                      "then is at its end.",
       .source = "socket(7), SO_ERROR",
       .run = &ResetTakenBySoError},
      {.id = "kernel.ending.peer.data_before_reset",
       .requirement =
           "Data that came before a reset must be received before it is told.",
       .source = "measured on Linux 6.18",
       .run = &DataBeforeReset},
      {.id = "kernel.ending.peer.reset_after_end",
       .requirement =
           "A reset after the end of the stream must be a broken pipe.",
       .source = "measured on Linux 6.18",
       .run = &ResetAfterEnd},
      {.id = "kernel.ending.close.unread",
       .requirement = "A close with unread data must reset the connection.",
       .source = "RFC 9293, section 3.6.1; RFC 2525, section 2.17",
       .run = &CloseWithUnreadData},
      {.id = "kernel.ending.close.unread_and_sent",
       .requirement = "What had arrived before a close with unread data must "
                      "be received before the reset.",
       .source = "measured on Linux 6.18",
       .run = &CloseWithUnreadDataLosesWhatWasSent},
      {.id = "kernel.ending.close.read",
       .requirement = "A close with all data read must end the stream.",
       .source = "RFC 9293, section 3.6",
       .run = &CloseWithReadData},
      {.id = "kernel.ending.close.delivers",
       .requirement = "What was sent before a close must be delivered after "
                      "it, and then the end.",
       .source = "close(2); RFC 9293, section 3.6",
       .run = &CloseDelivers},
      {.id = "kernel.ending.close.duplicate",
       .requirement = "A connection must last until the last descriptor of its "
                      "socket is closed.",
       .source = "dup(2); close(2)",
       .run = &DuplicateKeepsItOpen},
      {.id = "kernel.ending.close.shutdown_of_duplicate",
       .requirement = "A shutdown must be the socket's, whichever descriptor "
                      "it is made through.",
       .source = "dup(2); shutdown(2)",
       .run = &ShutdownThroughDuplicate},
      {.id = "kernel.ending.linger.zero",
       .requirement = "SO_LINGER of 0 seconds must make close reset the "
                      "connection and free the port.",
       .source = "socket(7), SO_LINGER; RFC 9293, section 3.10.5",
       .needs = Need::kOwnNetwork,
       .run = &LingerZeroResets},
      {.id = "kernel.ending.linger.zero_unsent",
       .requirement =
           "SO_LINGER of 0 seconds must make close lose what was not sent yet.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerZeroLosesUnsent},
      {.id = "kernel.ending.linger.zero_shutdown",
       .requirement = "SO_LINGER of 0 seconds must not make shutdown reset.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerZeroAndShutdown},
      {.id = "kernel.ending.linger.nothing_unsent",
       .requirement =
           "SO_LINGER must not make close wait where nothing is to be sent.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerWithNothingUnsent},
      {.id = "kernel.ending.linger.waits",
       .requirement = "SO_LINGER must make close wait until all is delivered.",
       .source = "socket(7), SO_LINGER",
       .run = &LingerWaits},
      {.id = "kernel.ending.linger.interrupted",
       .requirement =
           "A signal must end a close that waits, which still succeeds.",
       .source = "measured on Linux 6.18",
       .run = &LingerInterrupted},
      {.id = "kernel.ending.linger.times_out",
       .requirement = "A close must succeed after SO_LINGER seconds, and the "
                      "rest be delivered all the same.",
       .source = "socket(7), SO_LINGER; measured on Linux 6.18",
       .run = &LingerTimesOut},
      {.id = "kernel.ending.linger.nonblocking",
       .requirement = "SO_LINGER must make close wait also with O_NONBLOCK.",
       .source = "measured on Linux 6.18",
       .run = &LingerNonblocking},
      {.id = "kernel.ending.linger2.beyond_a_minute",
       .requirement = "FIN_WAIT2 may last for twice what TCP_LINGER2 is beyond "
                      "a minute: 2 seconds if that is 61.",
       .source = "measured on Linux 6.18; tcp(7), TCP_LINGER2, says otherwise",
       .level = Level::kVariation,
       .needs = Need::kOwnNetwork,
       .run = &Linger2BeyondAMinute},
  };
  return cases;
}

}  // namespace net::conformance
