// The peer address of a socket, in the states that have one and in those that
// have none.

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/cases/connected.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using ::testing::Eq;
using ::testing::Optional;

// Matches a success without a peer.
auto IsNobody() { return IsOkAndHolds(Eq(std::nullopt)); }
auto IsPeer(const ip::Endpoint& peer) { return IsOkAndHolds(Optional(peer)); }

void OfConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener,
                       loopback::ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(listener.endpoint()));
  EXPECT_THAT(client.PeerAddr(), IsPeer(listener.endpoint()));
}

void OfAccepted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, AcceptPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, end.peer.LocalEndpoint());
  EXPECT_THAT(end.sock.PeerAddr(), IsPeer(origin));
}

void OfEachAccepted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket first_client,
                       loopback::ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket second_client,
                       loopback::ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(Sock first, listener.Accept());
  ASSERT_OK_AND_ASSIGN(Sock second, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint of_first,
                       first_client.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint of_second,
                       second_client.LocalEndpoint());
  EXPECT_THAT(second.PeerAddr(), IsPeer(of_second));
  EXPECT_THAT(first.PeerAddr(), IsPeer(of_first));
}

void BothEndsAgree(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(at));
  ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint client_at, client.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint server_at, server.LocalEndpoint());
  EXPECT_THAT(server.PeerAddr(), IsPeer(client_at));
  EXPECT_THAT(client.PeerAddr(), IsPeer(server_at));
}

void MappedOfAccepted(Context& c) {
  // A new network namespace may not have this machine's setting.
  c.env().SetSysctl("net.ipv6.bindv6only", "0");
  ASSERT_OK_AND_ASSIGN(Sock listener,
                       c.Listen(ip::Endpoint{.addr = ip::kAnyV6}));
  ASSERT_OK_AND_ASSIGN(ip::Endpoint at, listener.LocalEndpoint());
  at.addr = ip::kLocalV4;
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket client,
                       loopback::ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(ip::Endpoint origin, client.LocalEndpoint());
  origin.addr = origin.addr.Mapped();
  ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const auto told, server.PeerAddr());
  ASSERT_TRUE(told.has_value());
  ExpectMapped(c, *told, origin);
}

void MappedOfConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener,
                       loopback::ListenAnywhere(c.sys(), AF_INET));
  const ip::Endpoint mapped{listener.endpoint().addr.Mapped(),
                            listener.endpoint().port};
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(mapped));
  ASSERT_OK_AND_ASSIGN(const auto told, client.PeerAddr());
  ASSERT_TRUE(told.has_value());
  ExpectMapped(c, *told, mapped);
}

void BeforeAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener,
                       loopback::ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(listener.endpoint()));
  EXPECT_THAT(client.PeerAddr(), IsPeer(listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket server, listener.Accept());
  EXPECT_THAT(client.PeerAddr(), IsPeer(listener.endpoint()));
}

void OnceConnectIsDone(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener,
                       loopback::ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock client,
                       c.Connect(listener.endpoint(), {.nonblock = true}));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PeerAddr(), IsPeer(listener.endpoint()));
}

void OfListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  EXPECT_THAT(listener.PeerAddr(), IsNobody());
}

void OfListenerWithConnection(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket client,
                       loopback::ConnectTo(c.sys(), at));
  EXPECT_THAT(listener.PeerAddr(), IsNobody());
  ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
  EXPECT_THAT(listener.PeerAddr(), IsNobody());
}

void OfUnconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::RawSocket fresh,
                       loopback::NewSocket(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock unconnected, AdoptRaw(c, std::move(fresh)));
  EXPECT_THAT(unconnected.PeerAddr(), IsNobody());
}

void OfBound(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::RawSocket fresh,
                       loopback::NewSocket(c.sys(), c.family()));
  ASSERT_THAT(loopback::Bind(fresh, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(Sock bound, AdoptRaw(c, std::move(fresh)));
  EXPECT_THAT(bound.PeerAddr(), IsNobody());
}

void OfConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::FullQueue queue,
                       loopback::FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock client,
                       c.Connect(queue.endpoint(), {.nonblock = true}));
  EXPECT_THAT(client.PeerAddr(), IsNobody());
}

