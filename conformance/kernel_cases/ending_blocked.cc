// The end of a connection, or of its descriptor, while a call is blocked.

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
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

using loopback::FullQueue;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

// A blocked recv(2) of `socket`, in a task.
class Receiving {
 public:
  Receiving(Context& c, const RawSocket& socket)
      : call_(c, [this, &c, fd = socket.fd()] {
          return c.sys().Recv(fd, buffer_.data(), buffer_.size(), 0);
        }) {}

  PendingCall& call() { return call_; }

 private:
  std::array<char, 8> buffer_ = {};
  PendingCall call_;
};

// Expects that `event` makes a blocked recv(2) of the client fail with `error`,
// or return 0 if `error` is 0.
void ExpectReceive(Context& c, void (*event)(Pair&), int error) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  Receiving receiving(c, pair.client);
  ASSERT_TRUE(receiving.call().AwaitBlocked());
  event(pair);
  const SysResult received = receiving.call().Join();
  if (error != 0) {
    EXPECT_THAT(received, IsErrno(error));
  } else {
    EXPECT_THAT(received, IsOkAndHolds(0));
  }
}

// The same for a send(2) that is blocked because there is no room. A late
// acknowledgement may make room and let the send succeed. Before the event, the
// send is then made again. After the event, the next send reports the error.
void ExpectSend(Context& c, void (*event)(Pair&), int error) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  const auto send = [&] { return pair.client.Send("more"); };
  auto sending = std::make_unique<PendingCall>(c, send);
  while (!sending->AwaitBlocked()) {
    ASSERT_THAT(sending->Join(), IsOk());
    ASSERT_THAT(loopback::SendUntilFull(pair.client), IsOk());
    sending = std::make_unique<PendingCall>(c, send);
  }
  event(pair);
  SysResult sent = sending->Join();
  if (sent.ok()) sent = send();
  EXPECT_THAT(sent, IsErrno(error));
}

// The same for a poll(2) for POLLIN, which must report `events`.
void ExpectPoll(Context& c, void (*event)(Pair&), int16_t events) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  PendingCall poll(c, [&] { return pair.client.Wait(POLLIN); });
  ASSERT_TRUE(poll.AwaitBlocked());
  event(pair);
  EXPECT_THAT(poll.Join(), IsOkAndHolds(events));
}

void PeerEnds(Pair& pair) { EXPECT_THAT(pair.server.HalfClose(), IsOk()); }
void PeerResets(Pair& pair) { EXPECT_THAT(pair.server.Reset(), IsOk()); }
void PeerCloses(Pair& pair) { EXPECT_THAT(pair.server.Close(), IsOk()); }
void ShutdownForReading(Pair& pair) {
  EXPECT_THAT(pair.client.Shutdown(SHUT_RD), IsOk());
}
void ShutdownForWriting(Pair& pair) {
  EXPECT_THAT(pair.client.Shutdown(SHUT_WR), IsOk());
}
void Dissolve(Pair& pair) { EXPECT_THAT(Disconnect(pair.client), IsOk()); }

