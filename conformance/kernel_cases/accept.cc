// accept(2): the accept queue, the returned address, flags, and failures.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
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
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::Pair;
using loopback::RawSocket;

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
  };
  return cases;
}

}  // namespace net::conformance
