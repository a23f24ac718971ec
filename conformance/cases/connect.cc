// A blocking Connect: which listener it reaches, and the state on return.

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/cases/helpers.h"
#include "conformance/cases/pending.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::ListenOn;
using loopback::RawSocket;
using loopback::RecvExactly;
using testing::AnyOf;
using testing::Eq;
using testing::Ne;
using testing::UnorderedElementsAreArray;
using testing::Value;

void EstablishedBeforeAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const Witness witness, client.Inspect());
  ASSERT_OK_AND_ASSIGN(const Witness::TcpInfo info, witness.Info());
  EXPECT_EQ(info.state, TCP_ESTABLISHED);
}

void ReachesTheListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(
      const Listener listener,
      ListenAnywhere(c.sys(), c.family(), {.nonblocking = true}));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  ASSERT_THAT(listener.socket().Wait(POLLIN), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(local));
  EXPECT_THAT(listener.Accept(), IsErrno(EAGAIN))
      << "a second connection arrived";
}

void DataBeforeAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(listener.endpoint()));
  ASSERT_THAT(client.SendAll("early"), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(RecvExactly(server, 5), IsOkAndHolds(Eq("early")));
}

void WaitsForRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::FullQueue queue,
                       loopback::FullQueue::Make(c.sys(), c.family()));
  Pending<Sock> connecting(
      c, [&c, at = queue.endpoint()] { return c.Connect(at); });
  ASSERT_TRUE(connecting.AwaitBlocked());
  ASSERT_THAT(queue.Drain(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock client, connecting.Join());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  EXPECT_THAT(queue.listener().AcceptFrom(local), IsOk());
}

Result<std::vector<Sock>> ConnectOften(Context& c, const ip::Endpoint& at) {
  std::vector<Sock> clients;
  for (int i = 0; i < 20; ++i) {
    Result<Sock> client = c.Connect(at);
    if (!client.ok()) return client.As<std::vector<Sock>>();
    clients.push_back(*std::move(client));
  }
  return clients;
}

void FromSeveralThreads(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  const auto connect = [&] { return ConnectOften(c, listener.endpoint()); };
  Pending<std::vector<Sock>> one(c, connect);
  Pending<std::vector<Sock>> two(c, connect);
  ASSERT_OK_AND_ASSIGN(const std::vector<Sock> clients_of_one, one.Join());
  ASSERT_OK_AND_ASSIGN(const std::vector<Sock> clients_of_two, two.Join());
  std::vector<ip::Endpoint> local;
  std::vector<ip::Endpoint> arrived;
  for (const auto* clients : {&clients_of_one, &clients_of_two}) {
    for (const Sock& client : *clients) {
      ASSERT_OK_AND_ASSIGN(local.emplace_back(), client.LocalEndpoint());
      ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
      ASSERT_OK_AND_ASSIGN(arrived.emplace_back(), server.PeerEndpoint());
    }
  }
  EXPECT_THAT(arrived, UnorderedElementsAreArray(local));
}

// The limit of the machine, net.core.somaxconn, may be below 1,000.
void ThousandAtATime(Context& c) {
  constexpr int kConnections = 1000;
  c.env().SetSysctl("net.core.somaxconn", "1000");
  ASSERT_OK_AND_ASSIGN(
      const Listener listener,
      ListenAnywhere(c.sys(), c.family(), {.backlog = kConnections}));
  std::vector<Sock> clients;
  for (int i = 0; i < kConnections; ++i) {
    ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(listener.endpoint()));
    clients.push_back(std::move(client));
  }
  for (const Sock& client : clients) {
    ASSERT_OK_AND_ASSIGN(RawSocket server, listener.Accept());
    ASSERT_THAT(client.SendAll("x"), IsOk());
    ASSERT_THAT(loopback::RecvExactly(server, 1), IsOkAndHolds("x"));
    // A reset leaves no connection in TIME-WAIT.
    ASSERT_THAT(server.Reset(), IsOk());
  }
}