// Uses recvmsg(2), because ThreadSanitizer reports a close(2) that is
// concurrent with a recv(2) as a race, which it usually is.
void CloseWhileReceiving(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  std::array<char, 8> buffer = {};
  iovec part = {.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  PendingCall receiving(c, [&c, &message, fd = pair.client.fd()] {
    return c.sys().RecvMsg(fd, &message, 0);
  });
  ASSERT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Close(), IsOk());
  ASSERT_TRUE(receiving.AwaitBlocked());
  // The call keeps the socket open, so the peer has not received a FIN.
  EXPECT_THAT(RecvOnce(pair.server, 8, MSG_DONTWAIT), IsErrno(EAGAIN));
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

// A blocked poll(2) keeps the socket open, but not the descriptor's number.
void CloseWhilePolling(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  PendingCall poll(c, [&c, fd = pair.client.fd()] {
    pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
    const SysResult polled = c.sys().Poll(&entry, 1, /*timeout_ms=*/-1);
    return polled.ok() ? SysResult::Ok(entry.revents) : polled;
  });
  ASSERT_TRUE(poll.AwaitBlocked());
  ASSERT_THAT(pair.client.Close(), IsOk());
  ASSERT_TRUE(poll.AwaitBlocked());
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  // It checks the number again, which is not open any more.
  EXPECT_THAT(poll.Join(), IsOkAndHolds(POLLNVAL));
}

// A connection is POLLIN, so it does not wake a poll(2) for POLLRDHUP, which
// would find that its number is not open.
void CloseWhilePollingForAnotherEvent(Context& c) {
  ASSERT_OK_AND_ASSIGN(Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  pollfd entry = {
      .fd = listener.socket().fd(), .events = POLLRDHUP, .revents = 0};
  PendingCall poll(c,
                   [&] { return c.sys().Poll(&entry, 1, /*timeout_ms=*/-1); });
  ASSERT_TRUE(poll.AwaitBlocked());
  ASSERT_THAT(listener.socket().Close(), IsOk());
  // The call keeps the listener open.
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  EXPECT_TRUE(poll.AwaitBlocked());
  // When it is woken, it finds that the descriptor is closed.
  poll.Interrupt();
  EXPECT_THAT(poll.Join(), IsOkAndHolds(1));
  EXPECT_EQ(entry.revents, POLLNVAL);
}

void TwoReceivers(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  Receiving first(c, pair.client);
  ASSERT_TRUE(first.call().AwaitBlocked());
  Receiving second(c, pair.client);
  ASSERT_TRUE(second.call().AwaitBlocked());
  ASSERT_THAT(pair.server.Close(), IsOk());
  EXPECT_THAT(first.call().Join(), IsOkAndHolds(0));
  EXPECT_THAT(second.call().Join(), IsOkAndHolds(0));
}

// Only one of the two calls reports the error.
void TwoReceiversReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  Receiving first(c, pair.client);
  ASSERT_TRUE(first.call().AwaitBlocked());
  Receiving second(c, pair.client);
  ASSERT_TRUE(second.call().AwaitBlocked());
  ASSERT_THAT(pair.server.Reset(), IsOk());
  const int one = first.call().Join().error();
  const int two = second.call().Join().error();
  EXPECT_EQ(one + two, ECONNRESET) << one << ", " << two;
}

// The following close the descriptor of a blocked call, and make a socket with
// its number. The call stays with the socket with which it began.

// Makes sockets until one has the number `fd`, which is closed.
std::vector<RawSocket> TakeNumber(Context& c, int fd) {
  std::vector<RawSocket> made;
  while (made.empty() || made.back().fd() < fd) {
    absl::StatusOr<RawSocket> socket = NewTcp(c);
    EXPECT_THAT(socket, IsOk());
    if (!socket.ok()) break;
    made.push_back(*std::move(socket));
  }
  return made;
}

void NumberReusedWhileConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(FullQueue queue, FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(RawSocket client, NewTcp(c));
  const int fd = client.fd();
  const ip::SockAddr to(queue.endpoint());
  PendingCall connect(
      c, [&, fd] { return c.sys().Connect(fd, to.get(), to.size()); });
  ASSERT_TRUE(connect.AwaitBlocked());
  ASSERT_THAT(client.Close(), IsOk());
  ASSERT_TRUE(connect.AwaitBlocked());
  const std::vector<RawSocket> others = TakeNumber(c, fd);
  ASSERT_THAT(queue.Drain(), IsOk());
  EXPECT_THAT(connect.Join(), IsOk());
  // The call has returned, so its socket is closed.
  ASSERT_OK_AND_ASSIGN(const RawSocket server, queue.listener().Accept());
  EXPECT_THAT(loopback::RecvUntilEof(server), IsOkAndHolds(""));
  EXPECT_THAT(others.back().TcpState(), IsOkAndHolds(TCP_CLOSE));
}

void NumberReusedWhileSending(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  const int fd = pair.client.fd();
  // More than fits.
  const std::string data(size_t{16} << 20, 'x');
  PendingCall sending(c, [&, fd] {
    return c.sys().Send(fd, data.data(), data.size(), MSG_NOSIGNAL);
  });
  ASSERT_TRUE(sending.AwaitBlocked());
  ASSERT_THAT(pair.client.Close(), IsOk());
  ASSERT_TRUE(sending.AwaitBlocked());
  const std::vector<RawSocket> others = TakeNumber(c, fd);
  ASSERT_OK_AND_ASSIGN(const std::string received,
                       loopback::RecvUntilEof(pair.server));
  EXPECT_EQ(received.size(), data.size());
  EXPECT_THAT(sending.Join(), IsOkAndHolds(static_cast<int64_t>(data.size())));
}

void NumberReusedWhileReceiving(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  const int fd = pair.client.fd();
  std::array<char, 8> buffer = {};
  iovec part = {.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  PendingCall receiving(c,
                        [&, fd] { return c.sys().RecvMsg(fd, &message, 0); });
  ASSERT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Close(), IsOk());
  ASSERT_TRUE(receiving.AwaitBlocked());
  const std::vector<RawSocket> others = TakeNumber(c, fd);
  ASSERT_THAT(pair.server.Send("x"), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(1));
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds(""));
}

}  // namespace

