// IPv6 sockets that were used over IPv4 and then over IPv6. Linux still sends
// their packets as IPv4, so they are lost. A kernel that sends them as IPv6 is
// better: variation "is_heard".

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::RawSocket;

// Expects that an attempt over IPv6 gets no reply. No socket listens on the
// port, so an attempt whose SYN arrives is refused at once.
void ExpectUnheard(Context& c, const RawSocket& client) {
  ASSERT_THAT(Connect(client, {ip::kLocalV6, kPort}), IsErrno(EINPROGRESS));
  ASSERT_OK_AND_ASSIGN(const int state, client.TcpState());
  if (state == TCP_CLOSE) return c.Variation("is_heard");
  EXPECT_EQ(state, TCP_SYN_SENT);
  EXPECT_THAT(PollNow(client), IsOkAndHolds(0));
}

void ConnectAfterConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  const ip::Endpoint refused = {ip::kLocalV4.Mapped(), kPort};
  ASSERT_THAT(Connect(client, refused), IsErrno(EINPROGRESS));
  ASSERT_THAT(Connect(client, refused), IsErrno(ECONNREFUSED));
  ExpectUnheard(c, client);
}

void ConnectAfterAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {ip::kAnyV6, 0}));
  ASSERT_OK_AND_ASSIGN(
      const RawSocket client,
      ConnectTo(c.sys(), {ip::kLocalV4, listener.endpoint().port}));
  ASSERT_OK_AND_ASSIGN(const RawSocket accepted,
                       Accept(listener.socket(), SOCK_NONBLOCK));
  ASSERT_THAT(Disconnect(accepted), IsOk());
  ExpectUnheard(c, accepted);
}

// The last attempt over IPv4 fails before it sends a packet.
void ConnectAfterFailure(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  const ip::Endpoint refused = {ip::kLocalV4.Mapped(), kPort};
  ASSERT_THAT(Connect(client, refused), IsErrno(EINPROGRESS));
  ASSERT_THAT(Connect(client, refused), IsErrno(ECONNREFUSED));
  ASSERT_THAT(Connect(client, {*ip::Addr::Parse("::ffff:192.0.2.1"), kPort}),
              IsErrno(ENETUNREACH));
  ASSERT_THAT(Connect(client, {ip::kLocalV6, kPort}), IsErrno(EINPROGRESS));
  EXPECT_THAT(Connect(client, {ip::kLocalV6, kPort}), IsErrno(ECONNREFUSED));
}

// bind(2) to ::1 sets IPV6_V6ONLY. listen(2) and a disconnect release the port
// that the system picked, so that IPV6_V6ONLY can be cleared again.
void ConnectByIpv4FromBoundToIpv6(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(Bind(client, {ip::kLocalV6, 0}), IsOk());
  ASSERT_THAT(Listen(client), IsOk());
  ASSERT_THAT(Disconnect(client), IsOk());
  ASSERT_THAT(client.SetOption(IPPROTO_IPV6, IPV6_V6ONLY, 0), IsOk());
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {ip::kLocalV4, 0}));
  const uint16_t port = listener.endpoint().port;
  ASSERT_THAT(Connect(client, {ip::kLocalV4.Mapped(), port}),
              IsErrno(EINPROGRESS));
  ASSERT_OK_AND_ASSIGN(const RawSocket accepted, Accept(listener.socket()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint source, accepted.PeerEndpoint());
  if (source.addr == ip::kLocalV4) return c.Variation("from_127_0_0_1");
  EXPECT_EQ(source.addr, ip::Addr::V4(127, 0, 0, 6));
  EXPECT_THAT(client.LocalEndpoint(),
              IsOkAndHolds(ip::Endpoint{source.addr.Mapped(), source.port}));
}

void ConnectToAnyFromBoundToIpv4(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(Bind(client, {ip::kLocalV4.Mapped(), 0}), IsOk());
  ASSERT_THAT(Listen(client), IsOk());
  ASSERT_THAT(Disconnect(client), IsOk());
  ASSERT_THAT(client.SetOption(IPPROTO_IPV6, IPV6_V6ONLY, 1), IsOk());
  EXPECT_THAT(Connect(client, {ip::kAnyV6, kPort}), IsErrno(ENETUNREACH));
}

// A connection over IPv6 to a listener that has tried to connect over IPv4.
struct OneWay {
  RawSocket client;
  RawSocket accepted;
  bool heard = false;  // the packets of `accepted` arrive
};

