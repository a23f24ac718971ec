// TCP Fast Open (RFC 7413): MSG_FASTOPEN and TCP_FASTOPEN_CONNECT. And three
// findings of the random programs (fakes/differential).

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::Listener;
using loopback::ListenOn;
using loopback::RawSocket;

constexpr absl::string_view kSysctl = "net.ipv4.tcp_fastopen";

// Calls sendmsg(2) with MSG_FASTOPEN and a name.
SysResult SendTo(const RawSocket& socket, const ip::Endpoint& remote,
                 std::string data, int flags = 0) {
  LongAddress name = MakeLongAddress(remote);
  iovec part = {.iov_base = data.data(), .iov_len = data.size()};
  msghdr header = {};
  header.msg_name = &name.storage;
  header.msg_namelen =
      remote.addr.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  return socket.syscalls().SendMsg(socket.fd(), &header,
                                   MSG_FASTOPEN | MSG_NOSIGNAL | flags);
}

// Makes a listener with a queue for Fast Open. Clients and servers use it.
absl::StatusOr<Listener> NewFastListener(Context& c) {
  c.env().SetSysctl(kSysctl, "3");
  auto listener = NewListener(c);
  if (!listener.ok()) return listener.status();
  const SysResult set = SetTcp(listener->socket(), TCP_FASTOPEN, 5);
  if (!set.ok()) return absl::InternalError("setsockopt");
  return listener;
}

// Connects once, which brings the server's cookie.
void GetCookie(Context& c, const Listener& listener) {
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(SendTo(client, listener.endpoint(), "first"), IsOkAndHolds(5));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("first"));
}

// Expects that a connection is queued whose data is `data`.
void ExpectAccepted(const Listener& listener, absl::string_view data) {
  ASSERT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(POLLIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds(std::string(data)));
}
void ExpectNothingQueued(const Listener& listener) {
  EXPECT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(0));
}

// A new client with TCP_FASTOPEN_CONNECT.
absl::StatusOr<RawSocket> NewDeferring(Context& c, int type_flags = 0) {
  auto client = NewTcp(c, type_flags);
  if (!client.ok()) return client.status();
  const SysResult set = SetTcp(*client, TCP_FASTOPEN_CONNECT, 1);
  if (!set.ok()) return absl::InternalError("setsockopt");
  return client;
}

// Returns an address at which nobody listens, while `holder` lives.
absl::StatusOr<ip::Endpoint> Refused(Context& c, RawSocket& holder) {
  auto socket = NewTcp(c);
  if (!socket.ok()) return socket.status();
  const absl::Status bound = Bind(*socket, {c.Loopback(), 0});
  if (!bound.ok()) return bound;
  holder = std::move(*socket);
  return holder.LocalEndpoint();
}

// ---- MSG_FASTOPEN -----------------------------------------------------------

void Disabled(Context& c) {
  c.env().SetSysctl(kSysctl, "0");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(SendTo(client, listener.endpoint(), "x"), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(client.Send("x", MSG_FASTOPEN), IsErrno(EOPNOTSUPP));
  EXPECT_THAT(SetTcp(client, TCP_FASTOPEN_CONNECT, 1), IsErrno(EOPNOTSUPP));
  ExpectNothingQueued(listener);
}

void Blocking(Context& c) {
  c.env().SetSysctl(kSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(SendTo(client, listener.endpoint(), "hello"), IsOkAndHolds(5));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_ESTABLISHED}));
  ExpectAccepted(listener, "hello");
}

void Nonblocking(Context& c) {
  c.env().SetSysctl(kSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendTo(client, listener.endpoint(), "hello"),
              IsErrno(EINPROGRESS));
  EXPECT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(SendTo(client, listener.endpoint(), "again"), IsOkAndHolds(5));
  ExpectAccepted(listener, "again");
  EXPECT_THAT(SendTo(client, listener.endpoint(), "x"), IsErrno(EISCONN));
}

