// Ports of connections: open ones, those in FIN-WAIT-2 and TIME-WAIT, and those
// of the other address family.

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
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
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::RawSocket;

// ---- Connections ------------------------------------------------------------

// Connects a client that is bound with the options `holder`, and binds another
// socket with the options `second` to its port. Expects `error`, or success if
// it is 0.
void ExpectBesideClient(Context& c, const Sharing& holder,
                        const Sharing& second, int error) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       loopback::ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       BoundSharing(c, {c.Loopback(), 0}, holder));
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, client.LocalEndpoint());
  EXPECT_THAT(BoundSharing(c, at, second), ReturnsErrno(error));
}

// The same for a client whose port connect(2) picked.
void BesideImplicitClient(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Pair pair,
                       loopback::ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, pair.client.LocalEndpoint());
  EXPECT_THAT(BoundSharing(c, at, kPlain), IsErrno(EADDRINUSE));
}

// The same for the port of an accepted connection whose listener is closed.
void ExpectBesideAccepted(Context& c, const loopback::ListenConfig& holder,
                          const Sharing& second, int error) {
  ASSERT_OK_AND_ASSIGN(
      const loopback::Pair pair,
      loopback::ConnectedPair(c.sys(), c.family(), holder, {}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, pair.server.LocalEndpoint());
  EXPECT_THAT(BoundSharing(c, at, second), ReturnsErrno(error));
}

// Three sockets share a local port. Two of them connect to different listeners;
// the third fails to connect to the first listener.
void OnePortSeveralDestinations(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener one,
                       loopback::ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Listener two,
                       loopback::ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket first,
                       BoundSharing(c, {c.Loopback(), 0}, kReuseAddr));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket second, BoundSharing(c, at, kReuseAddr));
  ASSERT_OK_AND_ASSIGN(const RawSocket third, BoundSharing(c, at, kReuseAddr));
  EXPECT_THAT(Connect(first, one.endpoint()), IsOk());
  EXPECT_THAT(Connect(second, two.endpoint()), IsOk());
  EXPECT_THAT(Connect(third, one.endpoint()), IsErrno(EADDRNOTAVAIL));
}

// ---- FIN-WAIT-2 and TIME-WAIT -----------------------------------------------

struct Leftover {
  ip::Endpoint at;  // the server's endpoint
  // The client. While it is open, the connection keeps its state.
  RawSocket client;
};

// Leaves the end of a server with the options `holder` in FIN-WAIT-2: the
// server closes its end and its listener, the client does not. (The byte
// carries the acknowledgement of the FIN.)
absl::StatusOr<Leftover> LeaveFinWait2(Context& c,
                                       const loopback::ListenConfig& holder) {
  auto pair = loopback::ConnectedPair(c.sys(), c.family(), holder, {});
  if (!pair.ok()) return pair.status();
  const absl::StatusOr<ip::Endpoint> at = pair->server.LocalEndpoint();
  if (!at.ok()) return at.status();
  EXPECT_THAT(pair->server.HalfClose(), IsOk());
  EXPECT_THAT(pair->client.Send("x"), IsOk());
  EXPECT_THAT(RecvOnce(pair->server), IsOk());
  EXPECT_THAT(pair->server.Close(), IsOk());
  return Leftover{*at, std::move(pair->client)};
}

void ExpectBesideFinWait2(Context& c, const loopback::ListenConfig& holder,
                          const Sharing& second, int error) {
  ASSERT_OK_AND_ASSIGN(const Leftover leftover, LeaveFinWait2(c, holder));
  EXPECT_THAT(BoundSharing(c, leftover.at, second), ReturnsErrno(error));
}

void ExpectBesideTimeWait(Context& c, const loopback::ListenConfig& holder,
                          const Sharing& second, int error) {
  ASSERT_OK_AND_ASSIGN(Leftover leftover, LeaveFinWait2(c, holder));
  ASSERT_THAT(leftover.client.Close(), IsOk());
  EXPECT_THAT(BoundSharing(c, leftover.at, second), ReturnsErrno(error));
}

