// A non-blocking Connect: in progress, then connected or failed.

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "conformance/cases/connected.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using loopback::FullQueue;
using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::RawSocket;
using loopback::RecvExactly;
using loopback::RefusedPort;
using testing::Eq;

constexpr ConnectOptions kNonblock = {.nonblock = true};

void ThenReady(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(listener.endpoint(), kNonblock));
  ASSERT_OK_AND_ASSIGN(const Witness witness, client.Inspect());
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PendingError(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Witness::TcpInfo info, witness.Info());
  EXPECT_EQ(info.state, TCP_ESTABLISHED);
  EXPECT_THAT(client.PeerAddr(),
              IsOkAndHolds(std::optional(listener.endpoint())));
}

void DataOnceReady(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(listener.endpoint(), kNonblock));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ASSERT_THAT(client.SendAll("ping"), IsOk());
  EXPECT_THAT(RecvExactly(server, 4), IsOkAndHolds(Eq("ping")));
  ASSERT_THAT(server.Send("pong"), IsOk());
  ASSERT_THAT(WaitFor(c, client, POLLIN), IsOk());
  EXPECT_THAT(client.RecvExactly(4), IsOkAndHolds(Eq("pong")));
}

void StaysNonblocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(listener.endpoint(), kNonblock));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  std::array<char, 1> buffer;
  EXPECT_THAT(client.Recv(absl::MakeSpan(buffer)), Fails(EAGAIN));
}

void Refused(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(refused.endpoint(), kNonblock));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PendingError(), Fails(ECONNREFUSED));
  EXPECT_THAT(client.PeerAddr(), IsOkAndHolds(Eq(std::nullopt)));
}

void RefusedToldOnce(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(refused.endpoint(), kNonblock));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  ASSERT_THAT(client.PendingError(), Fails(ECONNREFUSED));
  EXPECT_THAT(client.PendingError(), IsOk());
}

void RefusedToldByRecv(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(refused.endpoint(), kNonblock));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  std::array<char, 1> buffer;
  EXPECT_THAT(client.Recv(absl::MakeSpan(buffer)), Fails(ECONNREFUSED));
}

void RefusedToldBySend(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(refused.endpoint(), kNonblock));
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.Send("x"), Fails(ECONNREFUSED));
}

void UnreachableAtOnce(Context& c) {
  EXPECT_THAT(c.Connect({c.Foreign(), 4711}, kNonblock), Fails(ENETUNREACH));
}

void FullQueueUnderWay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue.endpoint(), kNonblock));
  ASSERT_OK_AND_ASSIGN(const Witness witness, client.Inspect());
  ASSERT_OK_AND_ASSIGN(const Witness::TcpInfo info, witness.Info());
  EXPECT_EQ(info.state, TCP_SYN_SENT);
  pollfd readiness = {
      .fd = witness.fd(), .events = POLLIN | POLLOUT, .revents = 0};
  EXPECT_THAT(c.sys().Poll(&readiness, 1, /*timeout_ms=*/0), IsOkAndHolds(0));
  EXPECT_THAT(client.PendingError(), IsOk());
}

void FullQueueLocalAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue.endpoint(), kNonblock));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalAddr());
  EXPECT_EQ(local.addr, c.Loopback());
  EXPECT_GT(local.port, 0);
}

void FullQueueWouldBlock(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue.endpoint(), kNonblock));
  std::array<char, 1> buffer;
  EXPECT_THAT(client.Recv(absl::MakeSpan(buffer)), Fails(EAGAIN));
  EXPECT_THAT(client.Send("x"), Fails(EAGAIN));
}

void FullQueueThenRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock client,
                       c.Connect(queue.endpoint(), kNonblock));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  ASSERT_THAT(queue.Drain(), IsOk());
  ASSERT_THAT(WaitFor(c, client, POLLOUT), IsOk());
  EXPECT_THAT(client.PendingError(), IsOk());
  EXPECT_THAT(client.LocalEndpoint(), IsOkAndHolds(local));
  EXPECT_THAT(queue.listener().AcceptFrom(local), IsOk());
}

