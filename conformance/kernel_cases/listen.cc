// listen(2): the accept queue and its limits, the end of a listener, and
// listeners that share a port.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
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
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::FullQueue;
using loopback::Listener;
using loopback::ListenOn;
using loopback::RawSocket;

// ---- The queue --------------------------------------------------------------

// The values of TCP_INFO on a listener: the number of queued connections, and
// the backlog.
struct Queue {
  uint32_t queued;
  uint32_t backlog;
};
absl::StatusOr<Queue> QueueOf(const RawSocket& listener) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  const SysResult got = listener.syscalls().GetSockOpt(
      listener.fd(), IPPROTO_TCP, TCP_INFO, &info, &size);
  if (!got.ok()) return ErrnoError(got.error(), "getsockopt");
  return Queue{.queued = info.tcpi_unacked, .backlog = info.tcpi_sacked};
}

void ExpectBacklog(Context& c, int given, uint32_t effective) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Listen(socket, given), IsOk());
  ASSERT_OK_AND_ASSIGN(const Queue queue, QueueOf(socket));
  EXPECT_EQ(queue.backlog, effective);
}

void CappedBySomaxconn(Context& c) {
  c.env().SetSysctl("net.core.somaxconn", "7");
  ExpectBacklog(c, 8, 7);
  ExpectBacklog(c, 6, 6);
}

// A negative backlog has the effect of a very large one.
void NegativeBacklog(Context& c) {
  c.env().SetSysctl("net.core.somaxconn", "7");
  ExpectBacklog(c, -1, 7);
}

void QueuedIsCounted(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket one,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket two,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const Queue full, QueueOf(listener.socket()));
  EXPECT_EQ(full.queued, 2U);
  ASSERT_THAT(listener.Accept(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Queue rest, QueueOf(listener.socket()));
  EXPECT_EQ(rest.queued, 1U);
}

void ExpectRoomFor(Context& c, int backlog, size_t connections) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family(), backlog));
  EXPECT_EQ(queue.queued(), connections);
}

// A connect(2) that starts when there is room succeeds at once.
void RoomByAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_THAT(queue.listener().Accept(), IsOk());
  EXPECT_THAT(ConnectTo(c.sys(), queue.endpoint()), IsOk());
}

void RoomByListen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_THAT(Listen(queue.listener().socket(), 5), IsOk());
  EXPECT_THAT(ConnectTo(c.sys(), queue.endpoint()), IsOk());
}

void SmallerBacklogKeepsTheQueue(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket one,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket two,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket three,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(Listen(listener.socket(), 1), IsOk());
  EXPECT_THAT(listener.Accept(), IsOk());
  EXPECT_THAT(listener.Accept(), IsOk());
  EXPECT_THAT(listener.Accept(), IsOk());
}

void DataBeforeAccept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(client.Send("early"), IsOk());
  ASSERT_THAT(client.Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("early"));
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds(""));
}

// ---- Sockets that cannot listen ---------------------------------------------

void ConnectedMayNot(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Pair pair, NewPair(c));
  EXPECT_THAT(Listen(pair.client), IsErrno(EINVAL));
  EXPECT_THAT(Listen(pair.server), IsErrno(EINVAL));
  EXPECT_THAT(pair.client.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
}

void AfterReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(loopback::Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Reset(), IsOk());
  EXPECT_THAT(Listen(pair.client), IsErrno(EINVAL));
}

// ---- The end of a listener --------------------------------------------------

// A listener with a connection in its accept queue, and the connection's
// client.
struct Queued {
  Listener listener;
  RawSocket client;
};
absl::StatusOr<Queued> NewQueued(Context& c) {
  absl::StatusOr<Listener> listener = NewListener(c);
  if (!listener.ok()) return listener.status();
  absl::StatusOr<RawSocket> client = ConnectTo(c.sys(), listener->endpoint());
  if (!client.ok()) return client.status();
  return Queued{*std::move(listener), *std::move(client)};
}

void CloseResetsTheQueue(Context& c) {
  ASSERT_OK_AND_ASSIGN(Queued queued, NewQueued(c));
  ASSERT_THAT(queued.listener.socket().Close(), IsOk());
  EXPECT_THAT(RecvOnce(queued.client), IsErrno(ECONNRESET));
  EXPECT_THAT(ConnectTo(c.sys(), queued.listener.endpoint()),
              IsErrno(ECONNREFUSED));
}

void CloseKeepsTheAccepted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Queued queued, NewQueued(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, queued.listener.Accept());
  ASSERT_THAT(queued.listener.socket().Close(), IsOk());
  ASSERT_THAT(queued.client.Send("still"), IsOk());
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("still"));
}

void DuplicateListens(Context& c) {
  ASSERT_OK_AND_ASSIGN(Queued queued, NewQueued(c));
  const SysResult copy = c.sys().Dup(queued.listener.socket().fd());
  ASSERT_THAT(copy, IsOk());
  const RawSocket other(copy.fd(), c.sys());
  ASSERT_THAT(queued.listener.socket().Close(), IsOk());
  EXPECT_THAT(Accept(other), IsOk());
}

