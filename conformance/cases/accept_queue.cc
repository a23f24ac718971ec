// Connections in the accept queue: closed, reset, or shut down with the
// listener.

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "conformance/cases/connected.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::RawSocket;
using testing::Eq;

void StayUntilAccepted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.backlog = 5}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
  std::vector<RawSocket> clients;
  for (uint32_t queued = 1; queued <= 5; ++queued) {
    ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
    clients.push_back(std::move(client));
    ASSERT_OK_AND_ASSIGN(const Witness::TcpInfo info, witness.Info());
    EXPECT_EQ(info.queued, queued);
  }
  for (uint32_t left = 5; left-- > 0;) {
    ASSERT_THAT(listener.Accept(), IsOk());
    ASSERT_OK_AND_ASSIGN(const Witness::TcpInfo info, witness.Info());
    EXPECT_EQ(info.queued, left);
  }
}

void ClosedBeforeAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
  ASSERT_THAT(client.Send("last words"), IsOk());
  ASSERT_THAT(client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  EXPECT_THAT(server.PeerAddr(), IsOkAndHolds(std::optional(origin)));
  EXPECT_THAT(server.RecvUntilEnd(), IsOkAndHolds(Eq("last words")));
}

// Accepts a connection that was reset in the accept queue, and passes it and
// its client's endpoint to `look`. Some kernels remove such a connection from
// the queue: then sets the variation "reset_connection_is_dropped".
template <typename F>
void AcceptReset(Context& c, F&& look) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
  ASSERT_THAT(WaitFor(c, listener, POLLIN), IsOk());
  ASSERT_THAT(client.Reset(), IsOk());
  const Result<Sock> server = listener.Accept();
  if (testing::Value(server, Fails(EAGAIN))) {
    c.Variation("reset_connection_is_dropped");
    return;
  }
  ASSERT_THAT(server, IsOk());
  look(*server, origin);
}

void ResetBeforeAccept(Context& c) {
  AcceptReset(c, [](const Sock& server, const ip::Endpoint&) {
    EXPECT_THAT(server.PendingError(), Fails(ECONNRESET));
  });
}

void ResetToldByRecv(Context& c) {
  AcceptReset(c, [](const Sock& server, const ip::Endpoint&) {
    std::array<char, 1> buffer;
    EXPECT_THAT(server.Recv(absl::MakeSpan(buffer)), Fails(ECONNRESET));
    EXPECT_THAT(server.Recv(absl::MakeSpan(buffer)), IsOkAndHolds(Eq(0U)));
  });
}

void ResetHasNoPeer(Context& c) {
  AcceptReset(c, [&](const Sock& server, const ip::Endpoint& origin) {
    ASSERT_OK_AND_ASSIGN(const auto peer, server.PeerAddr());
    if (peer.has_value()) {
      EXPECT_EQ(peer, origin);
      c.Variation("remembered");
    }
  });
}

void NextAfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(RawSocket gone, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint gone_origin, gone.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
  ASSERT_THAT(gone.Reset(), IsOk());
  ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(std::optional<ip::Endpoint> peer, server.PeerAddr());
  if (!peer.has_value() || peer == gone_origin) {
    // This is the connection that was reset.
    ASSERT_OK_AND_ASSIGN(server, listener.Accept());
    ASSERT_OK_AND_ASSIGN(peer, server.PeerAddr());
  }
  EXPECT_EQ(peer, origin);
}

void ShutdownResets(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(client), IsErrno(ECONNRESET));
}

}  // namespace

const std::vector<Case>& AcceptQueueCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "accept.queue.stays_until_accepted",
       .requirement = "Each connection must stay in the accept queue until it "
                      "is accepted, and each Accept must take one.",
       .source = "listen(2), DESCRIPTION; accept(2), DESCRIPTION",
       .run = &StayUntilAccepted},
      {.id = "accept.queue.closed_before_accept",
       .requirement = "A connection that its client closed while it was queued "
                      "must still be accepted, with its peer address, its data "
                      "and the end of its stream.",
       .source = "accept(2), DESCRIPTION; RFC 9293, section 3.6",
       .run = &ClosedBeforeAccept},
      {.id = "accept.queue.reset_before_accept",
       .requirement = "A connection that was reset while queued should be "
                      "accepted, with the reset as its pending error.",
       .source = "Linux; accept(2), ECONNABORTED",
       .level = Level::kVariation,
       .run = &ResetBeforeAccept},
      {.id = "accept.queue.reset_before_accept.told_by_recv",
       .requirement =
           "On a connection that was reset while queued, the first Recv should "
           "fail with ECONNRESET, and the second return 0.",
       .source = "Linux; accept(2), ECONNABORTED; tcp(7), Error handling",
       .level = Level::kVariation,
       .run = &ResetToldByRecv},
      {.id = "accept.queue.reset_before_accept.no_peer",
       .requirement = "A connection that was reset while queued should have no "
                      "peer address.",
       .source = "contract: tcp::PeerAddr; getpeername(2), ENOTCONN",
       .level = Level::kVariation,
       .run = &ResetHasNoPeer},
      {.id = "accept.queue.next_after_reset",
       .requirement = "A connection that was reset while queued must not "
                      "prevent the next one from being accepted.",
       .source = "contract: Accept; accept(2), ECONNABORTED",
       .run = &NextAfterReset},
      {.id = "accept.queue.reset_by_shutdown",
       .requirement = "Shutting down a listener must reset the connections "
                      "that are still queued.",
       .source = "Linux; shutdown(2)",
       .run = &ShutdownResets},
  };
  return cases;
}

}  // namespace net::conformance
