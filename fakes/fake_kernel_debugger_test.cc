// A program that stalls under a debugger: the FakeKernel does not report the
// stall, because somebody may look at the program. See fakes/kernel/hangs.h.

#include <poll.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/kernel/hangs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using sandbox::WatchedChild;
using sandbox::WriteReport;

constexpr absl::Duration kLimit = absl::Milliseconds(100);

// A pipe. What waits for it goes on when the other end is closed.
class Barrier {
 public:
  Barrier() { EXPECT_EQ(pipe(ends_), 0); }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  ~Barrier() {
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }
  void Open() {
    EXPECT_EQ(close(ends_[1]), 0);
    ends_[1] = -1;
  }
  void Await() const {
    char byte = 0;
    while (read(ends_[0], &byte, 1) < 0 && errno == EINTR) {
    }
  }

 private:
  int ends_[2] = {-1, -1};
};

// A participant keeps the baton, while another waits for it. Reports
// "silence;" after three times the limit, and the report of the FakeKernel.
void Stall(int report, const Barrier& traced) {
  traced.Await();
  static int& to = *new int(report);
  SetHangHandler([](absl::string_view text) {
    WriteReport(to, text.substr(0, text.find('\n')));
  });
  FakeKernel kernel({.hangs = {.real_time = kLimit}});
  const FakeKernel::Participant self(kernel, "main");
  const FakeKernel::Thread other(kernel, "other", [] {});
  absl::SleepFor(3 * kLimit);
  WriteReport(report, "silence;");
  while (true) pause();
}

// Waits until the child has reported something. Returns false if it has ended.
bool AwaitReport(WatchedChild& child) {
  while (child.report().empty()) {
    std::array<pollfd, 2> events = child.Events();
    if (poll(events.data(), events.size(), /*timeout=*/-1) < 0) return false;
    EXPECT_THAT(child.Read(), IsOk());
    if (events[1].revents != 0) return false;
  }
  return true;
}

TEST(FakeKernelUnderADebugger, AStallIsReportedOnlyAfterIt) {
  Barrier traced;
  absl::StatusOr<WatchedChild> child = WatchedChild::Start([&](int report) {
    traced.Open();  // The child's copy.
    Stall(report, traced);
  });
  ASSERT_THAT(child, IsOk());
  const pid_t pid = child->pid();
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) {
    ASSERT_EQ(errno, EPERM);
    GTEST_SKIP() << "ptrace(2) is forbidden here";
  }
  traced.Open();
  ASSERT_TRUE(AwaitReport(*child)) << child->report();
  EXPECT_EQ(child->report(), "silence;");

  // The debugger leaves.
  ASSERT_EQ(ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr), 0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSTOPPED(status));
  ASSERT_EQ(ptrace(PTRACE_DETACH, pid, nullptr, nullptr), 0);

  const absl::StatusOr<int> ended = child->Await();
  ASSERT_THAT(ended, IsOk());
  EXPECT_TRUE(WIFSIGNALED(*ended)) << *ended;
  EXPECT_EQ(WTERMSIG(*ended), SIGABRT);
  EXPECT_THAT(child->report(),
              testing::StartsWith("silence;the baton has not come back for "
                                  "100ms of real time"));
}

}  // namespace
}  // namespace net
