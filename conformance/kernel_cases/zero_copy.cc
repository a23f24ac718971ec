// MSG_ZEROCOPY, and the error queue.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "conformance/kernel_cases/control_messages.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Sends `size` bytes without a copy, and receives them.
void SendZeroCopy(const Pair& pair, size_t size) {
  const auto count = static_cast<int64_t>(size);
  ASSERT_THAT(pair.client.Send(std::string(size, 'x'), MSG_ZEROCOPY),
              IsOkAndHolds(count));
  size_t received = 0;
  while (received < size) {
    ASSERT_OK_AND_ASSIGN(const std::string part,
                         RecvOnce(pair.server, size - received));
    received += part.size();
  }
}

// Waits until the error queue holds a notification.
void AwaitNotification(const RawSocket& socket) {
  EXPECT_THAT(socket.Wait(0), IsOkAndHolds(POLLERR));
}

absl::StatusOr<Pair> NewZeroCopyPair(Context& c) {
  auto pair = NewPair(c);
  if (!pair.ok()) return pair.status();
  const SysResult set = SetSocketOption(pair->client, SO_ZEROCOPY, 1);
  if (!set.ok()) return ErrnoError(set.error(), "setsockopt");
  return pair;
}

// Takes notifications until the one about the send `last`.
void ExpectNotified(Context& c, const RawSocket& socket, uint32_t first,
                    uint32_t last) {
  uint32_t next = first;
  while (next <= last) {
    AwaitNotification(socket);
    const Message message = RecvMsg(socket, 10, MSG_ERRQUEUE);
    EXPECT_THAT(message.result, IsOkAndHolds(0));
    EXPECT_EQ(message.flags, MSG_ERRQUEUE);
    ASSERT_THAT(message.control,
                ElementsAre(c.v6() ? IsMessage(IPPROTO_IPV6, IPV6_RECVERR, 44)
                                   : IsMessage(IPPROTO_IP, IP_RECVERR, 32)));
    // struct sock_extended_err.
    const Received& error = message.control[0];
    EXPECT_EQ(error.As<uint32_t>(0), 0U);
    EXPECT_EQ(error.As<uint8_t>(4), 5) << "SO_EE_ORIGIN_ZEROCOPY";
    EXPECT_EQ(error.As<uint8_t>(6), 1) << "SO_EE_CODE_ZEROCOPY_COPIED";
    EXPECT_EQ(error.As<uint32_t>(8), next);
    ASSERT_GE(error.As<uint32_t>(12), next);
    next = error.As<uint32_t>(12) + 1;
  }
  EXPECT_EQ(next, last + 1);
}

void ZeroCopy(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewZeroCopyPair(c));
  SendZeroCopy(pair, 20000);
  AwaitNotification(pair.client);
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(0));
  EXPECT_THAT(RecvOnce(pair.client, 9, MSG_DONTWAIT), IsErrno(EAGAIN));
  ExpectNotified(c, pair.client, 0, 0);
  EXPECT_THAT(pair.client.Ready(POLLIN), IsOkAndHolds(0));
  EXPECT_THAT(RecvMsg(pair.client, 10, MSG_ERRQUEUE).result, IsErrno(EAGAIN));
}

void ZeroCopyUnread(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewZeroCopyPair(c));
  ASSERT_THAT(pair.client.Send(std::string(1000, 'x'), MSG_ZEROCOPY),
              IsOkAndHolds(1000));
  ExpectNotified(c, pair.client, 0, 0);
}

void ZeroCopyCounts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewZeroCopyPair(c));
  for (int i = 0; i < 3; ++i) SendZeroCopy(pair, 1000);
  ExpectNotified(c, pair.client, 0, 2);
  SendZeroCopy(pair, 10);
  ExpectNotified(c, pair.client, 3, 3);
}

void ZeroCopyIsOff(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  SendZeroCopy(pair, 20000);
  EXPECT_THAT(pair.client.Ready(POLLIN), IsOkAndHolds(0));
  ASSERT_THAT(SetSocketOption(pair.client, SO_ZEROCOPY, 1), IsOk());
  SendZeroCopy(pair, 100);
  ExpectNotified(c, pair.client, 0, 0);
}

void ZeroCopyOfNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewZeroCopyPair(c));
  EXPECT_THAT(pair.client.Send("", MSG_ZEROCOPY), IsOkAndHolds(0));
  EXPECT_THAT(RecvMsg(pair.client, 10, MSG_ERRQUEUE).result, IsErrno(EAGAIN));
  SendZeroCopy(pair, 100);
  ExpectNotified(c, pair.client, 0, 0);
}

void ZeroCopyAfterShutdown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewZeroCopyPair(c));
  SendZeroCopy(pair, 100);
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  ExpectNotified(c, pair.client, 0, 0);
  EXPECT_THAT(pair.client.Send("x", MSG_ZEROCOPY), IsErrno(EPIPE));
  EXPECT_THAT(RecvMsg(pair.client, 10, MSG_ERRQUEUE).result, IsErrno(EAGAIN));
}

void ZeroCopyRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewZeroCopyPair(c));
  SendZeroCopy(pair, 100);
  AwaitNotification(pair.client);
  const Message message = RecvMsg(pair.client, 10, MSG_ERRQUEUE, 4);
  EXPECT_THAT(message.result, IsOkAndHolds(0));
  EXPECT_EQ(message.flags, MSG_ERRQUEUE | MSG_CTRUNC);
  EXPECT_THAT(message.control, IsEmpty());
  EXPECT_THAT(RecvMsg(pair.client, 10, MSG_ERRQUEUE).result, IsErrno(EAGAIN));
}

void ZeroCopyByRecv(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewZeroCopyPair(c));
  SendZeroCopy(pair, 100);
  AwaitNotification(pair.client);
  EXPECT_THAT(RecvOnce(pair.client, 9, MSG_ERRQUEUE), IsOkAndHolds(""));
  EXPECT_THAT(RecvOnce(pair.client, 9, MSG_ERRQUEUE), IsErrno(EAGAIN));
}

void ZeroCopyTurnedOff(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewZeroCopyPair(c));
  SendZeroCopy(pair, 100);
  AwaitNotification(pair.client);
  ASSERT_THAT(SetSocketOption(pair.client, SO_ZEROCOPY, 0), IsOk());
  SendZeroCopy(pair, 100);
  ASSERT_THAT(SetSocketOption(pair.client, SO_ZEROCOPY, 1), IsOk());
  SendZeroCopy(pair, 100);
  ExpectNotified(c, pair.client, 0, 1);
}

void ErrorQueueIsEmpty(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket fresh, NewTcp(c));
  EXPECT_THAT(RecvMsg(fresh, 10, MSG_ERRQUEUE).result, IsErrno(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener, NewListener(c));
  EXPECT_THAT(RecvMsg(listener.socket(), 10, MSG_ERRQUEUE).result,
              IsErrno(EAGAIN));
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.server.Send("x"), IsOkAndHolds(1));
  EXPECT_THAT(RecvMsg(pair.client, 10, MSG_ERRQUEUE).result, IsErrno(EAGAIN));
}

}  // namespace

const std::vector<Case>& ZeroCopyKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.zerocopy",
       .requirement = "A send with MSG_ZEROCOPY must be notified in the error "
                      "queue, which poll(2) reports as POLLERR.",
       .source = "Linux, Documentation/networking/msg_zerocopy.rst",
       .run = &ZeroCopy},
      {.id = "kernel.zerocopy.unread",
       .requirement = "A send with MSG_ZEROCOPY must be notified although the "
                      "peer does not read it.",
       .source = "Linux, Documentation/networking/msg_zerocopy.rst",
       .run = &ZeroCopyUnread},
      {.id = "kernel.zerocopy.count",
       .requirement = "Sends with MSG_ZEROCOPY must be numbered from 0, and a "
                      "notification may be about several.",
       .source = "Linux, Documentation/networking/msg_zerocopy.rst",
       .run = &ZeroCopyCounts},
      {.id = "kernel.zerocopy.off",
       .requirement = "MSG_ZEROCOPY must be ignored without SO_ZEROCOPY.",
       .source = "Linux, Documentation/networking/msg_zerocopy.rst",
       .run = &ZeroCopyIsOff},
      {.id = "kernel.zerocopy.nothing",
       .requirement =
           "A send of 0 bytes with MSG_ZEROCOPY must not be counted.",
       .source = "measured on Linux 6.18",
       .run = &ZeroCopyOfNothing},
      {.id = "kernel.zerocopy.shutdown",
       .requirement = "Notifications must outlive shutdown(2), and a send that "
                      "fails must not be notified.",
       .source = "measured on Linux 6.18",
       .run = &ZeroCopyAfterShutdown},
      {.id = "kernel.zerocopy.room",
       .requirement = "A notification without room must be lost, with "
                      "MSG_CTRUNC.",
       .source = "recvmsg(2), MSG_CTRUNC",
       .run = &ZeroCopyRoom},
      {.id = "kernel.zerocopy.recv",
       .requirement = "recv(2) with MSG_ERRQUEUE must discard a notification "
                      "and return 0.",
       .source = "measured on Linux 6.18",
       .run = &ZeroCopyByRecv},
      {.id = "kernel.zerocopy.turned_off",
       .requirement = "Turning SO_ZEROCOPY off must leave the notifications, "
                      "and the next number.",
       .source = "measured on Linux 6.18",
       .run = &ZeroCopyTurnedOff},
      {.id = "kernel.errqueue.empty",
       .requirement =
           "recvmsg(2) with MSG_ERRQUEUE must fail with EAGAIN while "
           "the error queue is empty.",
       .source = "recv(2), MSG_ERRQUEUE",
       .run = &ErrorQueueIsEmpty},
  };
  return cases;
}

}  // namespace net::conformance