absl::StatusOr<OneWay> NewOneWay(Context& c) {
  const absl::StatusOr<RawSocket> listener = NewTcp(c, SOCK_NONBLOCK);
  if (!listener.ok()) return listener.status();
  const ip::Endpoint refused = {ip::kLocalV4.Mapped(), kPort};
  EXPECT_THAT(Connect(*listener, refused), IsErrno(EINPROGRESS));
  EXPECT_THAT(Connect(*listener, refused), IsErrno(ECONNREFUSED));
  EXPECT_THAT(Listen(*listener), IsOk());
  const absl::StatusOr<ip::Endpoint> local = listener->LocalEndpoint();
  if (!local.ok()) return local.status();
  absl::StatusOr<RawSocket> client =
      ConnectTo(c.sys(), {ip::kLocalV6, local->port});
  if (!client.ok()) return client.status();
  absl::StatusOr<RawSocket> accepted = Accept(*listener, SOCK_NONBLOCK);
  if (!accepted.ok()) return accepted.status();
  EXPECT_THAT(accepted->Send("x"), IsOkAndHolds(1));
  const SysResult events = PollNow(*client);
  EXPECT_THAT(events, IsOk());
  return OneWay{.client = *std::move(client),
                .accepted = *std::move(accepted),
                .heard = (events.value() & POLLIN) != 0};
}

void ListenAfterConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const OneWay way, NewOneWay(c));
  if (way.heard) return c.Variation("is_heard");
  const RawSocket& client = way.client;
  const RawSocket& accepted = way.accepted;
  // Data in the other direction arrives.
  ASSERT_THAT(client.Send("y", MSG_NOSIGNAL), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(accepted), IsOkAndHolds("y"));
  // But its acknowledgement is lost.
  EXPECT_THAT(Ask(client, SIOCOUTQ), IsOkAndHolds(1));
  EXPECT_THAT(accepted.HalfClose(), IsOk());
  EXPECT_THAT(accepted.TcpState(), IsOkAndHolds(TCP_FIN_WAIT1));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
}

void SmallPiecesWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const OneWay way, NewOneWay(c));
  if (way.heard) return c.Variation("is_heard");
  ASSERT_THAT(way.client.Send("a"), IsOkAndHolds(1));
  ASSERT_THAT(way.client.Send("b"), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(way.accepted), IsOkAndHolds("a"));
  ASSERT_THAT(way.client.SetOption(IPPROTO_TCP, TCP_NODELAY, 1), IsOk());
  EXPECT_THAT(RecvOnce(way.accepted), IsOkAndHolds("b"));
}

void UncorkedPiecesWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const OneWay way, NewOneWay(c));
  if (way.heard) return c.Variation("is_heard");
  ASSERT_THAT(way.client.Send("a"), IsOkAndHolds(1));
  ASSERT_THAT(RecvOnce(way.accepted), IsOkAndHolds("a"));
  ASSERT_THAT(way.client.SetOption(IPPROTO_TCP, TCP_CORK, 1), IsOk());
  ASSERT_THAT(way.client.Send("b"), IsOkAndHolds(1));
  ASSERT_THAT(way.client.SetOption(IPPROTO_TCP, TCP_CORK, 0), IsOk());
  EXPECT_THAT(RecvOnce(way.accepted), IsErrno(EAGAIN));
}

// The first receive window is about 64 KiB. The window updates are lost.
void FirstWindowStays(Context& c) {
  constexpr size_t kSize = 16000;
  ASSERT_OK_AND_ASSIGN(const OneWay way, NewOneWay(c));
  if (way.heard) return c.Variation("is_heard");
  ASSERT_THAT(way.client.SetOption(IPPROTO_TCP, TCP_NODELAY, 1), IsOk());
  const std::string piece(kSize, 'a');
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(way.client.Send(piece), IsOkAndHolds(kSize));
    ASSERT_THAT(RecvOnce(way.accepted, kSize), IsOkAndHolds(piece));
  }
  ASSERT_THAT(way.client.Send(piece), IsOkAndHolds(kSize));
  EXPECT_THAT(RecvOnce(way.accepted, kSize), IsErrno(EAGAIN));
}

