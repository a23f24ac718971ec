#include "syscalls/sandbox/thread_status.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net::sandbox {
namespace {

uint64_t BitOf(int signal) { return uint64_t{1} << (signal - 1); }

TEST(ThreadStatusTest, ARunningThreadShowsItsSignals) {
  ASSERT_EQ(prctl(PR_SET_NAME, "by_name"), 0);
  sigset_t set = {};
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  ASSERT_NE(std::signal(SIGUSR2, [](int) {}), SIG_ERR);
  ASSERT_EQ(pthread_kill(pthread_self(), SIGUSR1), 0);
  const auto status = ReadThreadStatus("/proc/thread-self/status");
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->name, "by_name");
  EXPECT_FALSE(status->sleeps);
  EXPECT_EQ(status->pending & BitOf(SIGUSR1), BitOf(SIGUSR1));
  EXPECT_EQ(status->blocked & BitOf(SIGUSR1), BitOf(SIGUSR1));
  EXPECT_EQ(status->caught & BitOf(SIGUSR1), 0);
  EXPECT_EQ(status->caught & BitOf(SIGUSR2), BitOf(SIGUSR2));
}

TEST(ThreadStatusTest, AThreadInABlockingCallSleeps) {
  absl::StatusOr<WatchedChild> child = WatchedChild::Start([](int) {
    while (true) pause();
  });
  ASSERT_THAT(child, IsOk());
  const std::string path = absl::StrCat("/proc/", child->pid(), "/status");
  std::optional<ThreadStatus> status = ReadThreadStatus(path);
  // Linux sets the state shortly before it counts the switch. A thread that is
  // never counted ends this test at its deadline.
  while (status.has_value() && (!status->sleeps || status->times_slept == 0)) {
    status = ReadThreadStatus(path);
  }
  ASSERT_TRUE(status.has_value());
  child->Kill();
  EXPECT_FALSE(ReadThreadStatus(path).has_value());
}

}  // namespace
}  // namespace net::sandbox
