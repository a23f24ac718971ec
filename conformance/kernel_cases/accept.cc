// accept(2): the accept queue, the returned address, flags, and blocked calls.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::Pair;
using loopback::RawSocket;

// Returns an address at which no user memory is mapped.
// NOLINTNEXTLINE(performance-no-int-to-ptr)
sockaddr* BadAddress() { return reinterpret_cast<sockaddr*>(uintptr_t{16}); }

void InOrder(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket one,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket two,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint first, one.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint second, two.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket accepted, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const RawSocket next, listener.Accept());
  EXPECT_THAT(accepted.PeerEndpoint(), IsOkAndHolds(first));
  EXPECT_THAT(next.PeerEndpoint(), IsOkAndHolds(second));
}

void Names(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {c.Any(), 0}));
  const ip::Endpoint at = {c.Loopback(), listener.endpoint().port};
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, client.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(server.LocalEndpoint(), IsOkAndHolds(at));
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(from));
  EXPECT_THAT(server.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
}

// ---- The address ------------------------------------------------------------

// A listener with a connection in its accept queue.
struct Queued {
  Listener listener;
  RawSocket client;
};
absl::StatusOr<Queued> NewQueued(Context& c, bool nonblocking = false) {
  absl::StatusOr<Listener> listener =
      NewListener(c, {.nonblocking = nonblocking});
  if (!listener.ok()) return listener.status();
  absl::StatusOr<RawSocket> client = ConnectTo(c.sys(), listener->endpoint());
  if (!client.ok()) return client.status();
  return Queued{*std::move(listener), *std::move(client)};
}

// Returns the length of the case's socket address.
socklen_t AddressSize(Context& c) {
  return c.v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

void TellsThePeer(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, queued.client.LocalEndpoint());
  ip::SockAddr address;
  const SysResult accepted =
      c.sys().Accept4(queued.listener.socket().fd(), address.get(),
                      address.size_ptr(), SOCK_CLOEXEC);
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  EXPECT_EQ(address.size(), AddressSize(c));
  EXPECT_EQ(address.ToEndpoint(), from);
}

void CutsTheAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c));
  std::array<unsigned char, 8> room;
  room.fill(0xee);
  socklen_t size = 4;
  sockaddr_storage full = {};
  std::memcpy(&full, room.data(), room.size());
  const SysResult accepted =
      c.sys().Accept4(queued.listener.socket().fd(),
                      reinterpret_cast<sockaddr*>(&full), &size, SOCK_CLOEXEC);
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  EXPECT_EQ(size, AddressSize(c));
  EXPECT_EQ(full.ss_family, c.family());
  // The bytes beyond the given length are not written.
  std::memcpy(room.data(), &full, room.size());
  EXPECT_EQ(room[4], 0xee);
  EXPECT_EQ(room[7], 0xee);
}

void NoAddressWanted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c));
  socklen_t size = 77;
  const SysResult accepted = c.sys().Accept4(queued.listener.socket().fd(),
                                             nullptr, &size, SOCK_CLOEXEC);
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  EXPECT_EQ(size, 77U);
}

// Expects that accept4(2) with these out-parameters fails with `error`, and
// that the connection that it took from the queue is closed.
void ExpectLost(Context& c, sockaddr* address, socklen_t size, int error) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c, true));
  const Listener& listener = queued.listener;
  EXPECT_THAT(
      c.sys().Accept4(listener.socket().fd(), address, &size, SOCK_CLOEXEC),
      IsErrno(error));
  EXPECT_THAT(listener.Accept(), IsErrno(EAGAIN));
  EXPECT_THAT(RecvOnce(queued.client), IsOkAndHolds(""));
}

void NegativeLength(Context& c) {
  ip::SockAddr room;
  ExpectLost(c, room.get(), static_cast<socklen_t>(-1), EINVAL);
}

// ---- Flags ------------------------------------------------------------------

void InheritsNoFlags(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c, true));
  const SysResult accepted =
      c.sys().Accept4(queued.listener.socket().fd(), nullptr, nullptr, 0);
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  EXPECT_THAT(c.sys().Fcntl(server.fd(), F_GETFL, 0), IsOkAndHolds(O_RDWR));
  EXPECT_THAT(c.sys().Fcntl(server.fd(), F_GETFD, 0), IsOkAndHolds(0));
}