void LocalAddressIsKnown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalAddr());
  EXPECT_EQ(local.addr, c.Loopback());
  EXPECT_NE(local.port, 0);
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(local));
}

void LocalPortsDiffer(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock one, c.Connect(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const Sock two, c.Connect(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local_of_one, one.LocalEndpoint());
  EXPECT_THAT(two.LocalEndpoint(), IsOkAndHolds(Ne(local_of_one)));
}

void AnyAddressIsLoopback(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  const Result<Sock> client = c.Connect({c.Any(), listener.endpoint().port});
  if (Value(client, Fails(EADDRNOTAVAIL))) {
    c.Variation("any_address_is_no_destination");
    return;
  }
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(client->PeerAddr(),
              IsOkAndHolds(std::optional(listener.endpoint())));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client->LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(local));
}

void OtherLoopbackAddress(Context& c) {
  const ip::Addr other = ip::Addr::V4(127, 0, 0, 2);
  ASSERT_OK_AND_ASSIGN(const Listener listener, ListenOn(c.sys(), {other, 0}));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(server.LocalEndpoint(), IsOkAndHolds(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(local));
}

void OnlyTheAddressMeant(Context& c) {
  const ip::Addr other = ip::Addr::V4(127, 0, 0, 2);
  ASSERT_OK_AND_ASSIGN(const Listener there, ListenOn(c.sys(), {other, 4711}));
  EXPECT_THAT(c.Connect({c.Loopback(), 4711}), Fails(ECONNREFUSED));
  ASSERT_OK_AND_ASSIGN(const Listener here,
                       ListenOn(c.sys(), {c.Loopback(), 4711}));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(here.endpoint()));
  EXPECT_THAT(here.Accept(), IsOk());
  EXPECT_THAT(there.socket().Ready(POLLIN), IsOkAndHolds(Eq(0)));
}

// Returns the v4-mapped form of an IPv4 endpoint.
ip::Endpoint Mapped(const ip::Endpoint& endpoint) {
  return {endpoint.addr.Mapped(), endpoint.port};
}

void MappedReachesV4(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), AF_INET));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(Mapped(listener.endpoint())));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, server.PeerEndpoint());
  EXPECT_EQ(peer.addr, ip::kLocalV4);
  ASSERT_THAT(client.SendAll("mapped"), IsOk());
  EXPECT_THAT(RecvExactly(server, 6), IsOkAndHolds(Eq("mapped")));
}

void MappedLocalAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), AF_INET));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(Mapped(listener.endpoint())));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, server.PeerEndpoint());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalAddr());
  ExpectMapped(c, local, Mapped(peer));
}

void MappedRefused(Context& c) {
  ASSERT_OK_AND_ASSIGN(const auto refused,
                       loopback::RefusedPort::Reserve(c.sys(), AF_INET));
  // A listener on the same port of ::1 must not accept the connection.
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {ip::kLocalV6, refused.port()}));
  EXPECT_THAT(c.Connect(Mapped(refused.endpoint())), Fails(ECONNREFUSED));
}

// With only one ephemeral port, the system picks the port that is connected to.
void ToItself(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "40000 40000");
  const ip::Endpoint itself{c.Loopback(), 40000};
  const Result<Sock> client = c.Connect(itself);
  if (Value(client, AnyOf(Fails(ECONNREFUSED), Fails(EADDRNOTAVAIL)))) {
    c.Variation("no_connection_to_itself");
    return;
  }
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(client->LocalEndpoint(), IsOkAndHolds(itself));
  EXPECT_THAT(client->PeerAddr(), IsOkAndHolds(std::optional(itself)));
  ASSERT_THAT(client->SendAll("echo"), IsOk());
  EXPECT_THAT(client->RecvExactly(4), IsOkAndHolds(Eq("echo")));
}

}  // namespace

