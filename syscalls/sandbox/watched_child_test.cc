#include "syscalls/sandbox/watched_child.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/process_tree.h"
#include "syscalls/sandbox/wait_status.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

using testing::IsEmpty;

void WaitForEver() {
  while (true) pause();
}

TEST(WatchedChildTest, ReportsAndEndsWithStatusZero) {
  absl::StatusOr<WatchedChild> child = WatchedChild::Start(
      [](int report) { EXPECT_TRUE(WriteReport(report, "done")); });
  ASSERT_THAT(child, IsOk());
  EXPECT_THAT(child->Await(), IsOkAndHolds(0));
  EXPECT_EQ(child->report(), "done");
}

TEST(WatchedChildTest, AReportMayBeLongerThanThePipe) {
  const std::string text(size_t{1} << 20, 'x');
  absl::StatusOr<WatchedChild> child = WatchedChild::Start(
      [&](int report) { EXPECT_TRUE(WriteReport(report, text)); });
  ASSERT_THAT(child, IsOk());
  EXPECT_THAT(child->Await(), IsOkAndHolds(0));
  EXPECT_EQ(child->report(), text);
}

TEST(WatchedChildTest, TheEventsAreTheReportAndTheEnd) {
  std::array<int, 2> go = {};
  ASSERT_EQ(pipe2(go.data(), O_CLOEXEC), 0);
  absl::StatusOr<WatchedChild> child = WatchedChild::Start([&](int report) {
    WriteReport(report, "1");
    char byte = 0;
    [[maybe_unused]] const ssize_t got = read(go[0], &byte, 1);
  });
  ASSERT_THAT(child, IsOk());
  std::array<pollfd, 2> events = child->Events();
  ASSERT_EQ(poll(events.data(), events.size(), /*timeout=*/-1), 1);
  EXPECT_EQ(events[0].revents, POLLIN);
  EXPECT_EQ(events[1].revents, 0);
  EXPECT_THAT(child->Read(), IsOk());
  EXPECT_EQ(child->report(), "1");
  events = child->Events();
  EXPECT_EQ(poll(events.data(), events.size(), /*timeout=*/0), 0);
  ASSERT_EQ(write(go[1], "", 1), 1);
  events[0].fd = -1;
  ASSERT_EQ(poll(events.data(), events.size(), /*timeout=*/-1), 1);
  EXPECT_EQ(events[1].revents, POLLIN);
  EXPECT_EQ(child->Reap(), 0);
  close(go[0]);
  close(go[1]);
}

TEST(WatchedChildTest, StatusDescribesTheEnd) {
  const auto end_of = [](absl::FunctionRef<void(int)> body) {
    absl::StatusOr<WatchedChild> child = WatchedChild::Start(body);
    return child.ok() ? DescribeWaitStatus(child->Reap())
                      : std::string(child.status().message());
  };
  EXPECT_EQ(end_of([](int) { _exit(3); }), "exited with status 3");
  EXPECT_EQ(end_of([](int) { std::raise(SIGKILL); }),
            "killed by SIGKILL (Killed)");
  EXPECT_EQ(end_of([](int report) {
              close(STDERR_FILENO);  // std::terminate() prints.
              static_cast<void>(report);
              throw std::runtime_error("must not come back");
            }),
            "killed by SIGABRT (Aborted)");
}

TEST(WatchedChildTest, IsKilledWithItsProcessGroup) {
  std::array<int, 2> ends = {};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  absl::StatusOr<WatchedChild> child = WatchedChild::Start([](int) {
    static_cast<void>(fork());
    WaitForEver();
  });
  ASSERT_THAT(child, IsOk());
  EXPECT_EQ(DescribeWaitStatus(child->Kill()), "killed by SIGKILL (Killed)");
  // Both held it.
  close(ends[1]);
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 0);
  close(ends[0]);
}

TEST(WatchedChildTest, IsKilledByTheDestructorOnce) {
  {
    absl::StatusOr<WatchedChild> child =
        WatchedChild::Start([](int) { WaitForEver(); });
    ASSERT_THAT(child, IsOk());
    const WatchedChild moved = *std::move(child);
    EXPECT_TRUE(IsAlive(moved.pid()));
  }
  EXPECT_THAT(ChildrenOf(getpid()), IsEmpty());
}

TEST(WatchedChildTest, EndsWithTheThreadThatStartedIt) {
  absl::StatusOr<WatchedChild> child = absl::UnknownError("not started");
  std::thread([&] {
    child = WatchedChild::Start([](int report) {
      WriteReport(report, "1");
      WaitForEver();
    });
    // Not before the child has asked for the signal.
    if (!child.ok()) return;
    std::array<pollfd, 2> events = child->Events();
    poll(events.data(), events.size(), /*timeout=*/-1);
  }).join();
  ASSERT_THAT(child, IsOk());
  EXPECT_EQ(DescribeWaitStatus(child->Reap()), "killed by SIGKILL (Killed)");
}

TEST(WatchedChildTest, AnotherChildClosesItsCopies) {
  absl::StatusOr<WatchedChild> first =
      WatchedChild::Start([](int) { WaitForEver(); });
  ASSERT_THAT(first, IsOk());
  absl::StatusOr<WatchedChild> second = WatchedChild::Start([&](int report) {
    const size_t before = OpenFilesOf(getpid()).size();
    first->CloseInChild();
    const size_t closed = before - OpenFilesOf(getpid()).size();
    WriteReport(report, std::to_string(closed));
  });
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(second->Await(), IsOkAndHolds(0));
  EXPECT_EQ(second->report(), "2");
  EXPECT_TRUE(IsAlive(first->pid()));
}

TEST(RunInChildTest, ReturnsWhatTheBodyReturns) {
  EXPECT_THAT(RunInChild([] { return std::string("text"); }),
              IsOkAndHolds("text"));
  const auto failed = RunInChild([]() -> std::string { _exit(3); });
  EXPECT_EQ(failed.status().message(), "exited with status 3");
}

}  // namespace
}  // namespace net::sandbox
