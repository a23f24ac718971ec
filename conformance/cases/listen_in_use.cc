// Ports that are in use, and reusing them with SO_REUSEADDR.

#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::ListenConfig;
using loopback::Listener;
using loopback::ListenOn;
using loopback::RawSocket;
using loopback::RefusedPort;

constexpr ip::Addr kMappedLocal = ip::kLocalV4.Mapped();
constexpr ListenConfig kPlain;
constexpr ListenConfig kReuseAddr{.reuse_addr = true};

// The reference peer listens on `held`. Expects that Listen on the same port of
// `wanted` fails with EADDRINUSE.
void ExpectInUse(Context& c, const ip::Addr& held, const ListenConfig& config,
                 const ip::Addr& wanted, const ListenOptions& options = {}) {
  ASSERT_OK_AND_ASSIGN(const Listener holder,
                       ListenOn(c.sys(), {held, 0}, config));
  EXPECT_THAT(c.Listen({wanted, holder.endpoint().port}, options),
              Fails(EADDRINUSE));
}

// ---- Without sharing --------------------------------------------------------

void SameAddress(Context& c) {
  ExpectInUse(c, c.Loopback(), kPlain, c.Loopback());
}

void WildcardIsHeld(Context& c) {
  ExpectInUse(c, c.Any(), kPlain, c.Loopback());
}

void WildcardIsWanted(Context& c) {
  ExpectInUse(c, c.Loopback(), kPlain, c.Any());
}

void TwoOfItsOwn(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  EXPECT_THAT(c.Listen(at), Fails(EADDRINUSE));
}

void BoundOnly(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort held,
                       RefusedPort::Reserve(c.sys(), c.family()));
  EXPECT_THAT(c.Listen(held.endpoint()), Fails(EADDRINUSE));
}

void PortOfClient(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Pair pair,
                       loopback::ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint held, pair.client.LocalEndpoint());
  EXPECT_THAT(c.Listen(held), Fails(EADDRINUSE));
}

void PortOfConnection(Context& c) {
  // The listener of the connection is closed.
  ASSERT_OK_AND_ASSIGN(const loopback::Pair pair,
                       loopback::ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint held, pair.server.LocalEndpoint());
  EXPECT_THAT(c.Listen(held), Fails(EADDRINUSE));
}

void HolderGoesOn(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock holder, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, holder.LocalEndpoint());
  EXPECT_THAT(c.Listen(at), Fails(EADDRINUSE));
  ExpectTakes(c, holder, at);
}

void EphemeralPortsUsedUp(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "20000 20001");
  ASSERT_OK_AND_ASSIGN(const Sock one, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Sock other, c.Listen());
  EXPECT_THAT(c.Listen(), Fails(EADDRINUSE));
  EXPECT_THAT(c.Listen({c.Any(), 0}), Fails(EADDRINUSE));
}

void EphemeralPortComesBack(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "20000 20000");
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  EXPECT_THAT(c.Listen(), Fails(EADDRINUSE));
  EXPECT_THAT(listener.Close(), IsOk());
  EXPECT_THAT(c.Listen(), IsOk());
}

void EphemeralPortOfOtherAddress(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "20000 20000");
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  EXPECT_THAT(c.Listen({ip::Addr::V4(127, 0, 0, 2), 0}), IsOk());
}

// ---- IPv4 and IPv6 ----------------------------------------------------------

void DualStackIsHeld(Context& c) {
  ExpectInUse(c, ip::kAnyV6, kPlain, ip::kAnyV4);
  ExpectInUse(c, ip::kAnyV6, kPlain, ip::kLocalV4);
}

void DualStackIsWanted(Context& c) {
  ExpectInUse(c, ip::kAnyV4, kPlain, ip::kAnyV6);
  ExpectInUse(c, ip::kLocalV4, kPlain, ip::kAnyV6);
  ExpectInUse(c, kMappedLocal, kPlain, ip::kAnyV6);
}

void MappedIsHeld(Context& c) {
  ExpectInUse(c, kMappedLocal, kPlain, ip::kLocalV4);
  ExpectInUse(c, kMappedLocal, kPlain, ip::kAnyV4);
}

void MappedIsWanted(Context& c) {
  ExpectInUse(c, ip::kLocalV4, kPlain, kMappedLocal);
  ExpectInUse(c, ip::kAnyV4, kPlain, kMappedLocal);
  ExpectInUse(c, ip::kAnyV6, kPlain, kMappedLocal);
}

// ---- SO_REUSEADDR -----------------------------------------------------------

void ReuseaddrLiveListener(Context& c) {
  ExpectInUse(c, c.Loopback(), kReuseAddr, c.Loopback(), {.reuseaddr = true});
}

void ReuseaddrLiveWildcard(Context& c) {
  ExpectInUse(c, c.Any(), kReuseAddr, c.Loopback(), {.reuseaddr = true});
  ExpectInUse(c, c.Loopback(), kReuseAddr, c.Any(), {.reuseaddr = true});
}

void ReuseaddrBoundOnlyWithout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort held,
                       RefusedPort::Reserve(c.sys(), c.family()));
  EXPECT_THAT(c.Listen(held.endpoint(), {.reuseaddr = true}),
              Fails(EADDRINUSE));
}

void ReuseaddrBoundOnly(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket held,
                       loopback::NewSocket(c.sys(), c.family()));
  ASSERT_THAT(held.SetOption(SOL_SOCKET, SO_REUSEADDR, 1), IsOk());
  const ip::Endpoint at{c.Loopback(), kPort};
  ASSERT_THAT(loopback::Bind(held, at), IsOk());
  const Result<Sock> listener = c.Listen(at, {.reuseaddr = true});
  if (!listener.ok()) {
    ASSERT_THAT(listener, Fails(EADDRINUSE));
    c.Variation("bound_sockets_exclude_listeners");
  }
}

// A server that listens again while a connection of its first listener is open.
void ReuseaddrOpenConnection(Context& c) {
  const ip::Endpoint at{c.Loopback(), kPort};
  ASSERT_OK_AND_ASSIGN(Sock first, c.Listen(at, {.reuseaddr = true}));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock connection, first.Accept());
  ASSERT_THAT(first.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock second, c.Listen(at, {.reuseaddr = true}));
  ExpectTakes(c, second, at);
  EXPECT_THAT(client.Send("still there"), IsOk());
  EXPECT_THAT(connection.RecvExactly(11), IsOkAndHolds("still there"));
}

// ---- TIME-WAIT --------------------------------------------------------------

// Leaves a connection in TIME-WAIT on the port of a reference listener, because
// the server's end is closed first. Returns the server's endpoint.
absl::StatusOr<ip::Endpoint> LeaveTimeWait(Context& c,
                                           const ListenConfig& config) {
  auto pair = loopback::ConnectedPair(c.sys(), c.family(), config, {});
  if (!pair.ok()) return pair.status();
  const absl::StatusOr<ip::Endpoint> at = pair->server.LocalEndpoint();
  EXPECT_THAT(pair->server.Close(), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(pair->client), IsOk());
  EXPECT_THAT(pair->client.Close(), IsOk());
  return at;
}

void TimeWaitWithoutReuseaddr(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, LeaveTimeWait(c, kReuseAddr));
  const Result<Sock> listener = c.Listen(at);
  if (listener.ok()) {
    ASSERT_OK_AND_ASSIGN(const Witness witness, listener->Inspect());
    ASSERT_THAT(witness.Option(SOL_SOCKET, SO_REUSEADDR),
                IsOkAndHolds(testing::Ne(0)));
    return c.Variation("reuseaddr_by_default");
  }
  EXPECT_THAT(listener, Fails(EADDRINUSE));
}

void TimeWaitWithReuseaddr(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, LeaveTimeWait(c, kReuseAddr));
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen(at, {.reuseaddr = true}));
  ExpectTakes(c, listener, at);
}

void TimeWaitOfOneWithoutReuseaddr(Context& c) {
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, LeaveTimeWait(c, kPlain));
  const Result<Sock> listener = c.Listen(at, {.reuseaddr = true});
  if (listener.ok()) {
    c.Variation("new_listeners_reuseaddr_suffices");
  } else {
    EXPECT_THAT(listener, Fails(EADDRINUSE));
  }
}