void ShutdownEnds(Context& c, int how) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c));
  const RawSocket& listener = queued.listener.socket();
  ASSERT_THAT(listener.Shutdown(how), IsOk());
  EXPECT_THAT(listener.TcpState(), IsOkAndHolds(TCP_CLOSE));
  EXPECT_THAT(RecvOnce(queued.client), IsErrno(ECONNRESET));
  EXPECT_THAT(Accept(listener), IsErrno(EINVAL));
  EXPECT_THAT(listener.Shutdown(how), IsErrno(ENOTCONN));
}

void ShutdownForWritingDoesNot(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Queued queued, NewQueued(c));
  ASSERT_THAT(queued.listener.socket().Shutdown(SHUT_WR), IsOk());
  EXPECT_THAT(ConnectTo(c.sys(), queued.listener.endpoint()), IsOk());
  EXPECT_THAT(queued.listener.Accept(), IsOk());
}

// ---- Sharing a port ---------------------------------------------------------

constexpr size_t kManyConnections = 64;

// Connects `count` clients to `at`, and adds them to `clients`.
void ConnectMany(Context& c, const ip::Endpoint& at, size_t count,
                 std::vector<RawSocket>& clients) {
  for (size_t i = 0; i < count; ++i) {
    ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
    clients.push_back(std::move(client));
  }
}

struct Sharers {
  Listener one;
  Listener two;
};
absl::StatusOr<Sharers> NewSharers(Context& c) {
  absl::StatusOr<Listener> one = NewListener(c, {.reuse_port = true});
  if (!one.ok()) return one.status();
  absl::StatusOr<Listener> two =
      ListenOn(c.sys(), one->endpoint(), {.reuse_port = true});
  if (!two.ok()) return two.status();
  return Sharers{*std::move(one), *std::move(two)};
}

void SharedByAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sharers sharing, NewSharers(c));
  std::vector<RawSocket> clients;
  ConnectMany(c, sharing.one.endpoint(), kManyConnections, clients);
  ASSERT_OK_AND_ASSIGN(const Queue one, QueueOf(sharing.one.socket()));
  ASSERT_OK_AND_ASSIGN(const Queue two, QueueOf(sharing.two.socket()));
  EXPECT_EQ(one.queued + two.queued, kManyConnections);
  EXPECT_GT(one.queued, 0U);
  EXPECT_GT(two.queued, 0U);
}

void TheOtherTakesAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sharers sharing, NewSharers(c));
  ASSERT_THAT(sharing.one.socket().Close(), IsOk());
  std::vector<RawSocket> clients;
  ConnectMany(c, sharing.two.endpoint(), kManyConnections, clients);
  ASSERT_OK_AND_ASSIGN(const Queue queue, QueueOf(sharing.two.socket()));
  EXPECT_EQ(queue.queued, kManyConnections);
}

void OneShutDown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sharers sharing, NewSharers(c));
  ASSERT_THAT(sharing.one.socket().Shutdown(SHUT_RD), IsOk());
  std::vector<RawSocket> clients;
  ConnectMany(c, sharing.two.endpoint(), kManyConnections, clients);
  ASSERT_OK_AND_ASSIGN(const Queue queue, QueueOf(sharing.two.socket()));
  EXPECT_EQ(queue.queued, kManyConnections);
}

// Requires that net.ipv4.tcp_migrate_req is off, which is the default.
void QueueDiesWithItsListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sharers sharing, NewSharers(c));
  std::vector<RawSocket> clients;
  ConnectMany(c, sharing.one.endpoint(), kManyConnections, clients);
  ASSERT_OK_AND_ASSIGN(const Queue lost, QueueOf(sharing.one.socket()));
  ASSERT_THAT(sharing.one.socket().Close(), IsOk());
  size_t reset = 0;
  for (const RawSocket& client : clients) {
    ASSERT_OK_AND_ASSIGN(const int error, client.PendingError());
    if (error == ECONNRESET) ++reset;
  }
  EXPECT_EQ(reset, lost.queued);
}

// Listeners on the wildcard and on a specific address share a port by
// SO_REUSEPORT.
void SpecificComesFirst(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener wildcard,
                       ListenOn(c.sys(), {c.Any(), 0}, {.reuse_port = true}));
  const ip::Endpoint at = {c.Loopback(), wildcard.endpoint().port};
  ASSERT_OK_AND_ASSIGN(const Listener specific,
                       ListenOn(c.sys(), at, {.reuse_port = true}));
  std::vector<RawSocket> clients;
  ConnectMany(c, at, kManyConnections, clients);
  ASSERT_OK_AND_ASSIGN(const Queue queue, QueueOf(specific.socket()));
  EXPECT_EQ(queue.queued, kManyConnections);
}

}  // namespace

