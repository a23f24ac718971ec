// Queries whose result changes, made before and after the change. An
// implementation that caches its first result, or caches it by descriptor
// number, fails here. The other files make most queries only once.

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
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
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::FullQueue;
using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::RawSocket;
using ::testing::Eq;
using ::testing::Optional;

constexpr ConnectOptions kNonblock = {.nonblock = true};

auto IsNobody() { return IsOkAndHolds(Eq(std::nullopt)); }
auto IsPeer(const ip::Endpoint& peer) { return IsOkAndHolds(Optional(peer)); }

// ---- The peer ---------------------------------------------------------------

void PeerOnceConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue.endpoint(), kNonblock));
  ASSERT_THAT(client.PeerAddr(), IsNobody());
  ASSERT_THAT(queue.Drain(), IsOk());
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PeerAddr(), IsPeer(queue.endpoint()));
}

void PeerAfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint peer, end.peer.LocalEndpoint());
  ASSERT_THAT(end.sock.PeerAddr(), IsPeer(peer));
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
  ASSERT_OK_AND_ASSIGN(const auto told, end.sock.PeerAddr());
  if (!told.has_value()) return;
  EXPECT_EQ(*told, peer);
  c.Variation("remembered");
}

void PeerOfNextAccepted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  // Both clients connect before the first accept, so that only an accepted
  // socket can get the descriptor that the close frees.
  std::vector<RawSocket> clients;
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
    clients.push_back(std::move(client));
  }
  for (const RawSocket& client : clients) {
    ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint origin, client.LocalEndpoint());
    EXPECT_THAT(server.PeerAddr(), IsPeer(origin));
    ASSERT_THAT(server.Close(), IsOk());
  }
}

void PeerOfNextConnected(Context& c) {
  std::vector<Listener> listeners;
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(Listener listener,
                         ListenAnywhere(c.sys(), c.family()));
    listeners.push_back(std::move(listener));
  }
  for (const Listener& listener : listeners) {
    ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(listener.endpoint()));
    EXPECT_THAT(client.PeerAddr(), IsPeer(listener.endpoint()));
    ASSERT_THAT(client.Close(), IsOk());
  }
}

// A listener, and then a connection that may get the listener's descriptor.
void PeerAfterListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener peer,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_THAT(listener.PeerAddr(), IsNobody());
  ASSERT_THAT(listener.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(peer.endpoint()));
  EXPECT_THAT(client.PeerAddr(), IsPeer(peer.endpoint()));
  ASSERT_THAT(client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(listener, c.Listen());
  EXPECT_THAT(listener.PeerAddr(), IsNobody());
}

// ---- The local address ------------------------------------------------------

void LocalOfNextListener(Context& c) {
  for (const ip::Addr& addr : {c.Loopback(), c.Any(), c.Loopback()}) {
    ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen({addr, 0}));
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint bound, listener.LocalEndpoint());
    EXPECT_THAT(listener.LocalAddr(), IsOkAndHolds(bound));
    ASSERT_THAT(listener.Close(), IsOk());
  }
}

// Three times, because the system might pick the same port twice.
void LocalOfNextConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(listener.endpoint()));
    ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint seen, server.PeerEndpoint());
    EXPECT_THAT(client.LocalAddr(), IsOkAndHolds(seen));
    ASSERT_THAT(client.Close(), IsOk());
  }
}

void PortsOfNextListener(Context& c) {
  for (int i = 0; i < 3; ++i) {
    uint16_t port = 0;
    ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen({.port = &port}));
    EXPECT_THAT(ConnectTo(c.sys(), {c.Loopback(), port}), IsOk());
    ASSERT_THAT(listener.Close(), IsOk());
  }
}

// ---- A socket that is connected through its descriptor ----------------------

// A new socket of the implementation with its descriptor, and a listener to
// connect it to.
struct Unconnected {
  Listener listener;
  Sock sock;
  int fd;
};

