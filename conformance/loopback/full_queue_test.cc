#include "conformance/loopback/full_queue.h"

#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "conformance/loopback/connection.h"
#include "conformance/loopback/fixture.h"
#include "conformance/loopback/raw_socket.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::loopback {
namespace {

using ::testing::Eq;
using ::testing::Gt;
using ::testing::IsEmpty;

using FullQueueTest = LoopbackTest;
INSTANTIATE_TEST_SUITE_P(BothFamilies, FullQueueTest, BothFamilies(),
                         FamilyName);

constexpr ConnectConfig kNonblocking = {.nonblocking = true};

TEST_P(FullQueueTest, AFurtherConnectNeitherCompletesNorFails) {
  auto queue = FullQueue::Make(sys(), family());
  ASSERT_THAT(queue, IsOk());
  EXPECT_GE(queue->queued(), 1u);
  auto client = ConnectTo(sys(), queue->endpoint(), kNonblocking);
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT(client->Ready(POLLOUT), IsOkAndHolds(Eq(0)));
  EXPECT_THAT(client->TcpState(), IsOkAndHolds(Eq(TCP_SYN_SENT)));
  EXPECT_THAT(client->PendingError(), IsOkAndHolds(Eq(0)));
}

TEST_P(FullQueueTest, ADrainedQueueTakesTheNextConnect) {
  auto queue = FullQueue::Make(sys(), family());
  ASSERT_THAT(queue, IsOk());
  ASSERT_THAT(queue->Drain(), IsOk());
  EXPECT_EQ(queue->queued(), 0u);
  EXPECT_THAT(queue->listener().socket().Ready(POLLIN), IsOkAndHolds(Eq(0)));
  auto client = ConnectTo(sys(), queue->endpoint());
  ASSERT_THAT(client, IsOk());
  auto server = queue->listener().Accept();
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(server->PeerEndpoint(), IsOkAndHolds(*client->LocalEndpoint()));
}

TEST_P(FullQueueTest, DrainingOneMakesRoomForOne) {
  auto queue = FullQueue::Make(sys(), family(), /*backlog=*/4);
  ASSERT_THAT(queue, IsOk());
  const size_t before = queue->queued();
  EXPECT_GE(before, 2u);
  ASSERT_THAT(queue->DrainOne(), IsOk());
  EXPECT_EQ(queue->queued(), before - 1);
  auto goes_in = ConnectTo(sys(), queue->endpoint(), kNonblocking);
  auto waits = ConnectTo(sys(), queue->endpoint(), kNonblocking);
  ASSERT_THAT(goes_in, IsOk());
  ASSERT_THAT(waits, IsOk());
  EXPECT_THAT(goes_in->Ready(POLLOUT), IsOkAndHolds(Gt(0)));
  EXPECT_THAT(waits->Ready(POLLOUT), IsOkAndHolds(Eq(0)));
}

TEST_P(FullQueueTest, DrainLeavesTheConnectionsOfOthers) {
  auto queue = FullQueue::Make(sys(), family());
  ASSERT_THAT(queue, IsOk());
  ASSERT_THAT(queue->DrainOne(), IsOk());
  auto client = ConnectTo(sys(), queue->endpoint());
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(queue->Drain(), IsOk());
  auto server = queue->listener().Accept();
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(server->PeerEndpoint(), IsOkAndHolds(*client->LocalEndpoint()));
}

TEST_P(FullQueueTest, DrainingAnEmptyQueueDoesNotBlock) {
  auto queue = FullQueue::Make(sys(), family());
  ASSERT_THAT(queue, IsOk());
  ASSERT_THAT(queue->Drain(), IsOk());
  EXPECT_THAT(queue->DrainOne(), IsErrno(ENODATA));
  EXPECT_THAT(queue->Drain(), IsOk());
}

TEST_P(FullQueueTest, DrainingWhatTheTestTookDoesNotBlock) {
  auto queue = FullQueue::Make(sys(), family());
  ASSERT_THAT(queue, IsOk());
  for (size_t i = 0; i < queue->queued(); ++i) {
    ASSERT_THAT(queue->listener().Accept(), IsOk());
  }
  EXPECT_THAT(queue->Drain(), IsErrno(ENODATA));
}

// Takes one second of real time, until the client retransmits its SYN.
TEST_P(FullQueueTest, AWaitingConnectGoesOnAfterDrain) {
  auto queue = FullQueue::Make(sys(), family());
  ASSERT_THAT(queue, IsOk());
  auto client = ConnectTo(sys(), queue->endpoint(), kNonblocking);
  ASSERT_THAT(client, IsOk());
  ASSERT_THAT(queue->Drain(), IsOk());
  EXPECT_THAT(client->Wait(POLLOUT), IsOkAndHolds(Gt(0)));
  EXPECT_THAT(client->PendingError(), IsOkAndHolds(Eq(0)));
  EXPECT_THAT(queue->listener().AcceptFrom(*client->LocalEndpoint()), IsOk());
}

TEST_P(FullQueueTest, DestructionResetsQueuedConnections) {
  RawSocket client;
  {
    auto queue = FullQueue::Make(sys(), family());
    ASSERT_THAT(queue, IsOk());
    ASSERT_THAT(queue->DrainOne(), IsOk());
    auto connected = ConnectTo(sys(), queue->endpoint());
    ASSERT_THAT(connected, IsOk());
    client = *std::move(connected);
  }
  EXPECT_THAT(client.PendingError(), IsOkAndHolds(Eq(ECONNRESET)));
}

TEST_P(FullQueueTest, AFailingCallLeavesNothingBehind) {
  for (const char* const plan :
       {"socket=ENOMEM", "listen=ENOMEM", "connect=ENOMEM", "poll=ENOMEM",
        "getsockopt=ENOMEM"}) {
    SCOPED_TRACE(plan);
    FaultInjector kernel(sys());
    kernel.Arm(ParseFaultPlan(plan).value());
    EXPECT_THAT(FullQueue::Make(kernel, family()), IsErrno(ENOMEM));
    EXPECT_THAT(kernel.Unmatched(), IsEmpty());
    EXPECT_THAT(kernel.OpenDescriptors(), IsEmpty());
  }
}

// A kernel whose accept queue never fills: every connect(2) succeeds.
class BottomlessKernel : public Syscalls {
 public:
  SysResult Socket(int, int, int) override { return SysResult::Ok(3); }
  SysResult Bind(int, const sockaddr*, socklen_t) override {
    return SysResult::Ok();
  }
  SysResult Listen(int, int) override { return SysResult::Ok(); }
  SysResult GetSockName(int, sockaddr* addr, socklen_t*) override {
    addr->sa_family = AF_INET;
    return SysResult::Ok();
  }
  SysResult Connect(int, const sockaddr*, socklen_t) override {
    return SysResult::Ok();
  }
  SysResult Poll(pollfd* fds, nfds_t, int) override {
    fds->revents = POLLOUT;
    return SysResult::Ok(1);
  }
  SysResult GetSockOpt(int, int, int, void*, socklen_t*) override {
    return SysResult::Ok();
  }
  SysResult Close(int) override { return SysResult::Ok(); }
};

TEST(FullQueue, GivesUpOnAQueueWithoutLimit) {
  BottomlessKernel kernel;
  EXPECT_THAT(FullQueue::Make(kernel, AF_INET), IsErrno(ENOBUFS));
}

}  // namespace
}  // namespace net::loopback
