// The end of a stream: by a FIN, by a reset, or by Shutdown.

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "conformance/cases/connected.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"

namespace net::conformance {
namespace {

// Calls recv(2) of the peer once.
SysResult PeerRecv(const loopback::RawSocket& peer) {
  std::array<char, 256> buffer;
  return peer.Recv(absl::MakeSpan(buffer));
}

// Resets the connection from the peer, and waits until this end has received
// the reset.
void ResetByPeer(Context& c, Connected& end) {
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
}

void EndStays(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.peer.Close(), IsOk());
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
  }
}

void DataBeforeEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(loopback::SendAll(end.peer, "the last of it"), IsOk());
  ASSERT_THAT(end.peer.Close(), IsOk());
  EXPECT_THAT(RecvOnce(end.sock, /*room=*/8), IsOkAndHolds("the last"));
  EXPECT_THAT(RecvOnce(end.sock, /*room=*/8), IsOkAndHolds(" of it"));
  EXPECT_THAT(RecvOnce(end.sock, /*room=*/8), IsOkAndHolds(""));
}

void PeerHalfCloses(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.peer.HalfClose(), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
  ASSERT_THAT(end.sock.SendAll("still here"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(end.peer, 10), IsOkAndHolds("still here"));
}

void OwnHalfClose(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.SendAll("done"), IsOk());
  ASSERT_THAT(end.sock.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(end.peer), IsOkAndHolds("done"));
  ASSERT_THAT(loopback::SendAll(end.peer, "an answer"), IsOk());
  EXPECT_THAT(end.sock.RecvExactly(9), IsOkAndHolds("an answer"));
}

void SendAfterOwnHalfClose(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
}

void ShutdownBoth(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.Shutdown(SHUT_RDWR), IsOk());
  EXPECT_THAT(PeerRecv(end.peer), IsOkAndHolds(0));
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
}

void ShutdownOfReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
  // TCP has no message for this, and the other direction stays open.
  ASSERT_THAT(end.sock.SendAll("one way"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(end.peer, 7), IsOkAndHolds("one way"));
}

void DataBeforeShutdownOfReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(loopback::SendAll(end.peer, "before"), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  ASSERT_THAT(end.sock.Shutdown(SHUT_RD), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string received, RecvOnce(end.sock));
  if (received.empty()) return c.Variation("queued_data_is_discarded");
  EXPECT_EQ(received, "before");
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
}

void DataAfterShutdownOfReading(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.Shutdown(SHUT_RD), IsOk());
  ASSERT_THAT(loopback::SendAll(end.peer, "late"), IsOk());
  const Result<std::string> received = RecvOnce(end.sock);
  if (!received.ok()) {
    ASSERT_THAT(received, Fails(ECONNRESET));
    return c.Variation("late_data_is_reset");
  }
  if (received->empty()) return c.Variation("late_data_is_discarded");
  EXPECT_EQ(*received, "late");
}

void ShutdownUnconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::RawSocket fresh,
                       loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock unconnected, AdoptRaw(c, std::move(fresh)));
  for (const int how : {SHUT_RD, SHUT_WR, SHUT_RDWR}) {
    EXPECT_THAT(unconnected.Shutdown(how), Fails(ENOTCONN)) << "how " << how;
  }
}

void ShutdownAfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_NO_FATAL_FAILURE(ResetByPeer(c, end));
  EXPECT_THAT(end.sock.Shutdown(SHUT_RDWR), Fails(ENOTCONN));
}

void ShutdownBadHow(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  for (const int how : {3, -1}) {
    EXPECT_THAT(end.sock.Shutdown(how), Fails(EINVAL)) << "how " << how;
  }
  // Both directions are still open.
  ASSERT_THAT(end.sock.SendAll("x"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(end.peer, 1), IsOkAndHolds("x"));
}

void ResetIsToldOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.SendAll("never read"), IsOk());
  ASSERT_THAT(loopback::CloseWithUnreadData(end.peer), IsOk());
  EXPECT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
}

void ResetToldBySend(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_NO_FATAL_FAILURE(ResetByPeer(c, end));
  EXPECT_THAT(end.sock.Send("x"), Fails(ECONNRESET));
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
}

void SendAfterResetWasReceived(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
}

void ResetTakenAsPendingError(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  EXPECT_THAT(end.sock.PendingError(), IsOk());
  ASSERT_NO_FATAL_FAILURE(ResetByPeer(c, end));
  EXPECT_THAT(end.sock.PendingError(), Fails(ECONNRESET));
  EXPECT_THAT(end.sock.PendingError(), IsOk());
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
}

void DataBeforeReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(loopback::SendAll(end.peer, "overtaken"), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLHUP), IsOk());
  const Result<std::string> first = RecvOnce(end.sock);
  if (!first.ok()) {
    ASSERT_THAT(first, Fails(ECONNRESET));
    return c.Variation("reset_discards_received_data");
  }
  EXPECT_EQ(*first, "overtaken");
  EXPECT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
}