Result<Unconnected> AdoptUnconnected(Context& c) {
  auto listener = ListenAnywhere(c.sys(), c.family());
  if (!listener.ok()) return Error{.text = listener.status().ToString()};
  auto fresh = loopback::NewSocket(c.sys(), c.family());
  if (!fresh.ok()) return Error{.text = fresh.status().ToString()};
  Result<Sock> sock = AdoptRaw(c, *std::move(fresh));
  if (!sock.ok()) return sock.As<Unconnected>();
  const Result<Witness> witness = sock->Inspect();
  if (!witness.ok()) return witness.As<Unconnected>();
  return Unconnected{.listener = *std::move(listener),
                     .sock = *std::move(sock),
                     .fd = witness->fd()};
}

void ConnectBehind(Context& c, const Unconnected& socket) {
  const ip::SockAddr to(socket.listener.endpoint());
  const SysResult connected = c.sys().Connect(socket.fd, to.get(), to.size());
  // An API may make adopted sockets non-blocking.
  ASSERT_THAT(connected, testing::AnyOf(IsOk(), IsErrno(EINPROGRESS)));
  ASSERT_THAT(WaitFor(c, socket.sock, POLLOUT), IsOk());
}

void PeerOnceConnectedBehind(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Unconnected socket, AdoptUnconnected(c));
  ASSERT_THAT(socket.sock.PeerAddr(), IsNobody());
  ASSERT_NO_FATAL_FAILURE(ConnectBehind(c, socket));
  const auto told = socket.sock.PeerAddr();
  if (testing::Value(told, IsNobody())) return c.Variation("as_adopted");
  EXPECT_THAT(told, IsPeer(socket.listener.endpoint()));
}

void LocalOnceConnectedBehind(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Unconnected socket, AdoptUnconnected(c));
  const ip::Endpoint unbound{c.Any(), 0};
  ASSERT_THAT(socket.sock.LocalAddr(), IsOkAndHolds(unbound));
  ASSERT_NO_FATAL_FAILURE(ConnectBehind(c, socket));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, socket.listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint seen, server.PeerEndpoint());
  const auto told = socket.sock.LocalAddr();
  if (testing::Value(told, IsOkAndHolds(unbound))) {
    return c.Variation("as_adopted");
  }
  EXPECT_THAT(told, IsOkAndHolds(seen));
}

// ---- The pending error ------------------------------------------------------

// 0 while in progress, then ECONNREFUSED, then 0 again.
void PendingErrorOfRefused(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue full, FullQueue::Make(c.sys(), c.family()));
  std::optional<FullQueue> queue(std::move(full));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue->endpoint(), kNonblock));
  ASSERT_THAT(client.PendingError(), IsOk());
  // No socket listens when the SYN is retransmitted.
  queue.reset();
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PendingError(), Fails(ECONNREFUSED));
  EXPECT_THAT(client.PendingError(), IsOk());
}

// Two attempts, one after the other, which may have the same descriptor.
void PendingErrorOfNext(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const loopback::RefusedPort nobody,
                       loopback::RefusedPort::Reserve(c.sys(), c.family()));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(Sock made, c.Connect(listener.endpoint(), kNonblock));
    ASSERT_THAT(WaitFor(c, made, POLLOUT), IsOk());
    EXPECT_THAT(made.PendingError(), IsOk());
    ASSERT_THAT(made.Close(), IsOk());
    ASSERT_OK_AND_ASSIGN(Sock refused, c.Connect(nobody.endpoint(), kNonblock));
    ASSERT_THAT(WaitFor(c, refused, POLLOUT), IsOk());
    EXPECT_THAT(refused.PendingError(), Fails(ECONNREFUSED));
    ASSERT_THAT(refused.Close(), IsOk());
  }
}

// ---- The state --------------------------------------------------------------

void AcceptThenShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({.nonblock = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_THAT(listener.Accept(), Fails(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_THAT(WaitFor(c, listener, POLLIN), IsOk());
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_THAT(listener.Accept(), Fails(EAGAIN));
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(listener.Accept(), Fails(EINVAL));
}

void DataThenReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.SendAll("ping"), IsOk());
  ASSERT_THAT(loopback::RecvExactly(end.peer, 4), IsOkAndHolds("ping"));
  ASSERT_THAT(loopback::SendAll(end.peer, "pong"), IsOk());
  ASSERT_THAT(end.sock.RecvExactly(4), IsOkAndHolds("pong"));
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  EXPECT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
}

void RecvAgainAndAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c, kNonblock));
  ASSERT_THAT(WaitFor(c, end.sock, POLLOUT), IsOk());
  for (const char* text : {"one", "two"}) {
    EXPECT_THAT(RecvOnce(end.sock), Fails(EAGAIN));
    ASSERT_THAT(loopback::SendAll(end.peer, text), IsOk());
    ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
    EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(text));
  }
  EXPECT_THAT(RecvOnce(end.sock), Fails(EAGAIN));
  ASSERT_THAT(end.peer.Close(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  EXPECT_THAT(RecvOnce(end.sock), IsOkAndHolds(""));
}

void AcceptShutdownAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_THAT(listener.Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(listener.Accept(), Fails(EINVAL));
}

void NothingThenReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c, kNonblock));
  ASSERT_THAT(WaitFor(c, end.sock, POLLOUT), IsOk());
  ASSERT_THAT(RecvOnce(end.sock), Fails(EAGAIN));
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  EXPECT_THAT(RecvOnce(end.sock), Fails(ECONNRESET));
}

void SentThenReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c));
  ASSERT_THAT(end.sock.Send("x"), IsOkAndHolds(1U));
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  EXPECT_THAT(end.sock.Send("x"), Fails(ECONNRESET));
  EXPECT_THAT(end.sock.Send("x"), Fails(EPIPE));
}

void NoRoomThenReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Connected end, ConnectToPeer(c, kNonblock));
  ASSERT_THAT(WaitFor(c, end.sock, POLLOUT), IsOk());
  const std::string data(65536, 'x');
  Result<size_t> sent = end.sock.Send(data);
  while (sent.ok()) sent = end.sock.Send(data);
  ASSERT_THAT(sent, Fails(EAGAIN));
  ASSERT_THAT(end.peer.Reset(), IsOk());
  ASSERT_THAT(WaitFor(c, end.sock, POLLIN), IsOk());
  EXPECT_THAT(end.sock.Send("x"), Fails(ECONNRESET));
}

std::vector<Case> Addresses() {
  return {
      {.id = "peeraddr.changes.once_connected",
       .requirement = "A socket that had no peer address while it was "
                      "connecting must have one once it is connected.",
       .source = "getpeername(2) DESCRIPTION, ENOTCONN; connect(2), "
                 "EINPROGRESS",
       .run = &PeerOnceConnected},
      {.id = "peeraddr.changes.reset",
       .requirement = "After a reset, a socket whose peer address was read "
                      "before may have none (Linux), or the one that it had.",
       .source = "getpeername(2) ENOTCONN; RFC 9293 section 3.10.7.4",
       .level = Level::kVariation,
       .run = &PeerAfterReset},
      {.id = "peeraddr.changes.next_accepted",
       .requirement = "An accepted socket must have its own peer address, even "
                      "if an earlier socket had the same descriptor.",
       .source = "getpeername(2) DESCRIPTION; close(2) DESCRIPTION",
       .run = &PeerOfNextAccepted},
      {.id = "peeraddr.changes.next_connected",
       .requirement = "A connected socket must have its own peer address, even "
                      "if an earlier socket had the same descriptor.",
       .source = "getpeername(2) DESCRIPTION; close(2) DESCRIPTION",
       .run = &PeerOfNextConnected},
      {.id = "peeraddr.changes.after_listener",
       .requirement =
           "A connected socket must have a peer address and a listener none, "
           "even if one has the descriptor that the other had before.",
       .source = "getpeername(2) DESCRIPTION, ENOTCONN; close(2) DESCRIPTION",
       .run = &PeerAfterListener},
      {.id = "peeraddr.changes.connected_by_descriptor",
       .requirement = "An adopted socket should have its current peer address "
                      "after it was connected through its descriptor.",
       .source = "getpeername(2) DESCRIPTION",
       .level = Level::kShould,
       .run = &PeerOnceConnectedBehind},
      {.id = "localaddr.changes.next_listener",
       .requirement = "A listener must have its own local address, even if an "
                      "earlier socket had the same descriptor.",
       .source = "getsockname(2) DESCRIPTION; close(2) DESCRIPTION",
       .run = &LocalOfNextListener},
      {.id = "localaddr.changes.next_connected",
       .requirement = "A connected socket must have its own local address, "
                      "even if an earlier socket had the same descriptor.",
       .source = "getsockname(2) DESCRIPTION; close(2) DESCRIPTION",
       .run = &LocalOfNextConnected},
      {.id = "localaddr.changes.connected_by_descriptor",
       .requirement = "An adopted socket should have its current local address "
                      "after it was connected through its descriptor.",
       .source = "getsockname(2) DESCRIPTION; connect(2) DESCRIPTION",
       .level = Level::kShould,
       .run = &LocalOnceConnectedBehind},
      {.id = "listen.port.assigned_each_time",
       .requirement = "Each Listen must assign the port of its own listener.",
       .source = "contract: PortAssignment",
       .run = &PortsOfNextListener},
  };
}