// Both listeners are the implementation's. The accepted connection inherits
// SO_REUSEADDR, which lets the second one listen.
void RestartAfterTimeWait(Context& c) {
  const ip::Endpoint at{c.Loopback(), kPort};
  ASSERT_OK_AND_ASSIGN(Sock first, c.Listen(at, {.reuseaddr = true}));
  ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(Sock connection, first.Accept());
  EXPECT_THAT(connection.Close(), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(client), IsOk());
  EXPECT_THAT(client.Close(), IsOk());
  EXPECT_THAT(first.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock second, c.Listen(at, {.reuseaddr = true}));
  ExpectTakes(c, second, at);
}

}  // namespace

const std::vector<Case>& ListenInUseCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "listen.in_use.same_address",
       .requirement = "Listen must fail with EADDRINUSE on an address and port "
                      "that another socket listens on.",
       .source = "listen(2), EADDRINUSE; bind(2), EADDRINUSE",
       .run = &SameAddress},
      {.id = "listen.in_use.wildcard_is_held",
       .requirement =
           "Listen on a specific address must fail with EADDRINUSE while "
           "another socket listens on the same port of the wildcard address.",
       .source = "socket(7), SO_REUSEADDR; ip(7), INADDR_ANY",
       .run = &WildcardIsHeld},
      {.id = "listen.in_use.wildcard_is_wanted",
       .requirement =
           "Listen on the wildcard address must fail with EADDRINUSE while "
           "another socket listens on the same port of a specific address.",
       .source = "socket(7), SO_REUSEADDR; ip(7), INADDR_ANY",
       .run = &WildcardIsWanted},
      {.id = "listen.in_use.two_of_its_own",
       .requirement =
           "Without options, Listen must fail with EADDRINUSE on the address "
           "and port of another listener of the same implementation.",
       .source = "bind(2), EADDRINUSE; contract: any success",
       .run = &TwoOfItsOwn},
      {.id = "listen.in_use.bound_only",
       .requirement =
           "Listen must fail with EADDRINUSE on a port that another socket is "
           "bound to, even if that socket does not listen.",
       .source = "bind(2), EADDRINUSE",
       .run = &BoundOnly},
      {.id = "listen.in_use.port_of_client",
       .requirement = "Listen must fail with EADDRINUSE on the local port of a "
                      "client's connection.",
       .source = "bind(2), EADDRINUSE; ip(7)",
       .run = &PortOfClient},
      {.id = "listen.in_use.port_of_accepted",
       .requirement = "Listen must fail with EADDRINUSE while a connection to "
                      "the port is open, even if its listener is closed.",
       .source = "bind(2), EADDRINUSE; socket(7), SO_REUSEADDR",
       .run = &PortOfConnection},
      {.id = "listen.in_use.holder_goes_on",
       .requirement = "A listener must still accept connections after another "
                      "Listen on its port has failed.",
       .source = "contract: any failure",
       .run = &HolderGoesOn},
      {.id = "listen.in_use.ephemeral_ports_used_up",
       .requirement = "Listen on port 0 must fail with EADDRINUSE when every "
                      "ephemeral port is in use.",
       .source = "bind(2), EADDRINUSE; listen(2), EADDRINUSE",
       .needs = Need::kOwnNetwork,
       .run = &EphemeralPortsUsedUp},
      {.id = "listen.in_use.ephemeral_port_comes_back",
       .requirement =
           "An ephemeral port must be free again after its listener is closed.",
       .source = "bind(2), EADDRINUSE; close(2)",
       .needs = Need::kOwnNetwork,
       .run = &EphemeralPortComesBack},
      {.id = "listen.in_use.ephemeral_port_of_other_address",
       .requirement = "Ephemeral ports that are all in use on one address must "
                      "be available on another.",
       .source = "ip(7), ip_local_port_range",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &EphemeralPortOfOtherAddress},
      {.id = "listen.in_use.dual_stack_is_held",
       .requirement = "Listen on an IPv4 address must fail with EADDRINUSE "
                      "while another socket listens on the same port of ::.",
       .source = "ipv6(7), IPV6_V6ONLY; bind(2), EADDRINUSE",
       .families = AddressFamilies::kV6,
       .run = &DualStackIsHeld},
      {.id = "listen.in_use.dual_stack_is_wanted",
       .requirement = "Listen on :: should fail with EADDRINUSE while another "
                      "socket listens on the same port of an IPv4 address.",
       .source = "ipv6(7), IPV6_V6ONLY; bind(2), EADDRINUSE",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .run = &DualStackIsWanted},
      {.id = "listen.in_use.mapped_is_held",
       .requirement = "A listener on a v4-mapped address must exclude the same "
                      "listeners as one on the IPv4 address.",
       .source = "RFC 3493, section 3.7; bind(2), EADDRINUSE",
       .families = AddressFamilies::kV6,
       .run = &MappedIsHeld},
      {.id = "listen.in_use.mapped_is_wanted",
       .requirement = "Listen on a v4-mapped address must fail with EADDRINUSE "
                      "if its IPv4 address is in use.",
       .source = "RFC 3493, section 3.7; bind(2), EADDRINUSE",
       .families = AddressFamilies::kV6,
       .run = &MappedIsWanted},
      {.id = "listen.reuseaddr.live_listener",
       .requirement =
           "Listen must fail with EADDRINUSE on the address and port of "
           "another listener, even if both have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run = &ReuseaddrLiveListener},
      {.id = "listen.reuseaddr.live_wildcard",
       .requirement = "Listen must fail with EADDRINUSE if the port has a "
                      "listener and one of the two addresses is the wildcard, "
                      "even if both have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .run = &ReuseaddrLiveWildcard},
      {.id = "listen.reuseaddr.bound_without",
       .requirement = "Listen with SO_REUSEADDR must fail with EADDRINUSE "
                      "while a socket without it is bound to the port.",
       .source = "socket(7), SO_REUSEADDR",
       .run = &ReuseaddrBoundOnlyWithout},
      {.id = "listen.reuseaddr.bound_with",
       .requirement =
           "Listen with SO_REUSEADDR may succeed while a socket with "
           "SO_REUSEADDR is bound to the port and does not listen.",
       .source = "socket(7), SO_REUSEADDR",
       .level = Level::kVariation,
       .needs = Need::kOwnNetwork,
       .run = &ReuseaddrBoundOnly},
      {.id = "listen.reuseaddr.open_connection",
       .requirement = "Listen with SO_REUSEADDR must succeed while a "
                      "connection of an earlier listener with SO_REUSEADDR is "
                      "open, and not affect that connection.",
       .source = "socket(7), SO_REUSEADDR",
       .needs = Need::kOwnNetwork,
       .run = &ReuseaddrOpenConnection},
      {.id = "listen.time_wait.without_reuseaddr",
       .requirement = "Listen without SO_REUSEADDR must fail with EADDRINUSE "
                      "while the port has a connection in TIME-WAIT; "
                      "SO_REUSEADDR may be on by default.",
       .source = "tcp(7); RFC 9293, section 3.4.1",
       .level = Level::kVariation,
       .run = &TimeWaitWithoutReuseaddr},
      {.id = "listen.time_wait.with_reuseaddr",
       .requirement = "Listen with SO_REUSEADDR must succeed while the port "
                      "has a connection in TIME-WAIT, if that connection's "
                      "socket had SO_REUSEADDR, too.",
       .source = "socket(7), SO_REUSEADDR; tcp(7)",
       .needs = Need::kOwnNetwork,
       .run = &TimeWaitWithReuseaddr},
      {.id = "listen.time_wait.reuseaddr_of_one",
       .requirement = "Listen with SO_REUSEADDR may fail with EADDRINUSE while "
                      "the port has a connection in TIME-WAIT whose socket did "
                      "not have SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR",
       .level = Level::kVariation,
       .needs = Need::kOwnNetwork,
       .run = &TimeWaitOfOneWithoutReuseaddr},
      {.id = "listen.time_wait.restart",
       .requirement = "A server with SO_REUSEADDR must be able to listen again "
                      "at once after it closed its connection first.",
       .source = "socket(7), SO_REUSEADDR; tcp(7)",
       .needs = Need::kOwnNetwork,
       .run = &RestartAfterTimeWait},
  };
  return cases;
}

}  // namespace net::conformance