void SendToClosedPeer(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.peer.Close(), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
  // The peer replies to this data with a reset, because it has closed.
  EXPECT_THAT(end.sock.Send("anybody?"), IsOkAndHolds(8U));
  ASSERT_THAT(WaitFor(c, end.sock, POLLHUP), IsOk());
  EXPECT_THAT(end.sock.Send("anybody?"), Fails(EPIPE));
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
}

// In the runner SIGPIPE kills the process, which makes the outcome `crash`.
void NoSigpipe(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, AcceptPeer(c));
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
  const Result<size_t> nothing = end.sock.Send("");
  if (testing::Value(nothing, IsOkAndHolds(0U))) {
    c.Variation("sending_nothing_does_nothing");
  } else {
    EXPECT_THAT(nothing, Fails(EPIPE));
  }
  EXPECT_THAT(end.sock.Send("more"), Fails(EPIPE));
}

void SendNeverConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::RawSocket fresh,
                       loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock unconnected, AdoptRaw(c, std::move(fresh)));
  const Result<size_t> sent = unconnected.Send("x");
  ASSERT_THAT(sent, ::testing::AnyOf(Fails(EPIPE), Fails(ENOTCONN)));
  if (KindOf(sent) == ErrorKind::kNotConnected) c.Variation("enotconn");
}

void RecvNeverConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::RawSocket fresh,
                       loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock unconnected, AdoptRaw(c, std::move(fresh)));
  EXPECT_THAT(RecvOnce(unconnected), Fails(ENOTCONN));
}

void RecvOfListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  EXPECT_THAT(RecvOnce(listener), Fails(ENOTCONN));
}

void OnClosedDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::Pair pair,
                       loopback::ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock adopted, AdoptClosed(c, std::move(pair.client)));
  EXPECT_THAT(adopted.Send("x"), Fails(EBADF));
  EXPECT_THAT(RecvOnce(adopted), Fails(EBADF));
  EXPECT_THAT(adopted.Shutdown(SHUT_RDWR), Fails(EBADF));
  EXPECT_THAT(adopted.PendingError(), Fails(EBADF));
  EXPECT_THAT(adopted.Close(), Fails(EBADF));
}

void OnPipe(Context& c) {
  const std::optional<Sock> adopted = AdoptPipe(c);
  if (!adopted.has_value()) return;
  EXPECT_THAT(adopted->Send("x"), Fails(ENOTSOCK));
  EXPECT_THAT(RecvOnce(*adopted), Fails(ENOTSOCK));
  EXPECT_THAT(adopted->Shutdown(SHUT_RDWR), Fails(ENOTSOCK));
  EXPECT_THAT(adopted->PendingError(), Fails(ENOTSOCK));
}

std::vector<Case> OrderlyEnds() {
  return {
      {.id = "data.end.stays",
       .requirement =
           "Recv must return 0 every time after the peer has ended its stream.",
       .source = "recv(2) RETURN VALUE",
       .run = &EndStays},
      {.id = "data.end.after_data",
       .requirement = "All data that the peer sent before it ended its stream "
                      "must be received before Recv returns 0.",
       .source = "recv(2) RETURN VALUE; RFC 9293 section 3.6",
       .run = &DataBeforeEnd},
      {.id = "data.half_close.by_peer",
       .requirement = "A peer that has shut down its sending direction must "
                      "still receive data.",
       .source = "RFC 9293 section 3.6; shutdown(2) DESCRIPTION",
       .run = &PeerHalfCloses},
      {.id = "data.half_close.own",
       .requirement = "Shutting down the sending direction must end the peer's "
                      "stream, and leave the receiving direction open.",
       .source = "shutdown(2) DESCRIPTION; RFC 9293 section 3.6",
       .run = &OwnHalfClose},
      {.id = "data.half_close.send_after",
       .requirement = "Send must fail with EPIPE after the sending direction "
                      "was shut down.",
       .source = "contract: Send, Recv; send(2) EPIPE",
       .run = &SendAfterOwnHalfClose},
      {.id = "data.shutdown.both",
       .requirement =
           "Shutting down both directions must end the peer's stream; "
           "afterwards Send must fail with EPIPE and Recv return 0.",
       .source = "shutdown(2) DESCRIPTION",
       .run = &ShutdownBoth},
      {.id = "data.shutdown.reading",
       .requirement = "After the receiving direction was shut down, Recv must "
                      "return 0 at once, and the sending direction stay open.",
       .source = "shutdown(2) DESCRIPTION",
       .run = &ShutdownOfReading},
      {.id = "data.shutdown.reading.data_before",
       .requirement = "Data that was unread when the receiving direction was "
                      "shut down may be received (Linux) or lost.",
       .source = "shutdown(2) DESCRIPTION",
       .level = Level::kVariation,
       .run = &DataBeforeShutdownOfReading},
      {.id = "data.shutdown.reading.data_after",
       .requirement =
           "Data that arrives after the receiving direction was shut down may "
           "be received (Linux), lost, or cause a reset.",
       .source = "shutdown(2) DESCRIPTION",
       .level = Level::kVariation,
       .run = &DataAfterShutdownOfReading},
      {.id = "data.shutdown.unconnected",
       .requirement = "Shutdown on a socket that is not connected must fail "
                      "with ENOTCONN.",
       .source = "shutdown(2) ENOTCONN",
       .run = &ShutdownUnconnected},
      {.id = "data.shutdown.after_reset",
       .requirement =
           "Shutdown on a connection that was reset must fail with ENOTCONN.",
       .source = "shutdown(2) ENOTCONN",
       .run = &ShutdownAfterReset},
      {.id = "data.shutdown.bad_how",
       .requirement = "Shutdown with an unknown `how` must fail with EINVAL "
                      "and have no effect.",
       .source = "shutdown(2) EINVAL",
       .run = &ShutdownBadHow},
  };
}