void WithoutName(Context& c) {
  c.env().SetSysctl(kSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(client.Send("x", MSG_FASTOPEN), IsErrno(EINVAL));
}

void OnOthers(Context& c) {
  c.env().SetSysctl(kSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  EXPECT_THAT(SendTo(listener.socket(), listener.endpoint(), "x"),
              IsErrno(EISCONN));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(SendTo(client, listener.endpoint(), "x"), IsErrno(EISCONN));
  EXPECT_THAT(client.Send("x", MSG_FASTOPEN), IsErrno(EISCONN));
}

void BlockingRefused(Context& c) {
  c.env().SetSysctl(kSysctl, "1");
  RawSocket holder;
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint refused, Refused(c, holder));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  EXPECT_THAT(SendTo(client, refused, "x"), IsErrno(ECONNREFUSED));
}

void WithCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendTo(client, listener.endpoint(), "hello"), IsOkAndHolds(5));
  ExpectAccepted(listener, "hello");
}

void WithoutCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendTo(client, listener.endpoint(), "hello"),
              IsErrno(EINPROGRESS));
}

// The system allows it, but not this listener.
void ListenerWithoutCookies(Context& c) {
  c.env().SetSysctl(kSysctl, "3");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
    EXPECT_THAT(SendTo(client, listener.endpoint(), "hello"),
                IsErrno(EINPROGRESS));
    ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  }
}

void AgainUnderWay(Context& c) {
  c.env().SetSysctl(kSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Connecting connecting, NewConnecting(c));
  EXPECT_THAT(SendTo(connecting.client, connecting.queue.endpoint(), "hello"),
              IsErrno(EALREADY));
}

void MuchWithCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendTo(client, listener.endpoint(), std::string(100'000, 'x')),
              IsOkAndHolds(32768));
  ASSERT_OK_AND_ASSIGN(const RawSocket blocking, NewTcp(c));
  EXPECT_THAT(SendTo(blocking, listener.endpoint(), std::string(100'000, 'x')),
              IsOkAndHolds(100'000));
}

void RefusedWithCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetCookie(c, listener);
  RawSocket holder;
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint refused, Refused(c, holder));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendTo(client, refused, "hello"), IsOkAndHolds(5));
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(ECONNREFUSED));
}

void NoCookieNeeded(Context& c) {
  c.env().SetSysctl(kSysctl, "1");
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(SetTcp(client, TCP_FASTOPEN_NO_COOKIE, 1), IsOk());
  EXPECT_THAT(SendTo(client, listener.endpoint(), "hello"), IsOkAndHolds(5));
  ASSERT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("hello"));
}

// ---- The accept queue is full -----------------------------------------------

// A listener for Fast Open whose cookie the system has, and whose accept queue
// holds two connections: `fillers`.
struct FullListener {
  Listener listener;
  std::vector<RawSocket> fillers;
};
absl::StatusOr<FullListener> NewFull(Context& c) {
  c.env().SetSysctl(kSysctl, "3");
  auto listener = NewListener(c, {.backlog = 1});
  if (!listener.ok()) return listener.status();
  const SysResult set = SetTcp(listener->socket(), TCP_FASTOPEN, 5);
  if (!set.ok()) return absl::InternalError("setsockopt");
  GetCookie(c, *listener);
  FullListener full = {*std::move(listener), {}};
  for (int i = 0; i < 2; ++i) {
    auto filler = ConnectTo(c.sys(), full.listener.endpoint());
    if (!filler.ok()) return filler.status();
    full.fillers.push_back(*std::move(filler));
  }
  return full;
}

// Accepts the connections that fill the queue.
void MakeRoom(const FullListener& full) {
  for (size_t i = 0; i < full.fillers.size(); ++i) {
    EXPECT_THAT(full.listener.Accept(), IsOk());
  }
}

// Accepts one connection, and expects that it brings `size` bytes.
void ExpectBytes(const Listener& listener, size_t size) {
  ASSERT_THAT(listener.socket().Wait(POLLIN), IsOkAndHolds(POLLIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  size_t received = 0;
  while (received < size) {
    ASSERT_OK_AND_ASSIGN(const std::string part, RecvOnce(server, size));
    ASSERT_FALSE(part.empty());
    received += part.size();
  }
  EXPECT_EQ(received, size);
}

void FullQueueNonblocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullListener full, NewFull(c));
  const ip::Endpoint& remote = full.listener.endpoint();
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendTo(client, remote, "hello"), IsOkAndHolds(5));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_SYN_SENT}));
  EXPECT_THAT(client.Ready(POLLIN | POLLOUT), IsOkAndHolds(0));
  EXPECT_THAT(SendTo(client, remote, "more"), IsErrno(EALREADY));
  EXPECT_THAT(client.Send("more"), IsErrno(EAGAIN));
  MakeRoom(full);
  ASSERT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  ExpectAccepted(full.listener, "hello");
  EXPECT_THAT(Connect(client, remote), IsOk());
  EXPECT_THAT(Connect(client, remote), IsErrno(EISCONN));
}

void FullQueueMuch(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullListener full, NewFull(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(
      SendTo(client, full.listener.endpoint(), std::string(100'000, 'x')),
      IsOkAndHolds(32768));
  MakeRoom(full);
  ExpectBytes(full.listener, 32768);
}

void FullQueueBlocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullListener full, NewFull(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  constexpr size_t kMuch = 50'000;
  PendingCall sending(c, [&] {
    return SendTo(client, full.listener.endpoint(), std::string(kMuch, 'x'));
  });
  ASSERT_TRUE(sending.AwaitBlocked());
  MakeRoom(full);
  EXPECT_THAT(sending.Join(), IsOkAndHolds(int64_t{kMuch}));
  ExpectBytes(full.listener, kMuch);
}

void FullQueueSendTimeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullListener full, NewFull(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  const timeval timeout = {.tv_sec = 0, .tv_usec = 50'000};
  ASSERT_THAT(SetOptionTo(client, SOL_SOCKET, SO_SNDTIMEO, timeout), IsOk());
  EXPECT_THAT(SendTo(client, full.listener.endpoint(), "hello"),
              IsOkAndHolds(5));
  MakeRoom(full);
  ExpectBytes(full.listener, 5);
}

void FullQueueDeferredConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullListener full, NewFull(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c, SOCK_NONBLOCK));
  EXPECT_THAT(Connect(client, full.listener.endpoint()), IsOk());
  EXPECT_THAT(client.Send("hey"), IsOkAndHolds(3));
  EXPECT_THAT(client.Send("more"), IsErrno(EAGAIN));
  MakeRoom(full);
  ExpectBytes(full.listener, 3);
}

void FullQueueDisconnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullListener full, NewFull(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendTo(client, full.listener.endpoint(), "hello"),
              IsOkAndHolds(5));
  ASSERT_THAT(Disconnect(client), IsOk());
  MakeRoom(full);
  ASSERT_OK_AND_ASSIGN(const RawSocket other, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendTo(other, full.listener.endpoint(), "other"),
              IsOkAndHolds(5));
  ExpectAccepted(full.listener, "other");
  EXPECT_THAT(Connect(client, full.listener.endpoint()), IsErrno(EINPROGRESS));
  ASSERT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(client.Send("new"), IsOkAndHolds(3));
  ExpectAccepted(full.listener, "new");
}

// ---- TCP_FASTOPEN_CONNECT ---------------------------------------------------

void ConnectsWithoutCookie(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(POLLIN));
}

void DefersConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  ExpectNothingQueued(listener);
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_SYN_SENT}));
  EXPECT_THAT(client.Ready(POLLIN | POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(client.PeerEndpoint(), IsErrno(ENOTCONN));
  EXPECT_THAT(RecvOnce(client, 1, MSG_DONTWAIT), IsErrno(EAGAIN));
  EXPECT_THAT(client.Send("hey"), IsOkAndHolds(3));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_ESTABLISHED}));
  ExpectAccepted(listener, "hey");
  EXPECT_THAT(Connect(client, listener.endpoint()), IsErrno(EISCONN));
}

void DefersNonblocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c, SOCK_NONBLOCK));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(Connect(client, listener.endpoint()), IsErrno(EISCONN));
  EXPECT_THAT(client.Send("hey"), IsOkAndHolds(3));
  ExpectAccepted(listener, "hey");
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(Connect(client, listener.endpoint()), IsErrno(EISCONN));
}

void DeferredRefused(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetCookie(c, listener);
  RawSocket holder;
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint refused, Refused(c, holder));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c));
  EXPECT_THAT(Connect(client, refused), IsOk());
  EXPECT_THAT(client.Send("x"), IsErrno(ECONNREFUSED));
  EXPECT_THAT(client.Send("x"), IsErrno(EPIPE));
}