const std::vector<Case>& ListenKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.listen.backlog.told",
       .requirement = "The effective backlog must be the given one.",
       .source = "tcp(7), TCP_INFO; measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectBacklog(c, 23, 23);
             ExpectBacklog(c, 0, 0);
           }},
      {.id = "kernel.listen.backlog.capped",
       .requirement =
           "The effective backlog must be at most net.core.somaxconn.",
       .source = "listen(2), NOTES",
       .needs = Need::kOwnNetwork,
       .run = &CappedBySomaxconn},
      {.id = "kernel.listen.backlog.negative",
       .requirement = "A negative backlog must have the same effect as one "
                      "above net.core.somaxconn.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &NegativeBacklog},
      {.id = "kernel.listen.queue.counted",
       .requirement = "TCP_INFO of a listener must return the number of queued "
                      "connections.",
       .source = "measured on Linux 6.18",
       .run = &QueuedIsCounted},
      {.id = "kernel.listen.queue.one_more_than_backlog",
       .requirement =
           "The accept queue must hold one connection more than the backlog.",
       .source = "measured on Linux 6.18",
       .run =
           [](Context& c) {
             ExpectRoomFor(c, 1, 2);
             ExpectRoomFor(c, 4, 5);
           }},
      {.id = "kernel.listen.queue.room_by_accept",
       .requirement = "accept(2) must make room in a full accept queue.",
       .source = "listen(2), DESCRIPTION",
       .run = &RoomByAccept},
      {.id = "kernel.listen.queue.room_by_listen",
       .requirement = "Another listen(2) with a larger backlog must make room "
                      "in a full accept queue.",
       .source = "measured on Linux 6.18",
       .run = &RoomByListen},
      {.id = "kernel.listen.queue.kept_by_smaller_backlog",
       .requirement = "Another listen(2) with a smaller backlog must keep the "
                      "queued connections.",
       .source = "measured on Linux 6.18",
       .run = &SmallerBacklogKeepsTheQueue},
      {.id = "kernel.listen.queue.data_before_accept",
       .requirement = "Data and the end of the stream must be received even if "
                      "the client closed before the connection was accepted.",
       .source = "RFC 9293, section 3.10.7.4",
       .run = &DataBeforeAccept},
      {.id = "kernel.listen.connected",
       .requirement = "listen(2) must fail with EINVAL on a connected socket, "
                      "and leave it connected.",
       .source = "measured on Linux 6.18",
       .run = &ConnectedMayNot},
      {.id = "kernel.listen.after_reset",
       .requirement = "listen(2) must fail with EINVAL on a socket whose "
                      "connection was reset.",
       .source = "measured on Linux 6.18",
       .run = &AfterReset},
      {.id = "kernel.listen.close.resets_queue",
       .requirement = "close(2) of a listener must reset its queued "
                      "connections, and later connections must be refused.",
       .source = "RFC 9293, section 3.10.4; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &CloseResetsTheQueue},
      {.id = "kernel.listen.close.keeps_accepted",
       .requirement = "close(2) of a listener must not affect the connections "
                      "that it has accepted.",
       .source = "accept(2), DESCRIPTION",
       .run = &CloseKeepsTheAccepted},
      {.id = "kernel.listen.close.duplicate",
       .requirement =
           "A listener must listen until its last descriptor is closed.",
       .source = "dup(2); close(2)",
       .run = &DuplicateListens},
      {.id = "kernel.listen.shutdown.reading",
       .requirement = "shutdown(SHUT_RD) of a listener must make it stop "
                      "listening, and reset its queued connections.",
       .source = "measured on Linux 6.18",
       .run = [](Context& c) { ShutdownEnds(c, SHUT_RD); }},
      {.id = "kernel.listen.shutdown.both",
       .requirement = "shutdown(SHUT_RDWR) of a listener must make it stop "
                      "listening, and reset its queued connections.",
       .source = "measured on Linux 6.18",
       .run = [](Context& c) { ShutdownEnds(c, SHUT_RDWR); }},
      {.id = "kernel.listen.shutdown.writing",
       .requirement = "shutdown(SHUT_WR) of a listener must have no effect.",
       .source = "measured on Linux 6.18",
       .run = &ShutdownForWritingDoesNot},
      {.id = "kernel.listen.reuseport.shared",
       .requirement = "Connections must be distributed over all listeners that "
                      "share a port.",
       .source = "socket(7), SO_REUSEPORT",
       .run = &SharedByAll},
      {.id = "kernel.listen.reuseport.one_closed",
       .requirement = "A listener must get all connections to its port once "
                      "the other listener on the port is closed.",
       .source = "measured on Linux 6.18",
       .run = &TheOtherTakesAll},
      {.id = "kernel.listen.reuseport.one_shut_down",
       .requirement = "A listener must get all connections to its port once "
                      "the other listener on the port is shut down.",
       .source = "measured on Linux 6.18",
       .run = &OneShutDown},
      {.id = "kernel.listen.reuseport.queue_is_lost",
       .requirement = "close(2) of a listener must reset its queued "
                      "connections, even if another listener shares its port.",
       .source = "measured on Linux 6.18",
       .run = &QueueDiesWithItsListener},
      {.id = "kernel.listen.reuseport.specific_first",
       .requirement = "A connection must go to the listener on its address "
                      "before one on the wildcard.",
       .source = "measured on Linux 6.18",
       .run = &SpecificComesFirst},
  };
  return cases;
}

}  // namespace net::conformance
