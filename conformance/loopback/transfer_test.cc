#include "conformance/loopback/transfer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

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

using TransferTest = LoopbackTest;
INSTANTIATE_TEST_SUITE_P(BothFamilies, TransferTest, BothFamilies(),
                         FamilyName);

// Returns a text without repetitions that is longer than the buffers of both
// ends.
std::string LongText() {
  std::string text;
  while (text.size() < size_t{16} << 20) {
    text += std::to_string(text.size());
    text.append(1000, ' ');
  }
  return text;
}

TEST_P(TransferTest, MovesShortText) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(SendAll(pair->client, "one two"), IsOk());
  EXPECT_THAT(RecvExactly(pair->server, 3), IsOkAndHolds(Eq("one")));
  EXPECT_THAT(RecvExactly(pair->server, 0), IsOkAndHolds(Eq("")));
  EXPECT_THAT(RecvExactly(pair->server, 4), IsOkAndHolds(Eq(" two")));
}

// Also if it takes several calls of recv(2).
TEST_P(TransferTest, TakesNoMoreThanItWasAskedFor) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  const std::string first(20000, 'a');
  ASSERT_THAT(SendAll(pair->client, first + "b"), IsOk());
  EXPECT_THAT(RecvExactly(pair->server, first.size()), IsOkAndHolds(first));
  EXPECT_THAT(RecvExactly(pair->server, 1), IsOkAndHolds(Eq("b")));
}

TEST_P(TransferTest, MovesMoreThanTheBuffersHold) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  const std::string text = LongText();
  std::thread sender([&] {
    EXPECT_THAT(SendAll(pair->client, text), IsOk());
    EXPECT_THAT(pair->client.HalfClose(), IsOk());
  });
  auto got = RecvUntilEof(pair->server);
  sender.join();
  ASSERT_THAT(got, IsOk());
  EXPECT_TRUE(*got == text);  // not EXPECT_EQ: it would print megabytes
}

TEST_P(TransferTest, WaitsOnNonblockingSockets) {
  auto pair = ConnectedPair(sys(), family(), {}, {.nonblocking = true});
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(sys().Fcntl(pair->server.fd(), F_SETFL, O_RDWR | O_NONBLOCK),
              IsOk());
  const std::string text = LongText();
  std::thread sender([&] {
    EXPECT_THAT(SendAll(pair->client, text), IsOk());
    EXPECT_THAT(pair->client.HalfClose(), IsOk());
  });
  auto got = RecvUntilEof(pair->server);
  sender.join();
  ASSERT_THAT(got, IsOk());
  EXPECT_TRUE(*got == text);
}

TEST_P(TransferTest, GoesOnOverSignals) {
  FaultInjector kernel(sys());
  auto pair = ConnectedPair(kernel, family());
  ASSERT_THAT(pair, IsOk());
  kernel.Arm(ParseFaultPlan("send#1=EINTR; recv#1=EINTR; recv#3=EINTR; "
                            "send#3=EINTR")
                 .value());
  ASSERT_THAT(SendAll(pair->client, "once more"), IsOk());
  ASSERT_THAT(pair->client.HalfClose(), IsOk());
  EXPECT_THAT(RecvExactly(pair->server, 5), IsOkAndHolds(Eq("once ")));
  EXPECT_THAT(RecvUntilEof(pair->server), IsOkAndHolds(Eq("more")));
  EXPECT_THAT(SendUntilFull(pair->server), IsOkAndHolds(Gt(0u)));
  EXPECT_THAT(kernel.Unmatched(), IsEmpty());
}

TEST_P(TransferTest, AFailingWaitIsAnError) {
  FaultInjector kernel(sys());
  auto pair = ConnectedPair(kernel, family(), {}, {.nonblocking = true});
  ASSERT_THAT(pair, IsOk());
  kernel.Arm(ParseFaultPlan("poll=ENOMEM").value());
  EXPECT_THAT(RecvExactly(pair->client, 1), IsErrno(ENOMEM));
}

TEST_P(TransferTest, AnEarlyEndIsAnError) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(pair->client.Send("abc"), IsOk());
  ASSERT_THAT(pair->client.Close(), IsOk());
  EXPECT_THAT(RecvExactly(pair->server, 4), IsErrno(ENODATA));
}

TEST_P(TransferTest, AResetIsAnError) {
  auto pair = ConnectedPair(sys(), family());
  ASSERT_THAT(pair, IsOk());
  ASSERT_THAT(pair->server.Reset(), IsOk());
  EXPECT_THAT(RecvUntilEof(pair->client), IsErrno(ECONNRESET));
  EXPECT_THAT(SendAll(pair->client, "x"), IsErrno(EPIPE));
  EXPECT_THAT(SendUntilFull(pair->client), IsErrno(EPIPE));
}

TEST_P(TransferTest, FillsThePeerThatDoesNotRead) {
  auto pair =
      ConnectedPair(sys(), family(), {.receive_buffer = kSmallestBuffer},
                    {.send_buffer = kSmallestBuffer});
  ASSERT_THAT(pair, IsOk());
  auto sent = SendUntilFull(pair->client);
  ASSERT_THAT(sent, IsOkAndHolds(Gt(0u)));
  EXPECT_THAT(pair->client.Send("x", MSG_DONTWAIT), IsErrno(EAGAIN));
  EXPECT_THAT(pair->client.Ready(POLLOUT), IsOkAndHolds(Eq(0)));
  // No byte is lost, and the sender can send again once the peer has read.
  auto got = RecvExactly(pair->server, *sent);
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(got->find_first_not_of('#'), std::string::npos);
  EXPECT_THAT(pair->client.Wait(POLLOUT), IsOkAndHolds(Eq(POLLOUT)));
}

TEST_P(TransferTest, SmallBuffersAreFullSooner) {
  auto usual = ConnectedPair(sys(), family());
  auto small =
      ConnectedPair(sys(), family(), {.receive_buffer = kSmallestBuffer},
                    {.send_buffer = kSmallestBuffer});
  ASSERT_THAT(usual, IsOk());
  ASSERT_THAT(small, IsOk());
  auto much = SendUntilFull(usual->client);
  auto little = SendUntilFull(small->client);
  ASSERT_THAT(much, IsOk());
  ASSERT_THAT(little, IsOk());
  EXPECT_LT(*little, *much / 4);
}

// A kernel whose send(2) takes all data.
class BottomlessKernel : public Syscalls {
 public:
  SysResult Send(int, const void*, size_t size, int) override {
    return SysResult::Ok(static_cast<int64_t>(size));
  }
  SysResult Close(int) override { return SysResult::Ok(); }
};

TEST(Transfer, GivesUpOnAPeerThatIsNeverFull) {
  BottomlessKernel kernel;
  const RawSocket socket(3, kernel);
  EXPECT_THAT(SendUntilFull(socket), IsErrno(ENOBUFS));
}

}  // namespace
}  // namespace net::loopback
