// The local address of a socket.

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/cases/connected.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

void OfListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalAddr());
  EXPECT_EQ(at.addr, c.Loopback());
  EXPECT_NE(at.port, 0);
  EXPECT_THAT(loopback::ConnectTo(c.sys(), at), IsOk());
}

void OfWildcardListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen(ip::Endpoint{c.Any(), 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalAddr());
  EXPECT_EQ(at.addr, c.Any());
  EXPECT_NE(at.port, 0);
}

void OfConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint seen, end.peer.PeerEndpoint());
  EXPECT_THAT(end.sock.LocalAddr(), IsOkAndHolds(seen));
}

void OfAccepted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, AcceptPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint reached, end.peer.PeerEndpoint());
  EXPECT_THAT(end.sock.LocalAddr(), IsOkAndHolds(reached));
}

void OfAcceptedByWildcard(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen(ip::Endpoint{c.Any(), 0}));
  ASSERT_OK_AND_ASSIGN(ip::Endpoint at, listener.LocalEndpoint());
  at.addr = c.Loopback();
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket client,
                       loopback::ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
  EXPECT_THAT(server.LocalAddr(), IsOkAndHolds(at));
}

void AfterPeersEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, end.peer.PeerEndpoint());
  ASSERT_THAT(end.peer.Close(), IsOk());
  ASSERT_THAT(end.sock.RecvUntilEnd(), IsOkAndHolds(""));
  EXPECT_THAT(end.sock.LocalAddr(), IsOkAndHolds(at));
}

void OfConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::FullQueue queue,
                       loopback::FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock client,
                       c.Connect(queue.endpoint(), {.nonblock = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, client.LocalAddr());
  EXPECT_EQ(at.addr, c.Loopback());
  EXPECT_NE(at.port, 0);
}

void OfUnbound(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::RawSocket fresh,
                       loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock unbound, AdoptRaw(c, std::move(fresh)));
  EXPECT_THAT(unbound.LocalAddr(), IsOkAndHolds(ip::Endpoint{c.Any(), 0}));
}

void OfClosedDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::RawSocket fresh,
                       loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock adopted, AdoptClosed(c, std::move(fresh)));
  EXPECT_THAT(adopted.LocalAddr(), Fails(EBADF));
  // This case does not check the result of the second close.
  static_cast<void>(adopted.Close());
}

void OfPipe(Context& c) {
  const std::optional<Sock> adopted = AdoptPipe(c);
  if (!adopted.has_value()) return;
  EXPECT_THAT(adopted->LocalAddr(), Fails(ENOTSOCK));
}

}  // namespace

const std::vector<Case>& LocaladdrCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "localaddr.listener",
       .requirement =
           "The local address of a listener must be the address that was "
           "given, and its port one that accepts connections.",
       .source = "getsockname(2) DESCRIPTION; ip(7) Address format",
       .run = &OfListener},
      {.id = "localaddr.listener.wildcard",
       .requirement = "The local address of a listener on the wildcard address "
                      "must be the wildcard address.",
       .source = "getsockname(2) DESCRIPTION; ip(7) Address format",
       .run = &OfWildcardListener},
      {.id = "localaddr.connected",
       .requirement = "The local address of a connected socket must be the "
                      "address that its peer sees.",
       .source = "getsockname(2) DESCRIPTION",
       .run = &OfConnected},
      {.id = "localaddr.accepted",
       .requirement = "The local address of an accepted socket must be the "
                      "address that the client connected to.",
       .source = "getsockname(2) DESCRIPTION",
       .run = &OfAccepted},
      {.id = "localaddr.accepted.by_wildcard",
       .requirement =
           "The local address of a socket accepted by a wildcard listener must "
           "be the address that the client connected to, not the wildcard.",
       .source = "getsockname(2) DESCRIPTION; ip(7) Address format",
       .run = &OfAcceptedByWildcard},
      {.id = "localaddr.after_peers_end",
       .requirement = "The local address must stay the same when the peer has "
                      "closed the connection.",
       .source = "getsockname(2) DESCRIPTION",
       .run = &AfterPeersEnd},
      {.id = "localaddr.connecting",
       .requirement = "The local address and port must be known while an "
                      "attempt to connect is in progress.",
       .source = "connect(2) EINPROGRESS; ip(7) Address format",
       .run = &OfConnecting},
      {.id = "localaddr.unbound",
       .requirement = "The local address of a socket that is not bound must be "
                      "the wildcard address and port 0.",
       .source = "getsockname(2) DESCRIPTION; ip(7) Address format",
       .run = &OfUnbound},
      {.id = "localaddr.closed_descriptor",
       .requirement = "LocalAddr on a closed descriptor must fail with EBADF.",
       .source = "getsockname(2) EBADF",
       .families = AddressFamilies::kV4,
       .run = &OfClosedDescriptor},
      {.id = "localaddr.not_a_socket",
       .requirement = "LocalAddr on a descriptor that is not a socket must "
                      "fail with ENOTSOCK.",
       .source = "getsockname(2) ENOTSOCK",
       .families = AddressFamilies::kV4,
       .run = &OfPipe},
  };
  return cases;
}

}  // namespace net::conformance