void OneWayPeerGone(Context& c) {
  ASSERT_OK_AND_ASSIGN(OneWay way, NewOneWay(c));
  if (way.heard) return c.Variation("is_heard");
  ASSERT_THAT(way.client.Send("a"), IsOkAndHolds(1));
  ASSERT_THAT(way.accepted.Close(), IsOk());
  EXPECT_THAT(way.client.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
  EXPECT_THAT(way.client.Wait(POLLIN), IsOk());
  EXPECT_THAT(RecvOnce(way.client), IsErrno(ECONNRESET));
}

// A socket that was bound to ::1 keeps that source when it connects over IPv4.
void V6SourceOverV4(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {ip::kLocalV4, 0}));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(Bind(client, {ip::kLocalV6, 0}), IsOk());
  ASSERT_THAT(Listen(client, 1), IsOk());
  ASSERT_THAT(Disconnect(client), IsOk());
  ASSERT_THAT(client.SetOption(IPPROTO_IPV6, IPV6_V6ONLY, 0), IsOk());
  const ip::Endpoint& target = listener.endpoint();
  ASSERT_THAT(Connect(client, {target.addr.Mapped(), target.port}), IsOk());
  sockaddr_storage name = {};
  socklen_t size = sizeof(name);
  const SysResult accepted =
      c.sys().Accept4(listener.socket().fd(),
                      reinterpret_cast<sockaddr*>(&name), &size, SOCK_CLOEXEC);
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  EXPECT_EQ(name.ss_family, AF_INET);
  EXPECT_EQ(size, sizeof(sockaddr_in));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, server.PeerEndpoint());
  EXPECT_EQ(peer.addr, ip::Addr::V4(127, 0, 0, 6));
}

}  // namespace

const std::vector<Case>& ConnectFamiliesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.connect.ipv6_after_ipv4",
       .requirement = "connect(2) over IPv6 may get no reply if the same "
                      "socket has tried to connect over IPv4.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &ConnectAfterConnect},
      {.id = "kernel.connect.ipv6_after_accepted_by_ipv4",
       .requirement = "connect(2) over IPv6 may get no reply if the same "
                      "socket was accepted from IPv4.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &ConnectAfterAccept},
      {.id = "kernel.connect.ipv6_after_ipv4_failed",
       .requirement = "connect(2) over IPv6 must get a reply if the last "
                      "attempt over IPv4 failed before it sent a packet.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &ConnectAfterFailure},
      {.id = "kernel.connect.ipv4_from_bound_to_ipv6",
       .requirement = "connect(2) over IPv4 may use the source address "
                      "127.0.0.6 if the socket is bound to an IPv6 address.",
       .source = "found by fuzzing; Linux: LOOPBACK4_IPV6 in net/ipv6/"
                 "af_inet6.c, inet6_bind()",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &ConnectByIpv4FromBoundToIpv6},
      {.id = "kernel.connect.any_from_bound_to_ipv4",
       .requirement = "connect(2) to :: from an address of IPv4 must fail with "
                      "ENETUNREACH if IPV6_V6ONLY was set afterwards.",
       .source = "found by fuzzing; Linux: tcp_v6_connect() in "
                 "net/ipv6/tcp_ipv6.c",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &ConnectToAnyFromBoundToIpv4},
      {.id = "kernel.connect.listener_after_ipv4",
       .requirement = "The packets of a socket accepted over IPv6 may be lost "
                      "if its listener has tried to connect over IPv4.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &ListenAfterConnect},
      {.id = "kernel.connect.listener_after_ipv4.small_pieces",
       .requirement = "While a small segment is not acknowledged the next may "
                      "be held back, but it must be sent with TCP_NODELAY.",
       .source = "RFC 896; measured on Linux 6.18",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &SmallPiecesWait},
      {.id = "kernel.connect.listener_after_ipv4.uncorked",
       .requirement = "While a small segment is not acknowledged, corked data "
                      "may be held back even after TCP_CORK is cleared.",
       .source = "RFC 896; measured on Linux 6.18",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &UncorkedPiecesWait},
      {.id = "kernel.connect.listener_after_ipv4.window",
       .requirement = "To a peer whose packets are lost, no more than its "
                      "first receive window may be sent, even if it reads.",
       .source = "RFC 9293, section 3.8.6; measured on Linux 6.18",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &FirstWindowStays},
      {.id = "kernel.connect.listener_after_ipv4.peer_gone",
       .requirement = "A peer whose packets are lost may leave the other end "
                      "open when it closes, until that end sends again.",
       .source = "RFC 9293, section 3.8.1; measured on Linux 6.18",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &OneWayPeerGone},
      {.id = "kernel.connect.families.v6_source",
       .requirement = "An IPv6 socket that was bound to ::1 and connects over "
                      "IPv4 must come from 127.0.0.6.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &V6SourceOverV4},
  };
  return cases;
}

}  // namespace net::conformance