void OfRefused(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::RefusedPort nobody,
                       loopback::RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock client,
                       c.Connect(nobody.endpoint(), {.nonblock = true}));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PeerAddr(), IsNobody());
  EXPECT_THAT(client.PendingError(), Fails(ECONNREFUSED))
      << "PeerAddr must not clear the pending error";
  EXPECT_THAT(client.PeerAddr(), IsNobody());
}

// Expects no peer, or the peer of the connection: an API may cache it when the
// connection is made. Variation "remembered".
void ExpectNobodyOrRemembered(Context& c, const Sock& sock,
                              const ip::Endpoint& peer) {
  ASSERT_OK_AND_ASSIGN(const auto told, sock.PeerAddr());
  if (!told.has_value()) return;
  EXPECT_EQ(*told, peer);
  c.Variation("remembered");
}

void OfReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, end.peer.LocalEndpoint());
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
  ExpectNobodyOrRemembered(c, end.sock, peer);
}

void KeepsPendingReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, end.peer.LocalEndpoint());
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  ExpectNobodyOrRemembered(c, end.sock, peer);
  EXPECT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
}

// Expects no peer for a descriptor that is not a socket. Variation
// "told_as_error": an API may report the errno of getpeername(2).
void ExpectNobodyOr(Context& c, int error, const Sock& none) {
  const auto peer = none.PeerAddr();
  if (testing::Value(peer, Fails(error))) return c.Variation("told_as_error");
  EXPECT_THAT(peer, IsNobody());
}

void OfClosedDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::Pair pair,
                       loopback::ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock adopted, AdoptClosed(c, std::move(pair.client)));
  ExpectNobodyOr(c, EBADF, adopted);
  // This case does not check the result of the second close.
  static_cast<void>(adopted.Close());
}

void OfPipe(Context& c) {
  const std::optional<Sock> adopted = AdoptPipe(c);
  if (adopted.has_value()) ExpectNobodyOr(c, ENOTSOCK, *adopted);
}

void OfUnconnectedUdp(Context& c) {
  const SysResult made =
      c.sys().Socket(c.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_THAT(made, IsOk());
  loopback::RawSocket udp(made.fd(), c.sys());
  ASSERT_OK_AND_ASSIGN(Sock adopted, AdoptRaw(c, std::move(udp)));
  EXPECT_THAT(adopted.PeerAddr(), IsNobody());
}

// Makes a unix socket. Fails with EAFNOSUPPORT if the kernel has none.
absl::StatusOr<loopback::RawSocket> NewUnixSocket(Syscalls& sys) {
  const SysResult made = sys.Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!made.ok()) return ErrnoError(made.error(), "socket");
  return loopback::RawSocket(made.fd(), sys);
}

void OfUnixSocket(Context& c) {
  auto made = NewUnixSocket(c.sys());
  if (net::ErrnoOf(made) == EAFNOSUPPORT) return c.Variation("no_unix_sockets");
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket listener, std::move(made));
  // Without a path, bind(2) picks an abstract name (unix(7), "Autobind").
  sockaddr_un name = {.sun_family = AF_UNIX};
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  ASSERT_THAT(c.sys().Bind(listener.fd(), address, sizeof(name.sun_family)),
              IsOk());
  ASSERT_THAT(c.sys().Listen(listener.fd(), 1), IsOk());
  socklen_t size = sizeof(name);
  ASSERT_THAT(c.sys().GetSockName(listener.fd(), address, &size), IsOk());
  ASSERT_OK_AND_ASSIGN(loopback::RawSocket client, NewUnixSocket(c.sys()));
  ASSERT_THAT(c.sys().Connect(client.fd(), address, size), IsOk());
  ASSERT_OK_AND_ASSIGN(Sock adopted, AdoptRaw(c, std::move(client)));
  EXPECT_THAT(adopted.PeerAddr(), IsNobody());
}

void AfterPeersEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, end.peer.LocalEndpoint());
  ASSERT_THAT(end.peer.Close(), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
  EXPECT_THAT(end.sock.PeerAddr(), IsPeer(peer));
}