void DeferredEnds(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(RawSocket closed, NewDeferring(c));
  EXPECT_THAT(Connect(closed, listener.endpoint()), IsOk());
  EXPECT_THAT(closed.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket shut, NewDeferring(c));
  EXPECT_THAT(Connect(shut, listener.endpoint()), IsOk());
  EXPECT_THAT(shut.Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(shut.Send("x"), IsErrno(ECONNRESET));
  ASSERT_OK_AND_ASSIGN(const RawSocket dissolved, NewDeferring(c));
  EXPECT_THAT(Connect(dissolved, listener.endpoint()), IsOk());
  EXPECT_THAT(Disconnect(dissolved), IsOk());
  EXPECT_THAT(dissolved.PendingError(), IsOkAndHolds(ECONNRESET));
  ExpectNothingQueued(listener);
}

void DeferredSendsNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewFastListener(c));
  GetCookie(c, listener);
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewDeferring(c));
  EXPECT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_THAT(client.Send(""), IsOkAndHolds(0));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_ESTABLISHED}));
}

// ---- Findings ---------------------------------------------------------------

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

// Data that MSG_MORE holds back provokes no reset from a peer that has closed.
void MoreToClosedPeer(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(pair.server.Send("x", MSG_MORE), IsOkAndHolds(1));
  const char byte = 0;
  EXPECT_THAT(SetOptionAt(pair.server, IPPROTO_TCP, TCP_CORK, &byte, 1),
              IsErrno(EINVAL));
  EXPECT_THAT(pair.server.Send("y"), IsOkAndHolds(1));
  EXPECT_THAT(pair.server.Send("z"), IsErrno(EPIPE));
}

}  // namespace

