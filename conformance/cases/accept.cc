// Accept: which connection it returns, and the state of the accepted socket.

#include <sys/socket.h>

#include <optional>
#include <utility>
#include <vector>

#include "conformance/cases/helpers.h"
#include "conformance/cases/pending.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::RawSocket;
using loopback::RecvExactly;
using testing::Eq;

void QueuedAtOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_THAT(server.SendAll("hello"), IsOk());
  EXPECT_THAT(RecvExactly(client, 5), IsOkAndHolds(Eq("hello")));
}

void BlocksUntilConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  Pending<Sock> accepting(c, [&] { return listener.Accept(); });
  ASSERT_TRUE(accepting.AwaitBlocked())
      << "Accept returned without a connection";
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, accepting.Join());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
  EXPECT_THAT(server.PeerAddr(), IsOkAndHolds(std::optional(origin)));
}

void InOrder(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  std::vector<RawSocket> clients;
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
    clients.push_back(std::move(client));
  }
  for (const RawSocket& client : clients) {
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
    ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
    EXPECT_THAT(server.PeerAddr(), IsOkAndHolds(std::optional(origin)));
  }
}

void LocalAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  EXPECT_THAT(server.LocalAddr(), IsOkAndHolds(at));
}

void LocalAddressOfAny(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({c.Any(), 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  const ip::Endpoint called{c.Loopback(), at.port};
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), called));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  EXPECT_THAT(server.LocalAddr(), IsOkAndHolds(called));
}

void LocalAddressMapped(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({ip::kAnyV6, 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), {ip::kLocalV4, at.port}));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, server.LocalAddr());
  ExpectMapped(c, local, {ip::kLocalV4.Mapped(), at.port});
}

void ClosingOneLeavesTheOthers(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket one, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const RawSocket two, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(Sock server_of_one, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const Sock server_of_two, listener.Accept());
  ASSERT_THAT(server_of_one.Close(), IsOk());
  ASSERT_THAT(server_of_two.SendAll("x"), IsOk());
  EXPECT_THAT(RecvExactly(two, 1), IsOkAndHolds(Eq("x")));
  ASSERT_OK_AND_ASSIGN(const RawSocket three, ConnectTo(c.sys(), at));
  EXPECT_THAT(listener.Accept(), IsOk());
}

// The value of an option on a listener, and on a socket that it accepted.
struct Inheritance {
  int of_listener;
  int of_accepted;
};

// Reads an option of SOL_SOCKET from both. Returns nullopt after a failed
// assertion.
std::optional<Inheritance> Inherit(Context& c, const ListenOptions& options,
                                   int name) {
  std::optional<Inheritance> seen;
  const auto look = [&] {
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen(options));
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
    ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
    ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
    ASSERT_OK_AND_ASSIGN(const Witness listening, listener.Inspect());
    ASSERT_OK_AND_ASSIGN(const Witness accepted, server.Inspect());
    ASSERT_OK_AND_ASSIGN(const int of_listener,
                         listening.Option(SOL_SOCKET, name));
    ASSERT_OK_AND_ASSIGN(const int of_accepted,
                         accepted.Option(SOL_SOCKET, name));
    seen = Inheritance{of_listener, of_accepted};
  };
  look();
  return seen;
}

void InheritsKeepAlive(Context& c) {
  const auto seen = Inherit(c, {.keepalive = true}, SO_KEEPALIVE);
  if (!seen.has_value()) return;
  EXPECT_NE(seen->of_listener, 0);
  EXPECT_NE(seen->of_accepted, 0);
}

void NoKeepAliveByItself(Context& c) {
  const auto seen = Inherit(c, {}, SO_KEEPALIVE);
  if (!seen.has_value()) return;
  if (seen->of_accepted != 0) c.Variation("keepalive_by_default");
}

// For options that accepted sockets inherit on Linux.
void ExpectInherited(Context& c, const ListenOptions& options, int name) {
  const auto seen = Inherit(c, options, name);
  if (!seen.has_value()) return;
  EXPECT_NE(seen->of_listener, 0);
  if (seen->of_accepted == 0) c.Variation("not_inherited");
}

void InheritsReuseAddr(Context& c) {
  ExpectInherited(c, {.reuseaddr = true}, SO_REUSEADDR);
}

void InheritsReusePort(Context& c) {
  ExpectInherited(c, {.reuseport = true}, SO_REUSEPORT);
}

}  // namespace

const std::vector<Case>& AcceptCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "accept.takes_what_is_queued",
       .requirement = "Accept must return a connection that was established "
                      "before the call.",
       .source = "accept(2), DESCRIPTION",
       .run = &QueuedAtOnce},
      {.id = "accept.waits_for_a_connection",
       .requirement = "Accept must block while the accept queue is empty, and "
                      "return the next connection that arrives.",
       .source = "accept(2), DESCRIPTION",
       .run = &BlocksUntilConnected},
      {.id = "accept.in_order",
       .requirement = "Accept must return connections in the order in which "
                      "they were established.",
       .source = "accept(2), DESCRIPTION (the first of the queue)",
       .run = &InOrder},
      {.id = "accept.local_address",
       .requirement = "The local address of an accepted socket must be the "
                      "listener's, port included.",
       .source = "accept(2), DESCRIPTION; getsockname(2)",
       .run = &LocalAddress},
      {.id = "accept.local_address.of_any",
       .requirement =
           "The local address of a socket accepted by a wildcard listener must "
           "be the address that the client connected to.",
       .source = "RFC 9293, section 3.9.1.1; ip(7), Address format",
       .run = &LocalAddressOfAny},
      {.id = "accept.local_address.mapped",
       .requirement = "The local address of an IPv4 connection to an IPv6 "
                      "listener must be v4-mapped.",
       .source = "ipv6(7), DESCRIPTION; RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .run = &LocalAddressMapped},
      {.id = "accept.apart_from_each_other",
       .requirement = "Closing one accepted socket must affect neither the "
                      "other accepted sockets nor the listener.",
       .source = "accept(2), DESCRIPTION; close(2)",
       .run = &ClosingOneLeavesTheOthers},
      {.id = "accept.inherits.keepalive",
       .requirement = "Sockets accepted by a listener with keep-alive must "
                      "have SO_KEEPALIVE set.",
       .source = "contract: keepalive on a listener",
       .run = &InheritsKeepAlive},
      {.id = "accept.inherits.no_keepalive",
       .requirement = "Sockets accepted by a listener without keep-alive must "
                      "not have SO_KEEPALIVE set.",
       .source = "contract: keepalive on a listener; RFC 9293, section 3.8.4 "
                 "(MUST-25)",
       .run = &NoKeepAliveByItself},
      {.id = "accept.inherits.reuseaddr",
       .requirement = "Accepted sockets should inherit SO_REUSEADDR.",
       .source = "Linux; socket(7), SO_REUSEADDR",
       .level = Level::kVariation,
       .run = &InheritsReuseAddr},
      {.id = "accept.inherits.reuseport",
       .requirement = "Accepted sockets should inherit SO_REUSEPORT.",
       .source = "Linux; socket(7), SO_REUSEPORT",
       .level = Level::kVariation,
       .run = &InheritsReusePort},
  };
  return cases;
}

}  // namespace net::conformance