const std::vector<Case>& ConnectCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "connect.established.before_accept",
       .requirement = "Connect must return an established connection without "
                      "waiting until the listener accepts it.",
       .source = "connect(2), DESCRIPTION; RFC 9293, section 3.5",
       .run = &EstablishedBeforeAccept},
      {.id = "connect.established.exactly_once",
       .requirement =
           "Connect must make exactly one connection at the listener, and it "
           "must come from the client's local address.",
       .source = "connect(2), DESCRIPTION",
       .run = &ReachesTheListener},
      {.id = "connect.established.data_before_accept",
       .requirement = "Data that is sent before the connection is accepted "
                      "must be received once it is accepted.",
       .source = "RFC 9293, section 3.9.1.2",
       .run = &DataBeforeAccept},
      {.id = "connect.blocking.waits_for_room",
       .requirement = "Connect must block while the listener's accept queue is "
                      "full, and succeed once there is room.",
       .source = "connect(2), DESCRIPTION; listen(2), DESCRIPTION",
       .run = &WaitsForRoom},
      {.id = "connect.several_threads",
       .requirement = "Concurrent Connects in several threads must each make a "
                      "connection of their own.",
       .source = "connect(2); pthreads(7), Thread-safe functions",
       .run = &FromSeveralThreads},
      {.id = "connect.thousand_at_a_time",
       .requirement = "A thousand connections must be able to exist at the "
                      "same time, each with its own peer.",
       .source = "connect(2); listen(2), NOTES",
       .needs = Need::kOwnNetwork,
       .run = &ThousandAtATime},
      {.id = "connect.local_address.as_the_peer_sees_it",
       .requirement = "When Connect returns, the local address and port must "
                      "be known, and be the ones that the peer sees.",
       .source = "getsockname(2); ip(7), Address format",
       .run = &LocalAddressIsKnown},
      {.id = "connect.local_address.ports_differ",
       .requirement = "Two connections to one endpoint must have different "
                      "local ports.",
       .source = "RFC 9293, section 3.4.1",
       .run = &LocalPortsDiffer},
      {.id = "connect.address.any",
       .requirement =
           "Connect to the wildcard address should reach a listener on the "
           "loopback address, and have that as its peer address.",
       .source = "Linux (the route of INADDR_ANY); RFC 1122, section 3.2.1.3",
       .level = Level::kVariation,
       .run = &AnyAddressIsLoopback},
      {.id = "connect.address.other_loopback",
       .requirement = "Connect to any address in 127.0.0.0/8 must reach a "
                      "listener on that address.",
       .source =
           "RFC 1122, section 3.2.1.3; ip(7), Special and reserved addresses",
       .families = AddressFamilies::kV4,
       .run = &OtherLoopbackAddress},
      {.id = "connect.address.only_the_one_meant",
       .requirement = "Connect must reach only a listener on the given "
                      "address, not one on the same port of another address.",
       .source = "RFC 9293, section 3.9.1.1",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &OnlyTheAddressMeant},
      {.id = "connect.mapped.reaches_v4",
       .requirement = "Connect to ::ffff:127.0.0.1 must reach an IPv4 "
                      "listener, which must see an IPv4 peer.",
       .source = "ipv6(7), DESCRIPTION; RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .run = &MappedReachesV4},
      {.id = "connect.mapped.local_address",
       .requirement = "The local address of a connection to ::ffff:127.0.0.1 "
                      "must be v4-mapped.",
       .source = "RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .run = &MappedLocalAddress},
      {.id = "connect.mapped.refused",
       .requirement =
           "Connect to ::ffff:127.0.0.1 must fail with ECONNREFUSED if no IPv4 "
           "socket listens, even if a socket listens on ::1.",
       .source = "RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &MappedRefused},
      {.id = "connect.to_itself",
       .requirement = "Connect from a local port to the same address and port "
                      "should connect the socket to itself.",
       .source = "RFC 9293, section 3.5 (simultaneous open)",
       .level = Level::kVariation,
       .needs = Need::kOwnNetwork,
       .run = &ToItself},
  };
  return cases;
}

}  // namespace net::conformance
