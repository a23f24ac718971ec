#include "conformance/driver_host/channel_watch.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using Clock = std::chrono::steady_clock;

// A driver that waits for a byte on another pipe, and then reads from the
// channel. The first samples may show the processor time of its start. A test
// that needs an idle driver therefore takes samples until one shows it.
class ChannelWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe(commands_.data()), 0);
    ASSERT_EQ(pipe(release_.data()), 0);
    driver_ = sandbox::WatchedChild::Start([&](int) {
      close(commands_[1]);
      char byte = 0;
      if (read(release_[0], &byte, 1) != 1) _exit(1);
      while (read(commands_[0], &byte, 1) == 1) {
      }
    });
    ASSERT_THAT(driver_, IsOk());
    close(commands_[0]);
  }

  void TearDown() override {
    close(commands_[1]);
    close(release_[0]);
    close(release_[1]);
  }

  // Waits until the driver sleeps in read(2) on this descriptor.
  void AwaitRead(int fd) {
    const std::string call = absl::StrCat(SYS_read, " 0x", absl::Hex(fd), " ");
    const std::string file = absl::StrCat("/proc/", driver_->pid(), "/syscall");
    const auto deadline = Clock::now() + std::chrono::minutes(1);
    while (!absl::StartsWith(sandbox::FirstLineOf(file), call)) {
      ASSERT_TRUE(Clock::now() < deadline) << sandbox::FirstLineOf(file);
    }
  }

  std::array<int, 2> commands_ = {};
  std::array<int, 2> release_ = {};
  absl::StatusOr<sandbox::WatchedChild> driver_ = absl::UnknownError("");
};

TEST_F(ChannelWatchTest, TheTimeBetweenTwoSamplesDoesNotCountAsBlocked) {
  ChannelWatch watch({.write_fd = commands_[1]});
  AwaitRead(release_[0]);
  watch.Inspect();
  ASSERT_EQ(watch.BlockedInRead(), Clock::duration::zero());

  const auto released = Clock::now();
  ASSERT_EQ(write(release_[1], "x", 1), 1);
  AwaitRead(commands_[0]);
  watch.Inspect();
  EXPECT_LE(watch.BlockedInRead(), Clock::now() - released);
}

TEST_F(ChannelWatchTest, CountsTheTimeBetweenSamplesThatShowTheRead) {
  ChannelWatch watch({.write_fd = commands_[1]});
  ASSERT_EQ(write(release_[1], "x", 1), 1);
  AwaitRead(commands_[0]);
  const auto deadline = Clock::now() + std::chrono::minutes(1);
  while (watch.BlockedInRead() == Clock::duration::zero()) {
    ASSERT_TRUE(Clock::now() < deadline);
    watch.Inspect();
  }
  EXPECT_GE(watch.Idle(), watch.BlockedInRead());
}

TEST_F(ChannelWatchTest, IsNotBlockedWhileACommandIsUnread) {
  ChannelWatch watch({.write_fd = commands_[1]});
  AwaitRead(release_[0]);
  ASSERT_EQ(write(commands_[1], "x", 1), 1);
  const auto deadline = Clock::now() + std::chrono::minutes(1);
  while (watch.Idle() == Clock::duration::zero()) {
    ASSERT_TRUE(Clock::now() < deadline);
    watch.Inspect();
  }
  EXPECT_EQ(watch.BlockedInRead(), Clock::duration::zero());
}

}  // namespace
}  // namespace net::conformance