const std::vector<Case>& FastOpenKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.fast_open.disabled",
       .requirement = "MSG_FASTOPEN and TCP_FASTOPEN_CONNECT must fail with "
                      "EOPNOTSUPP if net.ipv4.tcp_fastopen does not enable "
                      "clients.",
       .source = "tcp(7), TCP_FASTOPEN_CONNECT; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &Disabled},
      {.id = "kernel.fast_open.blocking",
       .requirement =
           "sendmsg(2) with MSG_FASTOPEN and a name must connect and "
           "send.",
       .source = "RFC 7413, appendix A; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &Blocking},
      {.id = "kernel.fast_open.nonblocking",
       .requirement = "A non-blocking sendmsg(2) with MSG_FASTOPEN must fail "
                      "with EINPROGRESS without a cookie; a second one must "
                      "send, and a third one fail with EISCONN.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &Nonblocking},
      {.id = "kernel.fast_open.no_name",
       .requirement = "MSG_FASTOPEN on a new socket must fail with EINVAL "
                      "without a name.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &WithoutName},
      {.id = "kernel.fast_open.others",
       .requirement =
           "MSG_FASTOPEN must fail with EISCONN on a listener and on "
           "a connected socket.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &OnOthers},
      {.id = "kernel.fast_open.refused",
       .requirement =
           "sendmsg(2) with MSG_FASTOPEN must fail with ECONNREFUSED "
           "if nobody listens.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &BlockingRefused},
      {.id = "kernel.fast_open.cookie",
       .requirement =
           "With the server's cookie, a non-blocking sendmsg(2) with "
           "MSG_FASTOPEN must send its data with the SYN.",
       .source = "RFC 7413, section 3",
       .needs = Need::kOwnNetwork,
       .run = &WithCookie},
      {.id = "kernel.fast_open.first",
       .requirement = "The first client of a server must have no cookie.",
       .source = "RFC 7413, section 3",
       .needs = Need::kOwnNetwork,
       .run = &WithoutCookie},
      {.id = "kernel.fast_open.listener",
       .requirement =
           "A listener without TCP_FASTOPEN must give no cookie, even if "
           "net.ipv4.tcp_fastopen enables servers.",
       .source = "tcp(7), TCP_FASTOPEN; Linux, "
                 "Documentation/networking/ip-sysctl.rst, tcp_fastopen",
       .needs = Need::kOwnNetwork,
       .run = &ListenerWithoutCookies},
      {.id = "kernel.fast_open.already",
       .requirement = "A non-blocking send with MSG_FASTOPEN must fail with "
                      "EALREADY while the connection is in progress.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &AgainUnderWay},
      {.id = "kernel.fast_open.much",
       .requirement = "A SYN must take at most a segment of data; a blocking "
                      "sendmsg(2) must send the rest after it.",
       .source = "RFC 7413, section 4.2.1; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &MuchWithCookie},
      {.id = "kernel.fast_open.refused.cookie",
       .requirement = "A non-blocking sendmsg(2) that has sent data with a SYN "
                      "must return its size, and leave ECONNREFUSED pending if "
                      "nobody listens.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &RefusedWithCookie},
      {.id = "kernel.fast_open.no_cookie",
       .requirement =
           "With TCP_FASTOPEN_NO_COOKIE a client must send data with "
           "the SYN without a cookie; a server without Fast Open "
           "must get the data after the handshake.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &NoCookieNeeded},
      {.id = "kernel.fast_open.full_queue",
       .requirement = "A non-blocking MSG_FASTOPEN whose SYN a full accept "
                      "queue drops must return the size of its data, and the "
                      "data must follow the handshake.",
       .source = "Linux, tcp_sendmsg_locked() in net/ipv4/tcp.c; measured on "
                 "Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FullQueueNonblocking},
      {.id = "kernel.fast_open.full_queue.much",
       .requirement = "Of much data, a SYN that a full accept queue drops must "
                      "keep as much as fits into a segment.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FullQueueMuch},
      {.id = "kernel.fast_open.full_queue.blocking",
       .requirement = "A blocking MSG_FASTOPEN must wait for room in the "
                      "accept queue, and then send all.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FullQueueBlocking},
      {.id = "kernel.fast_open.full_queue.send_timeout",
       .requirement = "When SO_SNDTIMEO ends a MSG_FASTOPEN, it must return "
                      "the size of the data in the SYN, which is sent later.",
       .source = "Linux, tcp_sendmsg_locked() in net/ipv4/tcp.c; measured on "
                 "Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FullQueueSendTimeout},
      {.id = "kernel.fast_open.full_queue.connect",
       .requirement = "The first send(2) with TCP_FASTOPEN_CONNECT must return "
                      "its size although a full accept queue drops the SYN.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FullQueueDeferredConnect},
      {.id = "kernel.fast_open.full_queue.disconnect",
       .requirement = "A disconnect must discard the data of a SYN that was "
                      "dropped.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FullQueueDisconnect},
      {.id = "kernel.fast_open.connect.first",
       .requirement = "With TCP_FASTOPEN_CONNECT, connect(2) must connect "
                      "without a cookie.",
       .source = "tcp(7), TCP_FASTOPEN_CONNECT",
       .needs = Need::kOwnNetwork,
       .run = &ConnectsWithoutCookie},
      {.id = "kernel.fast_open.connect",
       .requirement = "With TCP_FASTOPEN_CONNECT and a cookie, connect(2) must "
                      "succeed without a SYN; the first send must carry it.",
       .source = "tcp(7), TCP_FASTOPEN_CONNECT; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DefersConnect},
      {.id = "kernel.fast_open.connect.nonblocking",
       .requirement = "A deferred connect(2) must succeed on a non-blocking "
                      "socket; a second one must fail with EISCONN before the "
                      "first send, and succeed once after it.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DefersNonblocking},
      {.id = "kernel.fast_open.connect.refused",
       .requirement = "The first send of a deferred connect(2) must fail with "
                      "ECONNREFUSED if nobody listens.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DeferredRefused},
      {.id = "kernel.fast_open.connect.ends",
       .requirement = "close(2), shutdown(2) and connect(2) to AF_UNSPEC must "
                      "end a deferred connect(2) without a SYN.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DeferredEnds},
      {.id = "kernel.fast_open.connect.nothing",
       .requirement = "A send of 0 bytes must carry out a deferred connect(2).",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &DeferredSendsNothing},
      {.id = "kernel.connect.families.v6_source",
       .requirement = "An IPv6 socket that was bound to ::1 and connects over "
                      "IPv4 must come from 127.0.0.6.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &V6SourceOverV4},
      {.id = "kernel.data.more.closed_peer",
       .requirement = "A byte that MSG_MORE holds back for a peer that has "
                      "closed must not be answered by a reset before it is "
                      "sent.",
       .source = "measured on Linux 6.18",
       .run = &MoreToClosedPeer},
  };
  return cases;
}

}  // namespace net::conformance