std::vector<Case> States() {
  return {
      {.id = "connect.nonblock.full_queue.then_refused",
       .requirement = "The pending error must be 0 while the attempt is in "
                      "progress, then ECONNREFUSED once, and then 0 again.",
       .source = "connect(2), EINPROGRESS; socket(7), SO_ERROR",
       .run = &PendingErrorOfRefused},
      {.id = "connect.nonblock.each_its_own",
       .requirement = "A non-blocking Connect must have its own outcome, even "
                      "if an earlier socket had the same descriptor.",
       .source = "connect(2), EINPROGRESS; close(2) DESCRIPTION",
       .run = &PendingErrorOfNext},
      {.id = "accept.shutdown.once_accepted",
       .requirement = "Accept must fail with EINVAL after a shutdown, even on "
                      "a listener that has accepted before.",
       .source = "Linux; shutdown(2); accept(2), EINVAL",
       .run = &AcceptThenShutdown},
      {.id = "data.reset.after_traffic",
       .requirement = "After a reset, Recv must fail with ECONNRESET and then "
                      "Send with EPIPE, even if both have succeeded before.",
       .source = "recv(2) ECONNRESET; send(2) EPIPE",
       .run = &DataThenReset},
      {.id = "data.recv.would_block_each_time",
       .requirement = "Recv on a non-blocking socket must fail with EAGAIN "
                      "whenever there is no data, return data whenever there "
                      "is some, and return 0 at the end of the stream.",
       .source = "recv(2) EAGAIN, RETURN VALUE",
       .run = &RecvAgainAndAgain},
      {.id = "accept.shutdown.after_accept",
       .requirement = "Accept on a blocking listener must fail with EINVAL "
                      "after a shutdown, even if it has accepted before.",
       .source = "Linux; shutdown(2); accept(2), EINVAL",
       .run = &AcceptShutdownAccept},
      {.id = "data.recv.would_block_then_reset",
       .requirement = "Recv on a non-blocking socket that has failed with "
                      "EAGAIN must fail with ECONNRESET after a reset.",
       .source = "recv(2) EAGAIN, ECONNRESET; RFC 9293 section 3.10.7.4",
       .run = &NothingThenReset},
      {.id = "data.send.then_reset",
       .requirement = "Send must fail with ECONNRESET after a reset and then "
                      "with EPIPE, even if it has succeeded before.",
       .source = "send(2) ECONNRESET, EPIPE",
       .run = &SentThenReset},
      {.id = "data.send.would_block_then_reset",
       .requirement = "Send on a non-blocking socket that has failed with "
                      "EAGAIN must fail with ECONNRESET after a reset.",
       .source = "send(2) EAGAIN, ECONNRESET",
       .run = &NoRoomThenReset},
  };
}

}  // namespace

const std::vector<Case>& RepeatedQueriesCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(Addresses());
    const std::vector<Case> states = States();
    all->insert(all->end(), states.begin(), states.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance
