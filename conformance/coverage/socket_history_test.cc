#include "conformance/coverage/socket_history.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "conformance/loopback/loopback.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {

std::ostream& operator<<(std::ostream& os, SocketState state) {
  return os << StateName(state);
}

namespace {

using loopback::RawSocket;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

// Notes all calls in a history.
class Noting final : public InterceptingSyscalls {
 public:
  Noting(Syscalls& target, SocketHistory& history)
      : InterceptingSyscalls(target), history_(history) {}

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override {
    const SysResult result = make();
    history_.OnReturn(invocation, result);
    return result;
  }

 private:
  SocketHistory& history_;
};

class SocketHistoryTest : public testing::Test {
 protected:
  std::optional<SocketState> StateOf(const RawSocket& socket) {
    return history_.StateOf(process_, socket.fd());
  }
  // Adds the socket's state, once it is known, to `known_`.
  void Note(const RawSocket& socket) {
    const std::optional<SocketState> state = StateOf(socket);
    ASSERT_TRUE(state.has_value());
    history_.WhenKnown(socket.fd(), *state,
                       [this](SocketState known) { known_.push_back(known); });
  }

  FakeKernel kernel_;
  FakeKernel::Participant self_{kernel_, "test"};
  FakeProcess& process_ = kernel_.NewProcess();
  SocketHistory history_;
  Noting sys_{process_, history_};
  std::vector<SocketState> known_;
};

TEST_F(SocketHistoryTest, ASocketIsFreshThenBoundThenListening) {
  RawSocket socket = loopback::NewSocket(sys_, AF_INET).value();
  EXPECT_THAT(StateOf(socket), Optional(SocketState::kFresh));
  ASSERT_THAT(loopback::Bind(socket, {ip::kLocalV4, 0}), IsOk());
  EXPECT_THAT(StateOf(socket), Optional(SocketState::kBound));
  ASSERT_THAT(sys_.Listen(socket.fd(), 1), IsOk());
  EXPECT_THAT(StateOf(socket), Optional(SocketState::kListening));
  const int fd = socket.fd();
  ASSERT_THAT(socket.Close(), IsOk());
  EXPECT_THAT(history_.StateOf(process_, fd), Optional(SocketState::kClosed));
}

TEST_F(SocketHistoryTest, AConnectionEndsInOneDirectionOrTheOther) {
  loopback::Pair pair = loopback::ConnectedPair(sys_, AF_INET).value();
  EXPECT_THAT(StateOf(pair.client), Optional(SocketState::kConnected));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  EXPECT_THAT(StateOf(pair.client), Optional(SocketState::kHalfClosedHere));
  EXPECT_THAT(StateOf(pair.server), Optional(SocketState::kHalfClosedByPeer));
}

TEST_F(SocketHistoryTest, AResetIsKnownAtTheLatestWhenTheSocketIsClosed) {
  loopback::Pair pair = loopback::ConnectedPair(sys_, AF_INET).value();
  ASSERT_THAT(pair.server.Reset(), IsOk());
  Note(pair.client);
  EXPECT_THAT(known_, IsEmpty());
  ASSERT_THAT(pair.client.Close(), IsOk());
  EXPECT_THAT(known_, ElementsAre(SocketState::kReset));
}

TEST_F(SocketHistoryTest, ATimeoutIsKnownWhenItIsReported) {
  const auto queue = loopback::FullQueue::Make(sys_, AF_INET).value();
  const RawSocket client =
      loopback::ConnectTo(sys_, queue.endpoint(), {.nonblocking = true})
          .value();
  EXPECT_THAT(StateOf(client), Optional(SocketState::kConnecting));
  ASSERT_THAT(client.Wait(POLLOUT), IsOk());
  Note(client);
  EXPECT_THAT(known_, IsEmpty());
  ASSERT_THAT(client.PendingError(), IsOkAndHolds(ETIMEDOUT));
  EXPECT_THAT(known_, ElementsAre(SocketState::kTimedOut));
  EXPECT_THAT(StateOf(client), Optional(SocketState::kTimedOut));
}

TEST_F(SocketHistoryTest, EachSocketHasAGenerationOfItsOwn) {
  const int fd = loopback::NewSocket(sys_, AF_INET).value().fd();
  EXPECT_EQ(history_.GenerationOf(fd), 0U);
  const RawSocket second = loopback::NewSocket(sys_, AF_INET).value();
  const uint64_t generation = history_.GenerationOf(second.fd());
  EXPECT_NE(generation, 0U);
  const RawSocket third = loopback::NewSocket(sys_, AF_INET).value();
  EXPECT_NE(history_.GenerationOf(third.fd()), generation);
}

}  // namespace
}  // namespace net::conformance