// An attempt that continued would still use its port.
void CloseEndsTheAttempt(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(queue.endpoint(), kNonblock));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, client.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket other,
                       loopback::NewSocket(c.sys(), c.family()));
  EXPECT_THAT(loopback::Bind(other, local), IsErrno(EADDRINUSE));
  ASSERT_THAT(client.Close(), IsOk());
  EXPECT_THAT(loopback::Bind(other, local), IsOk());
}

}  // namespace

const std::vector<Case>& ConnectNonblockCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "connect.nonblock.then_ready",
       .requirement =
           "A non-blocking Connect must succeed, and the socket must be "
           "connected with no pending error once it is writable.",
       .source = "contract: NONBLOCK Connect; connect(2), EINPROGRESS",
       .run = &ThenReady},
      {.id = "connect.nonblock.data_once_ready",
       .requirement = "A connection made by a non-blocking Connect must carry "
                      "data in both directions once the socket is writable.",
       .source = "connect(2), EINPROGRESS",
       .run = &DataOnceReady},
      {.id = "connect.nonblock.stays_nonblocking",
       .requirement =
           "A socket connected with NONBLOCK must stay non-blocking: Recv must "
           "fail with EAGAIN while there is no data.",
       .source = "socket(2), SOCK_NONBLOCK; recv(2), EAGAIN",
       .run = &StaysNonblocking},
      {.id = "connect.nonblock.refused",
       .requirement = "When a non-blocking Connect is refused, the socket must "
                      "become writable, have ECONNREFUSED as its pending "
                      "error, and have no peer address.",
       .source = "contract: NONBLOCK Connect; connect(2), EINPROGRESS",
       .run = &Refused},
      {.id = "connect.nonblock.refused.told_once",
       .requirement = "Reading the pending error must clear it.",
       .source = "socket(7), SO_ERROR",
       .run = &RefusedToldOnce},
      {.id = "connect.nonblock.refused.told_by_recv",
       .requirement = "Recv must fail with ECONNREFUSED after a non-blocking "
                      "Connect was refused, if the pending error was not read.",
       .source = "tcp(7), Error handling; recv(2), ECONNREFUSED",
       .run = &RefusedToldByRecv},
      {.id = "connect.nonblock.refused.told_by_send",
       .requirement = "Send must fail with ECONNREFUSED after a non-blocking "
                      "Connect was refused, if the pending error was not read.",
       .source = "tcp(7), Error handling; socket(7), SO_ERROR",
       .run = &RefusedToldBySend},
      {.id = "connect.nonblock.unreachable_at_once",
       .requirement = "A non-blocking Connect must report a failure that "
                      "occurs before any packet is sent.",
       .source = "connect(2), ENETUNREACH; contract: any failure",
       .needs = Need::kOwnNetwork,
       .run = &UnreachableAtOnce},
      {.id = "connect.nonblock.full_queue.under_way",
       .requirement =
           "While the listener's accept queue is full, a non-blocking Connect "
           "must stay in progress: not writable, and without a pending error.",
       .source = "connect(2), EINPROGRESS; listen(2), DESCRIPTION",
       .run = &FullQueueUnderWay},
      {.id = "connect.nonblock.full_queue.local_address",
       .requirement = "The local address and port must be known while the "
                      "attempt is in progress.",
       .source = "getsockname(2); ip(7), Address format",
       .run = &FullQueueLocalAddress},
      {.id = "connect.nonblock.full_queue.would_block",
       .requirement = "Send and Recv must fail with EAGAIN while the attempt "
                      "is in progress.",
       .source = "send(2), EAGAIN; recv(2), EAGAIN",
       .run = &FullQueueWouldBlock},
      {.id = "connect.nonblock.full_queue.then_room",
       .requirement = "The attempt must succeed, from the same local address, "
                      "once there is room in the listener's accept queue.",
       .source = "connect(2), EINPROGRESS; RFC 9293, section 3.8.3",
       .run = &FullQueueThenRoom},
      {.id = "connect.nonblock.close_ends_the_attempt",
       .requirement = "Closing the socket while the attempt is in progress "
                      "must end the attempt and free its port.",
       .source = "RFC 9293, section 3.10.4; close(2)",
       .needs = Need::kOwnNetwork,
       .run = &CloseEndsTheAttempt},
  };
  return cases;
}

}  // namespace net::conformance