// The server listens again and accepts a connection.
void ListenBesideTimeWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(Leftover leftover,
                       LeaveFinWait2(c, {.reuse_addr = true}));
  ASSERT_THAT(leftover.client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Listener again,
                       ListenOn(c.sys(), leftover.at, {.reuse_addr = true}));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), leftover.at));
  EXPECT_THAT(again.Accept(), IsOk());
}

void AfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::Pair pair,
                       loopback::ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, pair.server.LocalEndpoint());
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(BoundSharing(c, at, kPlain), IsOk());
}

// ---- Two families -----------------------------------------------------------

// A dual-stack listener on the wildcard accepts an IPv4 connection.
void DualStackTakesBoth(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener both, ListenOn(c.sys(), {c.Any(), 0}));
  const ip::Endpoint at = {ip::kLocalV4, both.endpoint().port};
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, both.Accept());
  EXPECT_THAT(server.LocalEndpoint(),
              IsOkAndHolds(ip::Endpoint{ip::kLocalV4.Mapped(), at.port}));
}

void V6OnlyRefusesV4(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener only,
                       ListenOn(c.sys(), {c.Any(), 0}, {.v6_only = true}));
  EXPECT_THAT(ConnectTo(c.sys(), {ip::kLocalV4, only.endpoint().port}),
              IsErrno(ECONNREFUSED));
}

// The wildcards of both families listen on one port.
void WildcardOfEachFamily(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener v6,
                       ListenOn(c.sys(), {c.Any(), 0}, {.v6_only = true}));
  const uint16_t port = v6.endpoint().port;
  ASSERT_OK_AND_ASSIGN(const Listener v4,
                       ListenOn(c.sys(), {ip::kAnyV4, port}));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), {ip::kLocalV4, port}));
  EXPECT_THAT(v4.Accept(), IsOk());
}

// A listener on the v4-mapped wildcard is shut down, made IPv6-only and listens
// again. It then holds the port neither for IPv4 nor for an IPv6 address.
void V6OnlyMapped(Context& c) {
  const ip::Addr mapped = ip::kAnyV4.Mapped();
  ASSERT_OK_AND_ASSIGN(const RawSocket listener,
                       BoundSharing(c, {mapped, 0}, kPlain));
  ASSERT_THAT(Listen(listener), IsOk());
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  ASSERT_THAT(listener.SetOption(IPPROTO_IPV6, IPV6_V6ONLY, 1), IsOk());
  ASSERT_THAT(Listen(listener), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  EXPECT_THAT(ConnectTo(c.sys(), {ip::kLocalV4, at.port}),
              IsErrno(ECONNREFUSED));
  for (const ip::Addr& addr : {mapped, ip::kLocalV4.Mapped(), ip::kAnyV4,
                               ip::kLocalV4, ip::kLocalV6}) {
    EXPECT_THAT(BoundSharing(c, {addr, at.port}, kPlain), IsOk())
        << addr.ToString();
  }
  EXPECT_THAT(BoundSharing(c, {ip::kAnyV6, at.port}, kPlain),
              IsErrno(EADDRINUSE));
}

}  // namespace

