#include "conformance/environments/linux/delivery.h"

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/trial.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/precondition.h"
#include "conformance/targets/run_on_linux.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/late_loopback.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

// Each test is a case on a loopback interface that delivers late.

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

constexpr int kRounds = 500;

std::unique_ptr<Environment> MakeLate(std::function<void()> abandon) {
  auto environment = MakeLinuxEnvironment({}, std::move(abandon));
  if (environment->Lacks(Need::kOwnNetwork).has_value()) return environment;
  if (const absl::Status late = sandbox::DeliverOnAnotherProcessor();
      !late.ok()) {
    NotePrecondition(late.message());
  }
  return environment;
}

Verdict RunLate(void (*run)(Context&)) {
  Target target = NetTcpOnLinux();
  target.make_environment = &MakeLate;
  Case test_case = MakeCase(run);
  test_case.needs = Need::kOwnNetwork;
  return RunOne(test_case, target).verdict;
}

#define EXPECT_PASSES(...)                                         \
  do {                                                             \
    const Verdict verdict = RunLate(__VA_ARGS__);                  \
    if (verdict.outcome == Outcome::kPrecondition) {               \
      GTEST_SKIP() << verdict.message;                             \
    }                                                              \
    EXPECT_EQ(verdict.outcome, Outcome::kPass) << verdict.message; \
    EXPECT_EQ(verdict.leak, Leak::kNone) << verdict.leaked;        \
  } while (false)

// Returns how often a byte had not arrived when the call that sent it had
// returned.
int CountLate(Syscalls& sys) {
  const auto pair = loopback::ConnectedPair(sys, AF_INET);
  EXPECT_THAT(pair, IsOk());
  if (!pair.ok()) return 0;
  int late = 0;
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_THAT(pair->client.Send("x"), IsOkAndHolds(1));
    char byte[1] = {};
    const SysResult got = pair->server.Recv(byte, MSG_DONTWAIT);
    if (got.ok()) continue;
    EXPECT_THAT(got, IsErrno(EAGAIN));
    ++late;
    EXPECT_THAT(pair->server.Recv(byte), IsOkAndHolds(1));
  }
  return late;
}

// While the other processor is idle, it is almost always late.
TEST(LateLoopback, DeliversOnAnotherProcessor) {
  EXPECT_PASSES([](Context&) {
    Syscalls& sys = DefaultSyscalls();
    ASSERT_OK_AND_ASSIGN(const Pair pair,
                         loopback::ConnectedPair(sys, AF_INET));
    ASSERT_THAT(pair.client.Send("x"), IsOkAndHolds(1));
    char byte[1] = {};
    ASSERT_THAT(pair.server.Recv(byte), IsOkAndHolds(1));
    int processor = -1;
    socklen_t size = sizeof(processor);
    ASSERT_THAT(sys.GetSockOpt(pair.server.fd(), SOL_SOCKET, SO_INCOMING_CPU,
                               &processor, &size),
                IsOk());
    EXPECT_GE(processor, 0);
    EXPECT_NE(processor, sched_getcpu());
  });
}

TEST(AwaitDelivery, LetsACallSeeWhatWasSentBefore) {
  EXPECT_PASSES([](Context& c) { EXPECT_EQ(CountLate(c.sys()), 0); });
}

// The handshake has three segments.
TEST(AwaitDelivery, AwaitsTheRepliesToWhatWasSent) {
  EXPECT_PASSES([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const loopback::Listener listener,
                         loopback::ListenAnywhere(c.sys(), AF_INET));
    for (int i = 0; i < kRounds; ++i) {
      ASSERT_OK_AND_ASSIGN(RawSocket client,
                           loopback::ConnectTo(c.sys(), listener.endpoint(),
                                               {.nonblocking = true}));
      ASSERT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(POLLIN));
      ASSERT_OK_AND_ASSIGN(RawSocket server, listener.Accept());
      ASSERT_THAT(server.Reset(), IsOk());
      ASSERT_THAT(client.PendingError(), IsOkAndHolds(ECONNRESET));
    }
  });
}

TEST(AwaitDelivery, LooksAtATaskWhenItHasItsData) {
  EXPECT_PASSES([](Context& c) {
    for (int i = 0; i < kRounds; ++i) {
      ASSERT_OK_AND_ASSIGN(const Pair pair,
                           loopback::ConnectedPair(c.sys(), AF_INET));
      char byte[1] = {};
      const auto receive = [&] {
        EXPECT_THAT(pair.server.Recv(byte), IsOkAndHolds(1));
      };
      ASSERT_THAT(pair.client.Send("x"), IsOkAndHolds(1));
      const auto first = c.env().Start(receive);
      ASSERT_FALSE(first->AwaitBlocked());
      first->Join();
      const auto second = c.env().Start(receive);
      ASSERT_TRUE(second->AwaitBlocked());
      ASSERT_THAT(pair.client.Send("x"), IsOkAndHolds(1));
      ASSERT_FALSE(second->AwaitBlocked());
    }
  });
}

TEST(AwaitDelivery, AwaitsNothingWhileTheLoopbackIsDown) {
  EXPECT_PASSES([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const Pair pair,
                         loopback::ConnectedPair(c.sys(), AF_INET));
    c.env().SetLoopbackUp(false);
    ASSERT_THAT(pair.client.Send("x"), IsOkAndHolds(1));
    EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(0));
    c.env().SetLoopbackUp(true);
    EXPECT_THAT(pair.server.Wait(POLLIN), IsOkAndHolds(POLLIN));
    EXPECT_EQ(CountLate(c.sys()), 0);
  });
}

TEST(AwaitDelivery, WorksWithoutAFreeDescriptor) {
  EXPECT_PASSES([](Context& c) {
    ASSERT_OK_AND_ASSIGN(const Pair pair,
                         loopback::ConnectedPair(c.sys(), AF_INET));
    c.env().LimitDescriptors(0);
    ASSERT_THAT(pair.client.Send("x"), IsOkAndHolds(1));
    EXPECT_THAT(pair.server.Ready(POLLIN), IsOkAndHolds(POLLIN));
    EXPECT_THAT(c.sys().EventFd(0, 0), IsErrno(EMFILE));
  });
}

}  // namespace
}  // namespace net::conformance
