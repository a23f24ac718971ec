#include "conformance/engine/last_calls.h"

#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/engine/noted_environment.h"
#include "conformance/engine/shared_line.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/wait_status.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

std::vector<std::string> LinesOf(const LastCalls& calls) {
  return absl::StrSplit(calls.Text(), '\n', absl::SkipEmpty());
}

void Make(LastCalls& calls, const std::string& line) {
  LastCalls::Return(calls.Enter("enters"), line);
}

TEST(LastCallsTest, ListsTheLastThirty) {
  LastCalls calls;
  EXPECT_THAT(LinesOf(calls), IsEmpty());
  for (int i = 0; i < 100; ++i) Make(calls, absl::StrCat("call ", i));
  const std::vector<std::string> lines = LinesOf(calls);
  ASSERT_THAT(lines, SizeIs(LastCalls::kCalls));
  EXPECT_EQ(lines.front(), "call 70");
  EXPECT_EQ(lines.back(), "call 99");
}

TEST(LastCallsTest, ACallInProgressIsListed) {
  LastCalls calls;
  Make(calls, "socket");
  calls.Enter("recv <unfinished ...>");
  EXPECT_THAT(LinesOf(calls), ElementsAre("socket", "recv <unfinished ...>"));
}

TEST(LastCallsTest, TheCallsOfThreadsAreInTheOrderInWhichTheyBegan) {
  LastCalls calls;
  const LastCalls::Entry accept = calls.Enter("accept4 <unfinished ...>");
  std::thread([&] { Make(calls, "connect"); }).join();
  LastCalls::Return(accept, "accept4");
  Make(calls, "close");
  EXPECT_THAT(LinesOf(calls), ElementsAre("accept4", "connect", "close"));
}

// A thread that has been blocked for a long time may be the cause.
TEST(LastCallsTest, ACallInProgressIsListedHoweverManyFollow) {
  LastCalls calls;
  std::thread([&] {
    Make(calls, "socket");
    calls.Enter("accept4 <unfinished ...>");
  }).join();
  for (int i = 0; i < 100; ++i) Make(calls, "poll");
  const std::vector<std::string> lines = LinesOf(calls);
  ASSERT_THAT(lines, SizeIs(LastCalls::kCalls + 1));
  EXPECT_EQ(lines.front(), "accept4 <unfinished ...>");
}

TEST(LastCallsTest, MoreThreadsThanItHasPlacesForAreLeftOut) {
  LastCalls calls;
  for (size_t i = 0; i < LastCalls::kThreads + 1; ++i) {
    std::thread([&] { Make(calls, absl::StrCat("of thread ", i)); }).join();
  }
  EXPECT_EQ(LinesOf(calls).back(),
            absl::StrCat("of thread ", LastCalls::kThreads - 1));
}

TEST(LastCallsTest, EachHasItsOwn) {
  LastCalls one;
  LastCalls other;
  Make(one, "one");
  Make(other, "other");
  EXPECT_THAT(LinesOf(one), ElementsAre("one"));
  EXPECT_THAT(LinesOf(other), ElementsAre("other"));
}

TEST(LastCallsTest, ALongLineIsCut) {
  LastCalls calls;
  Make(calls, std::string(1000, 'x'));
  EXPECT_EQ(calls.Text(), std::string(SharedLine::kWidth, 'x') + "...");
}

TEST(LastCallsTest, OutlivesTheProcessThatMadeThem) {
  LastCalls calls;
  auto child = sandbox::WatchedChild::Start([&](int) {
    Make(calls, "socket");
    calls.Enter("recv <unfinished ...>");
    std::raise(SIGKILL);
  });
  ASSERT_THAT(child, IsOk());
  EXPECT_EQ(sandbox::DescribeWaitStatus(child->Reap()),
            "killed by SIGKILL (Killed)");
  EXPECT_THAT(LinesOf(calls), ElementsAre("socket", "recv <unfinished ...>"));
}

TEST(NotedSyscallsTest, WritesCallsAsTracesDo) {
  MockSyscalls kernel;
  LastCalls calls;
  NotedSyscalls sys(kernel, calls, "net_tcp");
  EXPECT_CALL(kernel, Socket).WillOnce(Succeed(3));
  EXPECT_CALL(kernel, Recv).WillOnce([&](int, void*, size_t, int) {
    EXPECT_THAT(calls.Text(),
                EndsWith("\nnet_tcp: recv(3, ?, 8, 0) <unfinished ...>"));
    return SysResult::Error(ECONNRESET);
  });
  EXPECT_THAT(sys.Socket(AF_INET, SOCK_STREAM, 0), IsOkAndHolds(3));
  char buffer[8];
  EXPECT_THAT(sys.Recv(3, buffer, sizeof(buffer), 0), IsErrno(ECONNRESET));
  EXPECT_THAT(LinesOf(calls),
              ElementsAre("net_tcp: socket(AF_INET, SOCK_STREAM, 0) = 3",
                          "net_tcp: recv(3, ?, 8, 0) = -1 ECONNRESET"));
}

// A kernel that refuses every address. (A MockSyscalls would read it.)
class Refusing final : public Syscalls {
 public:
  SysResult Connect(int, const sockaddr*, socklen_t) override {
    return SysResult::Error(EFAULT);
  }
};

// Before the call it is not known whether the kernel would refuse the pointer.
TEST(NotedSyscallsTest, ReadsNoPointerBeforeTheCall) {
  Refusing kernel;
  LastCalls calls;
  NotedSyscalls sys(kernel, calls, "case");
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  const auto* const unmapped = reinterpret_cast<const sockaddr*>(0x123456000);
  EXPECT_THAT(sys.Connect(3, unmapped, 16), IsErrno(EFAULT));
  EXPECT_THAT(calls.Text(), StartsWith("case: connect(3, ?, 16) = -1 EFAULT"));
}

}  // namespace
}  // namespace net::conformance
