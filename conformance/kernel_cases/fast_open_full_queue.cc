// TCP Fast Open to a listener whose accept queue is full: it drops the SYN.

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/fast_open_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::Listener;
using loopback::RawSocket;

// A listener for Fast Open whose cookie the system has, and whose accept queue
// holds two connections: `fillers`.
struct FullListener {
  Listener listener;
  std::vector<RawSocket> fillers;
};
absl::StatusOr<FullListener> NewFull(Context& c) {
  auto listener = NewFastListener(c, {.backlog = 1});
  if (!listener.ok()) return listener.status();
  GetFastOpenCookie(c, *listener);
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
  EXPECT_THAT(SendFastOpen(client, remote, "hello"), IsOkAndHolds(5));
  EXPECT_THAT(client.TcpState(), IsOkAndHolds(int{TCP_SYN_SENT}));
  EXPECT_THAT(client.Ready(POLLIN | POLLOUT), IsOkAndHolds(0));
  EXPECT_THAT(SendFastOpen(client, remote, "more"), IsErrno(EALREADY));
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
      SendFastOpen(client, full.listener.endpoint(), std::string(100'000, 'x')),
      IsOkAndHolds(32768));
  MakeRoom(full);
  ExpectBytes(full.listener, 32768);
}

void FullQueueBlocking(Context& c) {
  ASSERT_OK_AND_ASSIGN(const FullListener full, NewFull(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  constexpr size_t kMuch = 50'000;
  PendingCall sending(c, [&] {
    return SendFastOpen(client, full.listener.endpoint(),
                        std::string(kMuch, 'x'));
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
  EXPECT_THAT(SendFastOpen(client, full.listener.endpoint(), "hello"),
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
  EXPECT_THAT(SendFastOpen(client, full.listener.endpoint(), "hello"),
              IsOkAndHolds(5));
  ASSERT_THAT(Disconnect(client), IsOk());
  MakeRoom(full);
  ASSERT_OK_AND_ASSIGN(const RawSocket other, NewTcp(c, SOCK_NONBLOCK));
  EXPECT_THAT(SendFastOpen(other, full.listener.endpoint(), "other"),
              IsOkAndHolds(5));
  ExpectAccepted(full.listener, "other");
  EXPECT_THAT(Connect(client, full.listener.endpoint()), IsErrno(EINPROGRESS));
  ASSERT_THAT(client.Wait(POLLOUT), IsOkAndHolds(POLLOUT));
  EXPECT_THAT(client.Send("new"), IsOkAndHolds(3));
  ExpectAccepted(full.listener, "new");
}

}  // namespace

const std::vector<Case>& FastOpenFullQueueKernelCases() {
  static const auto& cases = *new std::vector<Case>{
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
  };
  return cases;
}

}  // namespace net::conformance