void AfterOwnShutdownOf(Context& c, int how) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, end.peer.LocalEndpoint());
  ASSERT_THAT(end.sock.Shutdown(how), IsOk());
  EXPECT_THAT(end.sock.PeerAddr(), IsPeer(peer));
}

void AfterShutdownOfOneDirection(Context& c) {
  for (const int how : {SHUT_RD, SHUT_WR}) {
    SCOPED_TRACE(how == SHUT_RD ? "SHUT_RD" : "SHUT_WR");
    AfterOwnShutdownOf(c, how);
  }
}

void AfterShutdownOfBoth(Context& c) { AfterOwnShutdownOf(c, SHUT_RDWR); }

// The connection has ended and is not in the kernel's tables any more. The
// socket still exists.
void AfterBothEnds(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, end.peer.LocalEndpoint());
  ASSERT_THAT(end.peer.HalfClose(), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
  ASSERT_THAT(end.sock.Shutdown(SHUT_WR), IsOk());
  ASSERT_THAT(loopback::RecvUntilEof(end.peer), IsOkAndHolds(""));
  ASSERT_OK_AND_ASSIGN(const auto answer, end.sock.PeerAddr());
  if (answer == std::nullopt) return;
  EXPECT_EQ(answer, peer);
  c.Variation("peer_kept_after_both_ends");
}

void DisturbsNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, end.peer.LocalEndpoint());
  ASSERT_THAT(loopback::SendAll(end.peer, "to you"), IsOk());
  EXPECT_THAT(end.sock.PeerAddr(), IsPeer(peer));
  EXPECT_THAT(end.sock.PeerAddr(), IsPeer(peer));
  EXPECT_THAT(end.sock.RecvExactly(6), IsOkAndHolds("to you"));
  ASSERT_THAT(end.sock.SendAll("back"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(end.peer, 4), IsOkAndHolds("back"));
}

std::vector<Case> WithPeer() {
  return {
      {.id = "peeraddr.connected",
       .requirement = "The peer address of a connected socket must be the "
                      "endpoint that it connected to.",
       .source = "getpeername(2) DESCRIPTION",
       .run = &OfConnected},
      {.id = "peeraddr.accepted",
       .requirement = "The peer address of an accepted socket must be the "
                      "client's local address.",
       .source = "getpeername(2) DESCRIPTION",
       .run = &OfAccepted},
      {.id = "peeraddr.accepted.each_its_own",
       .requirement = "Each accepted socket must have the peer address of its "
                      "own connection.",
       .source = "getpeername(2) DESCRIPTION",
       .run = &OfEachAccepted},
      {.id = "peeraddr.both_ends_agree",
       .requirement = "The peer address of each end must be the local address "
                      "of the other.",
       .source = "getpeername(2) DESCRIPTION; getsockname(2) DESCRIPTION",
       .run = &BothEndsAgree},
      {.id = "peeraddr.v4_mapped.accepted",
       .requirement = "The peer address of an IPv4 client of a dual-stack "
                      "listener should be a v4-mapped IPv6 address.",
       .source = "contract: tcp::PeerAddr; ipv6(7) DESCRIPTION",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &MappedOfAccepted},
      {.id = "peeraddr.v4_mapped.connected",
       .requirement =
           "The peer address of a socket that connected to a v4-mapped address "
           "should be that v4-mapped address, not the IPv4 address.",
       .source = "contract: tcp::PeerAddr; ipv6(7) DESCRIPTION",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .run = &MappedOfConnected},
      {.id = "peeraddr.before_accept",
       .requirement =
           "A connected socket must have a peer address before its peer has "
           "accepted the connection, and keep it afterwards.",
       .source = "getpeername(2) DESCRIPTION",
       .run = &BeforeAccept},
      {.id = "peeraddr.nonblocking_connect_done",
       .requirement =
           "The peer address of a socket whose non-blocking Connect has "
           "succeeded must be the endpoint that it connected to.",
       .source = "connect(2) EINPROGRESS; getpeername(2) DESCRIPTION",
       .run = &OnceConnectIsDone},
      {.id = "peeraddr.after_peers_end",
       .requirement = "A socket must keep its peer address after the peer has "
                      "ended the connection with a FIN.",
       .source = "contract: tcp::PeerAddr",
       .run = &AfterPeersEnd},
      {.id = "peeraddr.after_shutdown.one_direction",
       .requirement = "A socket must keep its peer address after one direction "
                      "was shut down.",
       .source = "shutdown(2) DESCRIPTION",
       .run = &AfterShutdownOfOneDirection},
      {.id = "peeraddr.after_shutdown.both_directions",
       .requirement =
           "A socket must keep its peer address after both directions were "
           "shut down, until the peer has sent its FIN.",
       .source = "shutdown(2) DESCRIPTION",
       .run = &AfterShutdownOfBoth},
      {.id = "peeraddr.after_both_ends",
       .requirement = "After both ends have sent their FIN, a socket may have "
                      "no peer address (Linux), or keep it.",
       .source = "getpeername(2) ENOTCONN; RFC 9293 section 3.6",
       .level = Level::kVariation,
       .run = &AfterBothEnds},
      {.id = "peeraddr.disturbs_nothing",
       .requirement = "PeerAddr must change neither its own later results nor "
                      "the data of either direction.",
       .source = "getpeername(2) DESCRIPTION",
       .run = &DisturbsNothing},
  };
}