std::vector<Case> Resets() {
  return {
      {.id = "data.reset.told_once",
       .requirement = "When the peer closes with unread data, exactly one Recv "
                      "must fail with ECONNRESET, and the next return 0.",
       .source = "RFC 2525 section 2.17; RFC 9293 section 3.10.7.4",
       .run = &ResetIsToldOnce},
      {.id = "data.reset.told_by_send",
       .requirement = "After a reset, the first Send must fail with "
                      "ECONNRESET, and every further one with EPIPE.",
       .source = "send(2) ECONNRESET, EPIPE",
       .run = &ResetToldBySend},
      {.id = "data.reset.send_after_recv",
       .requirement =
           "Send must fail with EPIPE after Recv has failed with ECONNRESET.",
       .source = "send(2) EPIPE",
       .run = &SendAfterResetWasReceived},
      {.id = "data.reset.pending_error",
       .requirement =
           "After a reset the pending error must be ECONNRESET once, and Recv "
           "must not fail with ECONNRESET afterwards.",
       .source = "socket(7) SO_ERROR",
       .run = &ResetTakenAsPendingError},
      {.id = "data.reset.after_data",
       .requirement = "Data that arrived before a reset may be received before "
                      "Recv fails with ECONNRESET (Linux), or lost.",
       .source = "RFC 9293 section 3.10.7.4",
       .level = Level::kVariation,
       .run = &DataBeforeReset},
      {.id = "data.send.to_closed_peer",
       .requirement =
           "The first Send to a peer that has closed must succeed; once the "
           "peer has replied with a reset, the next must fail with EPIPE.",
       .source = "send(2) EPIPE; RFC 9293 section 3.10.7.1",
       .run = &SendToClosedPeer},
      {.id = "data.no_sigpipe",
       .requirement = "Send on a broken connection must fail with EPIPE and "
                      "must not raise SIGPIPE; sending zero bytes may succeed.",
       .source = "contract: Send, Recv; send(2) MSG_NOSIGNAL",
       .run = &NoSigpipe},
      {.id = "data.send.never_connected",
       .requirement = "Send on a socket that never connected must fail; the "
                      "errno may be EPIPE (Linux) or ENOTCONN (POSIX).",
       .source = "send(2) ENOTCONN, EPIPE",
       .level = Level::kVariation,
       .run = &SendNeverConnected},
      {.id = "data.recv.never_connected",
       .requirement = "Recv on a socket that never connected must fail with "
                      "ENOTCONN.",
       .source = "recv(2) ENOTCONN",
       .run = &RecvNeverConnected},
      {.id = "data.recv.listener",
       .requirement = "Recv on a listener must fail with ENOTCONN.",
       .source = "recv(2) ENOTCONN",
       .run = &RecvOfListener},
      {.id = "data.closed_descriptor",
       .requirement =
           "Every operation on a closed descriptor must fail with EBADF.",
       .source = "send(2) EBADF; recv(2) EBADF; shutdown(2) EBADF; close(2) "
                 "EBADF",
       .run = &OnClosedDescriptor},
      {.id = "data.not_a_socket",
       .requirement = "Send, Recv and Shutdown on a descriptor that is not a "
                      "socket must fail with ENOTSOCK.",
       .source = "send(2) ENOTSOCK; recv(2) ENOTSOCK; shutdown(2) ENOTSOCK",
       .families = AddressFamilies::kV4,
       .run = &OnPipe},
  };
}

}  // namespace

const std::vector<Case>& DataEndingCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(OrderlyEnds());
    const std::vector<Case> resets = Resets();
    all->insert(all->end(), resets.begin(), resets.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