void SetsFlags(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket server,
                       Accept(queued.listener.socket(), SOCK_NONBLOCK));
  EXPECT_THAT(c.sys().Fcntl(server.fd(), F_GETFL, 0),
              IsOkAndHolds(O_RDWR | O_NONBLOCK));
  EXPECT_THAT(c.sys().Fcntl(server.fd(), F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
}

void UnknownFlag(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c, true));
  EXPECT_THAT(Accept(queued.listener.socket(), 1), IsErrno(EINVAL));
  EXPECT_THAT(queued.listener.Accept(), IsOk());
}

// ---- Failures ---------------------------------------------------------------

void NothingQueued(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       NewListener(c, {.nonblocking = true}));
  EXPECT_THAT(listener.Accept(), IsErrno(EAGAIN));
}

void NotListening(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket fresh, NewTcp(c));
  EXPECT_THAT(Accept(fresh), IsErrno(EINVAL));
  ASSERT_THAT(loopback::Bind(fresh, {c.Loopback(), 0}), IsOk());
  EXPECT_THAT(Accept(fresh), IsErrno(EINVAL));
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  EXPECT_THAT(Accept(pair.client), IsErrno(EINVAL));
  EXPECT_THAT(Accept(pair.server), IsErrno(EINVAL));
}

void NoDescriptorLeft(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c, true));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(queued.listener.Accept(), IsErrno(EMFILE));
  c.env().LimitDescriptors(std::nullopt);
  EXPECT_THAT(queued.listener.Accept(), IsOk());
}

void NoDescriptorLeftAndNothingQueued(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       NewListener(c, {.nonblocking = true}));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(listener.Accept(), IsErrno(EMFILE));
}

// ---- Reset while queued -----------------------------------------------------

void ResetBefore(Context& c) {
  ASSERT_OK_AND_ASSIGN(Queued queued, NewQueued(c));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, queued.client.LocalEndpoint());
  ASSERT_THAT(queued.client.Reset(), IsOk());
  ip::SockAddr address;
  const SysResult accepted =
      c.sys().Accept4(queued.listener.socket().fd(), address.get(),
                      address.size_ptr(), SOCK_CLOEXEC);
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  EXPECT_EQ(address.ToEndpoint(), from);
  EXPECT_THAT(server.PeerEndpoint(), IsErrno(ENOTCONN));
  EXPECT_THAT(server.PendingError(), IsOkAndHolds(ECONNRESET));
}

void ResetBeforeKeepsItsPlace(Context& c) {
  ASSERT_OK_AND_ASSIGN(Queued queued, NewQueued(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket second,
                       ConnectTo(c.sys(), queued.listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, second.LocalEndpoint());
  ASSERT_THAT(queued.client.Reset(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket dead, queued.listener.Accept());
  EXPECT_THAT(dead.TcpState(), IsOkAndHolds(TCP_CLOSE));
  ASSERT_OK_AND_ASSIGN(const RawSocket living, queued.listener.Accept());
  EXPECT_THAT(living.PeerEndpoint(), IsOkAndHolds(from));
}

void ResetBeforeKeepsData(Context& c) {
  ASSERT_OK_AND_ASSIGN(Queued queued, NewQueued(c));
  ASSERT_THAT(queued.client.Send("early"), IsOk());
  ASSERT_THAT(queued.client.Reset(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, queued.listener.Accept());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("early"));
  EXPECT_THAT(RecvOnce(server), IsErrno(ECONNRESET));
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds(""));
}

// ---- Blocked ----------------------------------------------------------------

// Returns a call of accept4(2) that may block. It uses the descriptor's number,
// because it may outlive the descriptor.
std::function<SysResult()> AcceptCall(Context& c, const RawSocket& listener) {
  return [&c, fd = listener.fd()] {
    return c.sys().Accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
  };
}

void WokenByConnection(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accept.Join();
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint from, client.LocalEndpoint());
  EXPECT_THAT(server.PeerEndpoint(), IsOkAndHolds(from));
}

// Linux hands out the lowest free number.
void ReservesItsDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accept.Join();
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  if (accepted.fd() > client.fd()) {
    return c.Variation("takes_its_number_at_the_end");
  }
}

void WokenByShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_THAT(listener.socket().Shutdown(SHUT_RD), IsOk());
  EXPECT_THAT(accept.Join(), IsErrno(EINVAL));
}

void WokenBySignal(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  accept.Interrupt();
  EXPECT_THAT(accept.Join(), IsErrno(EINTR));
}

void WokenByDisconnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_THAT(Disconnect(listener.socket()), IsOk());
  EXPECT_THAT(accept.Join(), IsErrno(EINVAL));
}

// A blocked call keeps the listener alive after its descriptor is closed.
void OutlivesTheDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_THAT(listener.socket().Close(), IsOk());
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accept.Join();
  ASSERT_THAT(accepted, IsOk());
  EXPECT_THAT(c.sys().Close(accepted.fd()), IsOk());
  // The call has returned, so the listener is closed.
  EXPECT_THAT(ConnectTo(c.sys(), listener.endpoint()), IsErrno(ECONNREFUSED));
}

void OneWakesOne(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall first(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(first.AwaitBlocked());
  PendingCall second(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(second.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket one,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = first.Join();
  ASSERT_THAT(accepted, IsOk());
  const RawSocket server(accepted.fd(), c.sys());
  // The second call stays blocked until the next connection.
  EXPECT_TRUE(second.AwaitBlocked());
  ASSERT_OK_AND_ASSIGN(const RawSocket two,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult next = second.Join();
  ASSERT_THAT(next, IsOk());
  EXPECT_THAT(c.sys().Close(next.fd()), IsOk());
}

void ReceiveTimeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  const timeval soon = {.tv_sec = 0, .tv_usec = 20000};
  ASSERT_THAT(c.sys().SetSockOpt(listener.socket().fd(), SOL_SOCKET,
                                 SO_RCVTIMEO, &soon, sizeof(soon)),
              IsOk());
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(Accept(listener.socket()), IsOk());
}

void BlocksThoughMadeNonblocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  PendingCall accept(c, AcceptCall(c, listener.socket()));
  ASSERT_TRUE(accept.AwaitBlocked());
  ASSERT_THAT(c.sys().Fcntl(listener.socket().fd(), F_SETFL, O_NONBLOCK),
              IsOk());
  EXPECT_TRUE(accept.AwaitBlocked());
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  const SysResult accepted = accept.Join();
  ASSERT_THAT(accepted, IsOk());
  EXPECT_THAT(c.sys().Close(accepted.fd()), IsOk());
}

}  // namespace

const std::vector<Case>& AcceptKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.accept.order",
       .requirement = "accept(2) must return connections in the order in which "
                      "they were established.",
       .source = "accept(2), DESCRIPTION",
       .run = &InOrder},
      {.id = "kernel.accept.names",
       .requirement =
           "The local address of an accepted socket must be the one that the "
           "client connected to, and its peer address the client's.",
       .source = "accept(2); getsockname(2); getpeername(2)",
       .run = &Names},
      {.id = "kernel.accept.address.peer",
       .requirement = "accept(2) must store the peer's address and its length.",
       .source = "accept(2), DESCRIPTION",
       .run = &TellsThePeer},
      {.id = "kernel.accept.address.cut",
       .requirement = "accept(2) must truncate an address that does not fit, "
                      "and store its full length.",
       .source = "accept(2), DESCRIPTION",
       .run = &CutsTheAddress},
      {.id = "kernel.accept.address.none",
       .requirement =
           "accept(2) must not change the length if the address is null.",
       .source = "accept(2), DESCRIPTION",
       .run = &NoAddressWanted},
      {.id = "kernel.accept.address.negative_length",
       .requirement = "accept(2) with a negative length must fail with EINVAL, "
                      "and lose the connection.",
       .source = "measured on Linux 6.18",
       .run = &NegativeLength},
      {.id = "kernel.accept.address.bad",
       .requirement = "accept(2) with a bad address must fail with EFAULT, and "
                      "lose the connection.",
       .source = "accept(2), EFAULT; measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectLost(c, BadAddress(), sizeof(sockaddr_in6), EFAULT);
           }},
      {.id = "kernel.accept.flags.not_inherited",
       .requirement = "An accepted socket must inherit neither O_NONBLOCK nor "
                      "FD_CLOEXEC from the listener.",
       .source = "accept(2), DESCRIPTION",
       .run = &InheritsNoFlags},
      {.id = "kernel.accept.flags.set",
       .requirement =
           "accept4(2) must set O_NONBLOCK and FD_CLOEXEC on the accepted "
           "socket if SOCK_NONBLOCK and SOCK_CLOEXEC are given.",
       .source = "accept(2), accept4",
       .run = &SetsFlags},
      {.id = "kernel.accept.flags.unknown",
       .requirement = "accept4(2) with an unknown flag must fail with EINVAL, "
                      "and leave the connection in the queue.",
       .source = "accept(2), EINVAL",
       .run = &UnknownFlag},
      {.id = "kernel.accept.nothing_queued",
       .requirement = "A non-blocking accept(2) must fail with EAGAIN while "
                      "the accept queue is empty.",
       .source = "accept(2), EAGAIN",
       .run = &NothingQueued},
      {.id = "kernel.accept.not_listening",
       .requirement =
           "accept(2) must fail with EINVAL on a socket that does not listen.",
       .source = "accept(2), EINVAL",
       .run = &NotListening},
      {.id = "kernel.accept.no_descriptor",
       .requirement = "accept(2) must fail with EMFILE at the limit of open "
                      "descriptors, and leave the connection in the queue.",
       .source = "accept(2), EMFILE",
       .run = &NoDescriptorLeft},
      {.id = "kernel.accept.no_descriptor_nothing_queued",
       .requirement = "accept(2) must fail with EMFILE at the limit of open "
                      "descriptors, even if the accept queue is empty.",
       .source = "measured on Linux 6.18",
       .run = &NoDescriptorLeftAndNothingQueued},
      {.id = "kernel.accept.reset_before.address",
       .requirement =
           "A connection that was reset while queued must be accepted with the "
           "peer's address; it must have no peer address afterwards, and "
           "ECONNRESET as its pending error.",
       .source = "measured on Linux 6.18",
       .run = &ResetBefore},
      {.id = "kernel.accept.reset_before.order",
       .requirement = "A connection that was reset while queued must keep its "
                      "place in the accept queue.",
       .source = "measured on Linux 6.18",
       .run = &ResetBeforeKeepsItsPlace},
      {.id = "kernel.accept.reset_before.data",
       .requirement =
           "On a connection that was reset while queued, recv(2) must first "
           "return the data, then fail with ECONNRESET, and then return 0.",
       .source = "measured on Linux 6.18",
       .run = &ResetBeforeKeepsData},
      {.id = "kernel.accept.blocked.connection",
       .requirement =
           "A blocked accept(2) must return when a connection arrives.",
       .source = "accept(2), DESCRIPTION",
       .run = &WokenByConnection},
      {.id = "kernel.accept.blocked.reserves_its_descriptor",
       .requirement = "A blocked accept(2) may have taken its descriptor's "
                      "number already, "
                      "so that later calls get higher ones.",
       .source = "Linux: __sys_accept4() in net/socket.c; measured on Linux "
                 "6.18",
       .level = Level::kVariation,
       .run = &ReservesItsDescriptor},
      {.id = "kernel.accept.blocked.shutdown",
       .requirement = "A blocked accept(2) must fail with EINVAL when the "
                      "listener is shut down.",
       .source = "measured on Linux 6.18",
       .run = &WokenByShutdown},
      {.id = "kernel.accept.blocked.signal",
       .requirement = "A blocked accept(2) must fail with EINTR on a signal.",
       .source = "accept(2), EINTR",
       .run = &WokenBySignal},
      {.id = "kernel.accept.blocked.disconnect",
       .requirement =
           "A blocked accept(2) must fail with EINVAL when connect(2) to "
           "AF_UNSPEC dissolves the listener's association.",
       .source = "measured on Linux 6.18",
       .run = &WokenByDisconnect},
      {.id = "kernel.accept.blocked.close",
       .requirement =
           "A blocked accept(2) must keep the listener alive after its "
           "descriptor is closed, until it has returned a connection.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &OutlivesTheDescriptor},
      {.id = "kernel.accept.blocked.one_for_one",
       .requirement = "One connection must wake one blocked accept(2), the one "
                      "that has blocked longest.",
       .source = "measured on Linux 6.18",
       .run = &OneWakesOne},
      {.id = "kernel.accept.blocked.receive_timeout",
       .requirement = "A blocked accept(2) must fail with EAGAIN when "
                      "SO_RCVTIMEO expires.",
       .source = "socket(7), SO_RCVTIMEO",
       .run = &ReceiveTimeout},
      {.id = "kernel.accept.blocked.nonblock_set",
       .requirement = "A blocked accept(2) must stay blocked when O_NONBLOCK "
                      "is set on the listener.",
       .source = "measured on Linux 6.18",
       .run = &BlocksThoughMadeNonblocking},
  };
  return cases;
}

}  // namespace net::conformance
