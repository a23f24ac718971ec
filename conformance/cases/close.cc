// The effects of Close on the descriptor, on the peer and on other sockets.

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
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

namespace net::conformance {
namespace {

using ::testing::Gt;

// Calls recv(2) of the peer once.
SysResult PeerRecv(const loopback::RawSocket& peer) {
  std::array<char, 256> buffer;
  return peer.Recv(absl::MakeSpan(buffer));
}

void DescriptorIsGone(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Witness listening, listener.Inspect());
  ASSERT_OK_AND_ASSIGN(Connected one, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const Witness connected, one.sock.Inspect());
  ASSERT_OK_AND_ASSIGN(Connected other, AcceptPeer(c));
  ASSERT_OK_AND_ASSIGN(const Witness accepted, other.sock.Inspect());
  ASSERT_THAT(listener.Close(), IsOk());
  EXPECT_THAT(listening.CloseOnExec(), IsErrno(EBADF));
  ASSERT_THAT(one.sock.Close(), IsOk());
  EXPECT_THAT(connected.CloseOnExec(), IsErrno(EBADF));
  ASSERT_THAT(other.sock.Close(), IsOk());
  EXPECT_THAT(accepted.CloseOnExec(), IsErrno(EBADF));
}

void GivesPeerTheEnd(Context& c) {
  for (const bool accepted : {false, true}) {
    SCOPED_TRACE(accepted ? "accepted" : "connected");
    ASSERT_OK_AND_ASSIGN(Connected end,
                         accepted ? AcceptPeer(c) : ConnectToPeer(c));
    ASSERT_THAT(end.sock.Close(), IsOk());
    EXPECT_THAT(PeerRecv(end.peer), IsOkAndHolds(0));
  }
}

void DeliversWhatWasSent(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, AcceptPeer(c, {.nonblock = true},
                                                 {.receive_buffer = 65536}));
  const std::string chunk(65536, '#');
  size_t total = 0;
  while (true) {
    const Result<size_t> sent = end.sock.Send(chunk);
    if (!sent.ok()) {
      ASSERT_THAT(sent, Fails(EAGAIN));
      break;
    }
    ASSERT_THAT(*sent, Gt(0U));
    total += *sent;
  }
  ASSERT_THAT(total, Gt(0U));
  ASSERT_THAT(end.sock.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string received,
                       loopback::RecvUntilEof(end.peer));
  EXPECT_EQ(received.size(), total);
}

void UnreadDataResets(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(loopback::SendAll(end.peer, "unread"), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  ASSERT_THAT(end.sock.Close(), IsOk());
  EXPECT_THAT(PeerRecv(end.peer), IsErrno(ECONNRESET));
}

void LeavesTheOthers(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(Connected first, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(Connected second, ConnectToPeer(c));
  ASSERT_THAT(first.sock.Close(), IsOk());
  ASSERT_THAT(second.sock.SendAll("alive"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(second.peer, 5), IsOkAndHolds("alive"));
  EXPECT_THAT(loopback::ConnectTo(c.sys(), at), IsOk());
  EXPECT_THAT(listener.Accept(), IsOk());
}

}  // namespace

const std::vector<Case>& CloseCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "close.descriptor_is_gone",
       .requirement = "Close must close the descriptor of a listener, of a "
                      "connected and of an accepted socket.",
       .source = "contract: Close; close(2) DESCRIPTION",
       .run = &DescriptorIsGone},
      {.id = "close.gives_peer_the_end",
       .requirement = "Close must end the peer's stream with a FIN if no data "
                      "is left unread.",
       .source = "RFC 9293 section 3.6; close(2) DESCRIPTION",
       .run = &GivesPeerTheEnd},
      {.id = "close.delivers_what_was_sent",
       .requirement = "Data that was sent before Close must still be "
                      "delivered, even if the peer had no room for it yet.",
       .source = "socket(7) SO_LINGER; RFC 9293 section 3.6",
       .run = &DeliversWhatWasSent},
      {.id = "close.unread_data_resets",
       .requirement = "Closing a socket with unread data should reset the "
                      "connection.",
       .source = "RFC 1122 section 4.2.2.13; RFC 2525 section 2.17",
       .level = Level::kShould,
       .run = &UnreadDataResets},
      {.id = "close.leaves_the_others",
       .requirement = "Closing one socket must not affect other sockets.",
       .source = "close(2) DESCRIPTION",
       .run = &LeavesTheOthers},
  };
  return cases;
}

}  // namespace net::conformance