const std::vector<Case>& BindConnectionsKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.bind.conflict.client.plain",
       .requirement = "bind(2) must fail with EADDRINUSE on the local port of "
                      "a connected client.",
       .source = "bind(2), EADDRINUSE",
       .run =
           [](Context& c) {
             ExpectBesideClient(c, kPlain, kPlain, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.client.reuseaddr_both",
       .requirement = "bind(2) must succeed on the local port of a connected "
                      "client if both sockets have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideClient(c, kReuseAddr, kReuseAddr, 0);
           }},
      {.id = "kernel.bind.conflict.client.reuseport_both",
       .requirement = "bind(2) must succeed on the local port of a connected "
                      "client if both sockets have SO_REUSEPORT.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideClient(c, kReusePort, kReusePort, 0);
           }},
      {.id = "kernel.bind.conflict.client.implicit",
       .requirement = "bind(2) must fail with EADDRINUSE on a port that "
                      "connect(2) picked.",
       .source = "bind(2), EADDRINUSE",
       .run = &BesideImplicitClient},
      {.id = "kernel.bind.conflict.accepted.plain",
       .requirement = "bind(2) must fail with EADDRINUSE while a connection to "
                      "the port is open, even if its listener is closed.",
       .source = "bind(2), EADDRINUSE",
       .run =
           [](Context& c) { ExpectBesideAccepted(c, {}, kPlain, EADDRINUSE); }},
      {.id = "kernel.bind.conflict.accepted.reuseaddr_of_second",
       .requirement =
           "bind(2) must fail with EADDRINUSE while a connection to the port "
           "is open, if only the second socket has SO_REUSEADDR.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideAccepted(c, {}, kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.accepted.reuseaddr_both",
       .requirement =
           "bind(2) with SO_REUSEADDR must succeed while a connection to the "
           "port is open, if the connection's listener had SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideAccepted(c, {.reuse_addr = true}, kReuseAddr, 0);
           }},
      {.id = "kernel.bind.conflict.several_destinations",
       .requirement =
           "Sockets that share a local port must be able to connect to "
           "different destinations, but only one of them to each.",
       .source = "connect(2), EADDRNOTAVAIL; RFC 9293, section 3.1",
       .run = &OnePortSeveralDestinations},
      {.id = "kernel.bind.conflict.fin_wait2.plain",
       .requirement = "bind(2) must fail with EADDRINUSE while a connection to "
                      "the port is in FIN-WAIT-2.",
       .source = "tcp(7), SO_REUSEADDR",
       .run =
           [](Context& c) { ExpectBesideFinWait2(c, {}, kPlain, EADDRINUSE); }},
      {.id = "kernel.bind.conflict.fin_wait2.reuseaddr_both",
       .requirement = "bind(2) must succeed while a connection to the port is "
                      "in FIN-WAIT-2, if both sockets have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideFinWait2(c, {.reuse_addr = true}, kReuseAddr, 0);
           }},
      {.id = "kernel.bind.conflict.time_wait.plain",
       .requirement = "bind(2) must fail with EADDRINUSE while a connection to "
                      "the port is in TIME-WAIT.",
       .source = "RFC 9293, section 3.4.1",
       .run =
           [](Context& c) { ExpectBesideTimeWait(c, {}, kPlain, EADDRINUSE); }},
      {.id = "kernel.bind.conflict.time_wait.reuseaddr_of_second",
       .requirement =
           "bind(2) must fail with EADDRINUSE while a connection to the port "
           "is in TIME-WAIT, if only the second socket has SO_REUSEADDR.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideTimeWait(c, {}, kReuseAddr, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.time_wait.reuseaddr_both",
       .requirement = "bind(2) must succeed while a connection to the port is "
                      "in TIME-WAIT, if both sockets have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run =
           [](Context& c) {
             ExpectBesideTimeWait(c, {.reuse_addr = true}, kReuseAddr, 0);
           }},
      {.id = "kernel.bind.conflict.time_wait.reuseport_both",
       .requirement = "bind(2) must succeed while a connection to the port is "
                      "in TIME-WAIT, if both sockets have SO_REUSEPORT.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBesideTimeWait(c, {.reuse_port = true}, kReusePort, 0);
           }},
      {.id = "kernel.bind.conflict.time_wait.listen_again",
       .requirement =
           "A server with SO_REUSEADDR must be able to listen again and accept "
           "connections while a connection to its port is in TIME-WAIT.",
       .source = "socket(7), SO_REUSEADDR; tcp(7)",
       .needs = Need::kOwnNetwork,
       .run = &ListenBesideTimeWait},
      {.id = "kernel.bind.conflict.after_reset",
       .requirement =
           "bind(2) must succeed on the port of a connection that was reset.",
       .source = "RFC 9293, section 3.5.2",
       .needs = Need::kOwnNetwork,
       .run = &AfterReset},
      {.id = "kernel.bind.conflict.families.wildcard_held",
       .requirement =
           "bind(2) to the IPv4 wildcard must fail with EADDRINUSE if another "
           "socket is bound to the same port of the IPv6 wildcard.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kAnyV6, kPlain, ip::kAnyV4, kPlain,
                               EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.families.wildcard_wanted",
       .requirement =
           "bind(2) to the IPv6 wildcard must fail with EADDRINUSE if another "
           "socket is bound to the same port of an IPv4 address.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kLocalV4, kPlain, ip::kAnyV6, kPlain,
                               EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.families.v6only",
       .requirement =
           "bind(2) to the IPv4 wildcard must succeed if another socket is "
           "bound to the same port of the IPv6 wildcard with IPV6_V6ONLY.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kAnyV6, kV6Only, ip::kAnyV4, kPlain, 0);
           }},
      {.id = "kernel.bind.conflict.families.v6only_wanted",
       .requirement =
           "bind(2) to the IPv6 wildcard with IPV6_V6ONLY must succeed if "
           "another socket is bound to the same port of the IPv4 wildcard.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kAnyV4, kPlain, ip::kAnyV6, kV6Only, 0);
           }},
      {.id = "kernel.bind.conflict.families.v6only_and_specific",
       .requirement =
           "bind(2) to ::1 must fail with EADDRINUSE if another socket is "
           "bound to the same port of the IPv6 wildcard with IPV6_V6ONLY.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kAnyV6, kV6Only, ip::kLocalV6, kPlain,
                               EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.families.mapped",
       .requirement =
           "bind(2) to an IPv4 address must fail with EADDRINUSE if another "
           "socket is bound to the same port of the v4-mapped address.",
       .source = "ipv6(7), DESCRIPTION",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kLocalV4.Mapped(), kPlain, ip::kLocalV4,
                               kPlain, EADDRINUSE);
           }},
      {.id = "kernel.bind.conflict.families.mapped_and_v6only",
       .requirement =
           "bind(2) to the IPv6 wildcard with IPV6_V6ONLY must succeed if "
           "another socket is bound to the same port of a v4-mapped address.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kLocalV4.Mapped(), kPlain, ip::kAnyV6,
                               kV6Only, 0);
           }},
      {.id = "kernel.bind.conflict.families.specific",
       .requirement = "bind(2) to the IPv4 wildcard must succeed if another "
                      "socket is bound to the same port of ::1.",
       .source = "ipv6(7), DESCRIPTION",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kLocalV6, kPlain, ip::kAnyV4, kPlain, 0);
           }},
      {.id = "kernel.bind.conflict.families.reuseaddr",
       .requirement = "Two sockets must be able to bind the same port of the "
                      "IPv4 and IPv6 wildcards if both have SO_REUSEADDR.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBesideBound(c, ip::kAnyV6, kReuseAddr, ip::kAnyV4,
                               kReuseAddr, 0);
           }},
      {.id = "kernel.bind.conflict.families.dual_stack_accepts",
       .requirement = "A listener on the IPv6 wildcard must accept IPv4 "
                      "connections, whose addresses must be v4-mapped.",
       .source = "ipv6(7), DESCRIPTION; RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .run = &DualStackTakesBoth},
      {.id = "kernel.bind.conflict.families.v6only_refuses",
       .requirement =
           "A listener with IPV6_V6ONLY must refuse IPv4 connections.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run = &V6OnlyRefusesV4},
      {.id = "kernel.bind.conflict.families.one_wildcard_each",
       .requirement = "If the wildcards of both families listen on one port, "
                      "each must accept the connections of its own family.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run = &WildcardOfEachFamily},
      {.id = "kernel.bind.conflict.families.v6only_mapped",
       .requirement = "A listener on a v4-mapped address that was made "
                      "IPv6-only must not hold the port for IPv4.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &V6OnlyMapped},
  };
  return cases;
}

}  // namespace net::conformance