const std::vector<Case>& EndingBlockedKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.ending.blocked.receive.peer_ends",
       .requirement =
           "A blocked recv(2) must return 0 when the peer ends its stream.",
       .source = "recv(2), RETURN VALUE",
       .run = [](Context& c) { ExpectReceive(c, &PeerEnds, 0); }},
      {.id = "kernel.ending.blocked.receive.peer_resets",
       .requirement = "A blocked recv(2) must fail with ECONNRESET when the "
                      "peer resets the connection.",
       .source = "recv(2); RFC 9293, section 3.10.7.4",
       .run = [](Context& c) { ExpectReceive(c, &PeerResets, ECONNRESET); }},
      {.id = "kernel.ending.blocked.receive.shut_rd",
       .requirement = "A blocked recv(2) must return 0 on shutdown(SHUT_RD).",
       .source = "shutdown(2), DESCRIPTION",
       .run = [](Context& c) { ExpectReceive(c, &ShutdownForReading, 0); }},
      {.id = "kernel.ending.blocked.receive.disconnect",
       .requirement =
           "A blocked recv(2) must fail with EPIPE on connect(2) to AF_UNSPEC.",
       .source = "measured on Linux 6.18",
       .run = [](Context& c) { ExpectReceive(c, &Dissolve, EPIPE); }},
      {.id = "kernel.ending.blocked.send.peer_resets",
       .requirement = "A blocked send(2) must fail with ECONNRESET when the "
                      "peer resets the connection.",
       .source = "send(2), ECONNRESET",
       .run = [](Context& c) { ExpectSend(c, &PeerResets, ECONNRESET); }},
      {.id = "kernel.ending.blocked.send.peer_closes",
       .requirement = "A blocked send(2) must fail with ECONNRESET when the "
                      "peer closes with unread data.",
       .source = "RFC 2525, section 2.17",
       .run = [](Context& c) { ExpectSend(c, &PeerCloses, ECONNRESET); }},
      {.id = "kernel.ending.blocked.send.shut_wr",
       .requirement =
           "A blocked send(2) must fail with EPIPE on shutdown(SHUT_WR).",
       .source = "send(2), EPIPE",
       .run = [](Context& c) { ExpectSend(c, &ShutdownForWriting, EPIPE); }},
      {.id = "kernel.ending.blocked.send.disconnect",
       .requirement = "A blocked send(2) must fail with ECONNRESET on "
                      "connect(2) to AF_UNSPEC.",
       .source = "measured on Linux 6.18",
       .run = [](Context& c) { ExpectSend(c, &Dissolve, ECONNRESET); }},
      {.id = "kernel.ending.blocked.poll.peer_ends",
       .requirement = "A blocked poll(2) must report POLLIN when the peer ends "
                      "its stream.",
       .source = "poll(2), POLLIN",
       .run = [](Context& c) { ExpectPoll(c, &PeerEnds, POLLIN); }},
      {.id = "kernel.ending.blocked.poll.peer_resets",
       .requirement = "A blocked poll(2) must report POLLIN, POLLERR and "
                      "POLLHUP when the peer resets the connection.",
       .source = "poll(2), POLLERR, POLLHUP",
       .run =
           [](Context& c) {
             ExpectPoll(c, &PeerResets, POLLIN | POLLERR | POLLHUP);
           }},
      {.id = "kernel.ending.blocked.poll.shut_rd",
       .requirement =
           "A blocked poll(2) must report POLLIN on shutdown(SHUT_RD).",
       .source = "measured on Linux 6.18",
       .run = [](Context& c) { ExpectPoll(c, &ShutdownForReading, POLLIN); }},
      {.id = "kernel.ending.blocked.receive.close",
       .requirement = "A blocked recv(2) must keep the connection open after "
                      "its descriptor is closed.",
       .source = "measured on Linux 6.18",
       .run = &CloseWhileReceiving},
      {.id = "kernel.ending.blocked.poll.close",
       .requirement =
           "A poll(2) that is blocked when its descriptor is closed must stay "
           "blocked until the socket has an event, and then report POLLNVAL.",
       .source = "measured on Linux 6.18",
       .run = &CloseWhilePolling},
      {.id = "kernel.ending.blocked.poll.other_event",
       .requirement =
           "A poll(2) for POLLRDHUP that is blocked when its listener's "
           "descriptor is closed must not be woken by a connection.",
       .source = "measured on Linux 6.18",
       .run = &CloseWhilePollingForAnotherEvent},
      {.id = "kernel.ending.blocked.receive.two_ended",
       .requirement =
           "Every blocked recv(2) must return 0 when the peer ends its stream.",
       .source = "measured on Linux 6.18",
       .run = &TwoReceivers},
      {.id = "kernel.ending.blocked.connect.number_reused",
       .requirement = "A connect(2) that is blocked when its descriptor is "
                      "closed must go on with its socket, even if another "
                      "socket gets the number.",
       .source = "close(2), Multithreaded processes and close(); measured on "
                 "Linux 6.18",
       .run = &NumberReusedWhileConnecting},
      {.id = "kernel.ending.blocked.send.number_reused",
       .requirement = "A send(2) that is blocked when its descriptor is closed "
                      "must send all data to its peer, even if another socket "
                      "gets the number.",
       .source = "close(2), Multithreaded processes and close(); measured on "
                 "Linux 6.18",
       .run = &NumberReusedWhileSending},
      {.id = "kernel.ending.blocked.receive.number_reused",
       .requirement = "A recv(2) that is blocked when its descriptor is closed "
                      "must receive from its peer, even if another socket gets "
                      "the number.",
       .source = "close(2), Multithreaded processes and close(); measured on "
                 "Linux 6.18",
       .run = &NumberReusedWhileReceiving},
      {.id = "kernel.ending.blocked.receive.two_reset",
       .requirement =
           "When the peer resets the connection, one of two blocked recv(2) "
           "calls must fail with ECONNRESET and the other return 0.",
       .source = "measured on Linux 6.18",
       .run = &TwoReceiversReset},
  };
  return cases;
}

}  // namespace net::conformance
