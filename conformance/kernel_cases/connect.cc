// connect(2): to and from which addresses, a second time, and to the own
// endpoint.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::Pair;
using loopback::RawSocket;
using loopback::RecvExactly;
using loopback::RefusedPort;

// ---- Addresses --------------------------------------------------------------

// Expects that connect(2) of a new socket to `remote` fails with `error`, and
// that the socket can still connect to a listener.
void ExpectFailure(Context& c, const ip::Endpoint& remote, int error) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(Connect(client, remote), IsErrno(error));
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(0));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
}

// Listens on `local`, and connects to the same port of `remote`. Expects that
// the client's peer address is `peer` with that port, and its local address
// `name`.
void ExpectNames(Context& c, const ip::Addr& local, const ip::Addr& remote,
                 const ip::Addr& peer, const ip::Addr& name) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, ListenOn(c.sys(), {local, 0}));
  const uint16_t port = listener.endpoint().port;
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, {remote, port}), IsOk());
  EXPECT_THAT(client.PeerEndpoint(), IsOkAndHolds(ip::Endpoint{peer, port}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint own, client.LocalEndpoint());
  EXPECT_EQ(own.addr, name);
}

// Expects that connect(2) to `remote` of a socket that is bound to `local`
// fails with `error`. The port does not matter, and has no listener.
void ExpectFrom(Context& c, const ip::Addr& local, const ip::Addr& remote,
                int error) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Bind(client, {local, 0}), IsOk());
  EXPECT_THAT(Connect(client, {remote, kPort}), ReturnsErrno(error));
}

void FromAnotherLoopbackAddress(Context& c) {
  const ip::Addr other = ip::Addr::V4(127, 0, 0, 2);
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Bind(client, {other, 0}), IsOk());
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, server.PeerEndpoint());
  EXPECT_EQ(peer.addr, other);
}

void V6OnlyToMapped(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(client.SetOption(IPPROTO_IPV6, IPV6_V6ONLY, 1), IsOk());
  EXPECT_THAT(Connect(client, {ip::kLocalV4.Mapped(), kPort}),
              IsErrno(ENETUNREACH));
}

void FailingRoute(Context& c, int error) {
  c.env().AddFailingRoute(c.Foreign(), error);
  ExpectFailure(c, {c.Foreign(), kPort}, error);
}

// Non-blocking, because over IPv4 Linux retransmits the SYN and gets no reply.
void LoopbackDown(Context& c) {
  c.env().SetLoopbackUp(false);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  const SysResult answer = Connect(client, {c.Loopback(), kPort});
  if (answer.error() == ENETUNREACH) {
    c.Variation("network_unreachable");
  } else {
    EXPECT_THAT(answer, IsErrno(c.v6() ? EADDRNOTAVAIL : EINPROGRESS));
  }
}

// ---- Refused ----------------------------------------------------------------

void RefusedOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(Connect(client, refused.endpoint()), IsErrno(ECONNREFUSED));
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(0));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(client.PeerEndpoint(), IsErrno(ENOTCONN));
}

// The local port is kept, the local address is cleared.
void RefusedName(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, refused.endpoint()), IsErrno(ECONNREFUSED));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  EXPECT_EQ(local.addr, c.Any());
  EXPECT_NE(local.port, 0);
}

void RefusedThenElsewhere(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Connect(client, refused.endpoint()), IsErrno(ECONNREFUSED));
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(client.PeerEndpoint(), IsOkAndHolds(listener.endpoint()));
}

void RefusedThenListen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Connect(socket, refused.endpoint()), IsErrno(ECONNREFUSED));
  ASSERT_THAT(Listen(socket), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, socket.LocalEndpoint());
  EXPECT_THAT(ConnectTo(c.sys(), {c.Loopback(), at.port}), IsOk());
}

// ---- Already connected ------------------------------------------------------

void ConnectedAlready(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, pair.client.PeerEndpoint());
  EXPECT_THAT(Connect(pair.client, listener.endpoint()), IsErrno(EISCONN));
  EXPECT_THAT(Connect(pair.server, listener.endpoint()), IsErrno(EISCONN));
  EXPECT_THAT(pair.client.PeerEndpoint(), IsOkAndHolds(peer));
}

void Listening(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener one, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const Listener two, NewListener(c));
  EXPECT_THAT(Connect(one.socket(), two.endpoint()), IsErrno(EISCONN));
  EXPECT_THAT(ConnectTo(c.sys(), one.endpoint()), IsOk());
}

void AfterPeersEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Close(), IsOk());
  EXPECT_THAT(Connect(pair.client, {c.Loopback(), kPort}), IsErrno(EISCONN));
}

void AfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  // connect(2) reports EISCONN and leaves the error of the reset pending.
  EXPECT_THAT(Connect(pair.client, listener.endpoint()), IsErrno(EISCONN));
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(ECONNRESET));
}

// ---- To the own endpoint ----------------------------------------------------

void ToItself(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, socket.LocalEndpoint());
  ASSERT_THAT(Connect(socket, at), IsOk());
  EXPECT_THAT(socket.PeerEndpoint(), IsOkAndHolds(at));
  EXPECT_THAT(socket.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
  ASSERT_THAT(socket.Send("echo"), IsOkAndHolds(4));
  EXPECT_THAT(RecvExactly(socket, 4), IsOkAndHolds("echo"));
}

void ToItselfEnds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, socket.LocalEndpoint());
  ASSERT_THAT(Connect(socket, at), IsOk());
  ASSERT_THAT(socket.HalfClose(), IsOk());
  EXPECT_THAT(RecvOnce(socket), IsOkAndHolds(""));
}

}  // namespace

const std::vector<Case>& ConnectKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.connect.to_wildcard",
       .requirement = "connect(2) to the wildcard address must connect to the "
                      "loopback address.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectNames(c, c.Loopback(), c.Any(), c.Loopback(), c.Loopback());
           }},
      {.id = "kernel.connect.to_wildcard_mapped",
       .requirement = "connect(2) to the v4-mapped wildcard address must "
                      "connect to 127.0.0.1.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             const ip::Addr mapped = ip::kLocalV4.Mapped();
             ExpectNames(c, ip::kLocalV4, ip::kAnyV4.Mapped(), mapped, mapped);
           }},
      {.id = "kernel.connect.to_mapped",
       .requirement =
           "connect(2) of an IPv6 socket to a v4-mapped address must reach the "
           "IPv4 listener, and both addresses must be v4-mapped.",
       .source = "ipv6(7), DESCRIPTION; RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             const ip::Addr mapped = ip::kLocalV4.Mapped();
             ExpectNames(c, ip::kLocalV4, mapped, mapped, mapped);
           }},
      {.id = "kernel.connect.to_other_loopback_address",
       .requirement = "The local address of a connection to another loopback "
                      "address must be 127.0.0.1.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run =
           [](Context& c) {
             const ip::Addr other = ip::Addr::V4(127, 0, 0, 2);
             ExpectNames(c, other, other, other, ip::kLocalV4);
           }},
      {.id = "kernel.connect.to_port_zero",
       .requirement = "connect(2) to port 0 must fail with ECONNREFUSED.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectFailure(c, {c.Loopback(), 0}, ECONNREFUSED);
           }},
      {.id = "kernel.connect.to_foreign",
       .requirement =
           "connect(2) must fail with ENETUNREACH if there is no route.",
       .source = "connect(2), ENETUNREACH",
       .needs = Need::kOwnNetwork,
       .run =
           [](Context& c) {
             ExpectFailure(c, {c.Foreign(), kPort}, ENETUNREACH);
           }},
      {.id = "kernel.connect.to_multicast",
       .requirement =
           "connect(2) to a multicast address must fail with ENETUNREACH.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run =
           [](Context& c) {
             ExpectFailure(c,
                           {c.v6() ? ip::Addr::V6({0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                   0, 0, 0, 0, 0, 0, 0, 1})
                                   : ip::Addr::V4(224, 0, 0, 1),
                            kPort},
                           ENETUNREACH);
           }},
      {.id = "kernel.connect.to_broadcast",
       .requirement = "connect(2) to the broadcast address of the loopback "
                      "network must fail with ENETUNREACH.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run =
           [](Context& c) {
             ExpectFailure(c, {ip::Addr::V4(127, 255, 255, 255), kPort},
                           ENETUNREACH);
           }},
      {.id = "kernel.connect.to_link_local_without_scope",
       .requirement = "connect(2) to a link-local address without a scope id "
                      "must fail with EINVAL.",
       .source = "ipv6(7), sin6_scope_id",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectFailure(c,
                           {ip::Addr::V6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                          0, 0, 0, 0, 1}),
                            kPort},
                           EINVAL);
           }},
      {.id = "kernel.connect.to_mapped_v6only",
       .requirement = "connect(2) to a v4-mapped address must fail with "
                      "ENETUNREACH if IPV6_V6ONLY is set.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run = &V6OnlyToMapped},
      {.id = "kernel.connect.from_other_address",
       .requirement =
           "The peer must see the address that the client was bound to.",
       .source = "bind(2); ip(7)",
       .families = AddressFamilies::kV4,
       .run = &FromAnotherLoopbackAddress},
      {.id = "kernel.connect.from_v6_to_mapped",
       .requirement = "connect(2) to a v4-mapped address must fail with "
                      "ENETUNREACH if the socket is bound to ::1.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectFrom(c, ip::kLocalV6, ip::kLocalV4.Mapped(), ENETUNREACH);
           }},
      {.id = "kernel.connect.from_mapped_to_v6",
       .requirement = "connect(2) to ::1 must fail with EAFNOSUPPORT if the "
                      "socket is bound to a v4-mapped address.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectFrom(c, ip::kLocalV4.Mapped(), ip::kLocalV6, EAFNOSUPPORT);
           }},
      {.id = "kernel.connect.from_loopback_to_foreign",
       .requirement =
           "connect(2) to an address beyond this machine must fail with "
           "ENETUNREACH if the socket is bound to the loopback address.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run =
           [](Context& c) {
             ExpectFrom(c, c.Loopback(), c.Foreign(), ENETUNREACH);
           }},
      {.id = "kernel.connect.route.unreachable",
       .requirement = "connect(2) over an `unreachable` route must fail with "
                      "EHOSTUNREACH.",
       .source = "connect(2), ENETUNREACH; route(8), unreachable",
       .needs = Need::kOwnNetwork,
       .run = [](Context& c) { FailingRoute(c, EHOSTUNREACH); }},
      {.id = "kernel.connect.route.prohibit",
       .requirement =
           "connect(2) over a `prohibit` route must fail with EACCES.",
       .source = "connect(2), EACCES; route(8), prohibit",
       .needs = Need::kOwnNetwork,
       .run = [](Context& c) { FailingRoute(c, EACCES); }},
      {.id = "kernel.connect.route.blackhole",
       .requirement =
           "connect(2) over a `blackhole` route must fail with EINVAL.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = [](Context& c) { FailingRoute(c, EINVAL); }},
      {.id = "kernel.connect.loopback_down",
       .requirement =
           "While the loopback interface is down, connect(2) must stay in "
           "progress over IPv4, and fail with EADDRNOTAVAIL over IPv6.",
       .source = "measured on Linux 6.18",
       .level = Level::kVariation,
       .needs = Need::kOwnNetwork,
       .run = &LoopbackDown},
      {.id = "kernel.connect.refused.once",
       .requirement = "A refusal must be reported once, by connect(2), and "
                      "leave the socket closed and without a peer address.",
       .source = "connect(2), ECONNREFUSED; socket(7), SO_ERROR",
       .run = &RefusedOnce},
      {.id = "kernel.connect.refused.name",
       .requirement = "After a refusal getsockname(2) must return the wildcard "
                      "address and the port that the socket had.",
       .source = "measured on Linux 6.18",
       .run = &RefusedName},
      {.id = "kernel.connect.refused.then_elsewhere",
       .requirement =
           "After a refusal the same socket must be able to connect elsewhere.",
       .source = "measured on Linux 6.18",
       .run = &RefusedThenElsewhere},
      {.id = "kernel.connect.refused.then_listen",
       .requirement = "After a refusal the same socket must be able to listen.",
       .source = "measured on Linux 6.18",
       .run = &RefusedThenListen},
      {.id = "kernel.connect.connected.again",
       .requirement = "connect(2) of a connected socket must fail with "
                      "EISCONN, and leave the peer address unchanged.",
       .source = "connect(2), EISCONN",
       .run = &ConnectedAlready},
      {.id = "kernel.connect.connected.listening",
       .requirement = "connect(2) of a listener must fail with EISCONN, and "
                      "the listener must still accept connections.",
       .source = "measured on Linux 6.18",
       .run = &Listening},
      {.id = "kernel.connect.connected.after_peers_end",
       .requirement = "connect(2) of a socket whose peer has closed must fail "
                      "with EISCONN.",
       .source = "measured on Linux 6.18",
       .run = &AfterPeersEnd},
      {.id = "kernel.connect.connected.after_reset",
       .requirement = "connect(2) of a socket that was reset must fail with "
                      "EISCONN, and leave ECONNRESET pending.",
       .source = "measured on Linux 6.18",
       .run = &AfterReset},
      {.id = "kernel.connect.itself",
       .requirement = "connect(2) to the socket's own address and port must "
                      "connect the socket to itself.",
       .source = "RFC 9293, section 3.5, simultaneous open",
       .run = &ToItself},
      {.id = "kernel.connect.itself.ends",
       .requirement = "A socket that is connected to itself must receive its "
                      "own end of stream.",
       .source = "RFC 9293, section 3.6",
       .run = &ToItselfEnds},
  };
  return cases;
}

}  // namespace net::conformance