std::vector<Case> WithoutPeer() {
  return {
      {.id = "peeraddr.none.listener",
       .requirement =
           "A listener must have no peer address, which must not be an error.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTCONN",
       .run = &OfListener},
      {.id = "peeraddr.none.listener_with_connection",
       .requirement = "A listener must have no peer address while a connection "
                      "is queued, nor after it was accepted.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTCONN",
       .run = &OfListenerWithConnection},
      {.id = "peeraddr.none.unconnected",
       .requirement =
           "A socket that never connected must have no peer address.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTCONN",
       .run = &OfUnconnected},
      {.id = "peeraddr.none.bound",
       .requirement = "A socket that is bound but neither listens nor is "
                      "connected must have no peer address.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTCONN",
       .run = &OfBound},
      {.id = "peeraddr.none.connecting",
       .requirement =
           "A socket must have no peer address while it is connecting.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTCONN",
       .run = &OfConnecting},
      {.id = "peeraddr.none.refused",
       .requirement =
           "A socket whose non-blocking Connect was refused must have no peer "
           "address, and PeerAddr must not clear the pending error.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTCONN",
       .run = &OfRefused},
      {.id = "peeraddr.none.reset",
       .requirement = "A socket should have no peer address after it has "
                      "received a reset.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTCONN",
       .level = Level::kShould,
       .run = &OfReset},
      {.id = "peeraddr.none.keeps_pending_reset",
       .requirement = "PeerAddr after a reset must not clear the error: the "
                      "next Recv must fail with ECONNRESET.",
       .source = "getpeername(2) DESCRIPTION; socket(7) SO_ERROR",
       .run = &KeepsPendingReset},
      {.id = "peeraddr.none.closed_descriptor",
       .requirement = "A closed descriptor must have no peer address, which "
                      "should not be an error.",
       .source = "contract: tcp::PeerAddr; getpeername(2) EBADF",
       .level = Level::kVariation,
       .run = &OfClosedDescriptor},
      {.id = "peeraddr.none.not_a_socket",
       .requirement = "A descriptor that is not a socket must have no peer "
                      "address, which should not be an error.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTSOCK",
       .level = Level::kVariation,
       .families = AddressFamilies::kV4,
       .run = &OfPipe},
      {.id = "peeraddr.none.udp",
       .requirement =
           "A UDP socket that is not connected must have no peer address.",
       .source = "contract: tcp::PeerAddr; getpeername(2) ENOTCONN",
       .run = &OfUnconnectedUdp},
      {.id = "peeraddr.none.not_ip",
       .requirement = "A connected socket that is not an IP socket must have "
                      "no peer address, which must not be an error.",
       .source = "contract: tcp::PeerAddr",
       .families = AddressFamilies::kV4,
       .run = &OfUnixSocket},
  };
}

}  // namespace

const std::vector<Case>& PeeraddrCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(WithPeer());
    const std::vector<Case> without = WithoutPeer();
    all->insert(all->end(), without.begin(), without.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
