// futex(2) by syscall(2): the results, errors and deadlines of Linux.

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "gtest/gtest.h"

namespace net {
namespace {

// Returns a line of /proc (proc(5)), or "" if the thread has ended.
std::string ReadProc(pid_t thread, const char* name) {
  const std::string path = absl::StrCat("/proc/self/task/", thread, "/", name);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::array<char, 256> bytes = {};
  const ssize_t size = read(fd, bytes.data(), bytes.size());
  close(fd);
  return size > 0 ? std::string(bytes.data(), static_cast<size_t>(size)) : "";
}

// Waits until the outsider sleeps in futex(2).
void AwaitSleep(const std::atomic<pid_t>& thread) {
  const std::string call = absl::StrCat(SYS_futex, " ");
  while (thread == 0 || !absl::StartsWith(ReadProc(thread, "syscall"), call)) {
    std::this_thread::yield();
  }
}

class ThreadHooksFutex : public testing::Test {
 protected:
  int64_t Call(int operation, uint32_t value, const timespec* timeout = nullptr,
               uint32_t bits = 0) {
    return syscall(SYS_futex, &word_, operation | FUTEX_PRIVATE_FLAG, value,
                   timeout, nullptr, bits);
  }
  // Returns 0, or the errno.
  int Wait(const timespec* timeout = nullptr) {
    return Call(FUTEX_WAIT, 0, timeout) == 0 ? 0 : errno;
  }
  int WaitForBits(uint32_t bits, const timespec* deadline = nullptr,
                  int clock = 0) {
    return Call(FUTEX_WAIT_BITSET | clock, 0, deadline, bits) == 0 ? 0 : errno;
  }
  int64_t Wake(uint32_t count) { return Call(FUTEX_WAKE, count); }

  FakeKernel kernel_;
  FakeKernel::Participant self_{kernel_, "main"};
  std::atomic<uint32_t> word_ = 0;
};

TEST_F(ThreadHooksFutex, ASignalInterruptsAWait) {
  FakeKernel::Thread waiter(kernel_, "waiter", [&] {
    EXPECT_EQ(Wait(), EINTR);
    errno = ENOENT;
    EXPECT_EQ(Wait(), 0);
    EXPECT_EQ(errno, ENOENT) << "a call that succeeds leaves it";
  });
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_TRUE(waiter.Interrupt(/*restart=*/true));
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_TRUE(waiter.Interrupt());
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_EQ(Wake(1), 1);
  waiter.Join();
}

TEST_F(ThreadHooksFutex, TheTimeoutOfAWaitIsADuration) {
  kernel_.Advance(absl::Hours(1));
  const timespec second = {.tv_sec = 1, .tv_nsec = 0};
  EXPECT_EQ(Wait(&second), ETIMEDOUT);
  EXPECT_EQ(kernel_.Now(), absl::Hours(1) + absl::Seconds(1));
}

TEST_F(ThreadHooksFutex, ATimeoutBeyondAllTimeIsNone) {
  kernel_.Advance(absl::Hours(1));
  const timespec never = {.tv_sec = 9'223'372'035, .tv_nsec = 0};
  FakeKernel::Thread waiter(kernel_, "waiter",
                            [&] { EXPECT_EQ(Wait(&never), 0); });
  EXPECT_TRUE(waiter.AwaitBlocked());
  EXPECT_EQ(Wake(1), 1);
  waiter.Join();
}

TEST_F(ThreadHooksFutex, TheTimeoutOfAWaitForBitsIsATime) {
  kernel_.Advance(absl::Hours(1));
  for (const int clock : {0, FUTEX_CLOCK_REALTIME}) {
    timespec end = {};
    clock_gettime(clock == 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &end);
    end.tv_sec += 2;
    const absl::Duration start = kernel_.Now();
    EXPECT_EQ(WaitForBits(~0U, &end, clock), ETIMEDOUT);
    EXPECT_EQ(kernel_.Now() - start, absl::Seconds(2));
    EXPECT_EQ(WaitForBits(~0U, &end, clock), ETIMEDOUT) << "has passed";
    EXPECT_EQ(kernel_.Now() - start, absl::Seconds(2));
  }
}

TEST_F(ThreadHooksFutex, RefusesWhatLinuxRefuses) {
  EXPECT_EQ(WaitForBits(0), EINVAL);
  for (const timespec bad : {timespec{.tv_sec = -1, .tv_nsec = 0},
                             timespec{.tv_sec = 0, .tv_nsec = -1},
                             timespec{.tv_sec = 0, .tv_nsec = 1'000'000'000}}) {
    EXPECT_EQ(Wait(&bad), EINVAL);
    EXPECT_EQ(WaitForBits(1, &bad), EINVAL);
  }
  word_ = 1;
  EXPECT_EQ(Wait(), EAGAIN);
  EXPECT_EQ(kernel_.Now(), absl::ZeroDuration());
}

TEST_F(ThreadHooksFutex, AWakeOfOtherBitsWakesNobody) {
  FakeKernel::Thread waiter(kernel_, "waiter",
                            [&] { EXPECT_EQ(WaitForBits(2), 0); });
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_EQ(Call(FUTEX_WAKE_BITSET, 9, nullptr, 5), 0);
  EXPECT_TRUE(waiter.AwaitBlocked());
  EXPECT_EQ(Call(FUTEX_WAKE_BITSET, 9, nullptr, 6), 1);
  waiter.Join();
}

TEST_F(ThreadHooksFutex, AWakeWithAnOperationWakesTheSecondWord) {
  std::atomic<uint32_t> other = 0;
  FakeKernel::Thread waiter(kernel_, "waiter", [&] { EXPECT_EQ(Wait(), 0); });
  ASSERT_TRUE(waiter.AwaitBlocked());
  // Adds 1 to the second word, which was 0, and wakes one on each.
  const int operation = FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0);
  word_ = 0;
  EXPECT_EQ(syscall(SYS_futex, &other, FUTEX_WAKE_OP_PRIVATE, 1, 1, &word_,
                    operation),
            1);
  EXPECT_EQ(word_, 1U);
  waiter.Join();
}

TEST_F(ThreadHooksFutex, ARequeuedWaitGoesOn) {
  std::atomic<uint32_t> other = 0;
  FakeKernel::Thread waiter(kernel_, "waiter", [&] { EXPECT_EQ(Wait(), 0); });
  ASSERT_TRUE(waiter.AwaitBlocked());
  // As on Linux, where it would be moved, it is counted.
  EXPECT_EQ(
      syscall(SYS_futex, &word_, FUTEX_CMP_REQUEUE_PRIVATE, 0, 1, &other, 0),
      1);
  waiter.Join();
}

// Outsiders sleep in the real futex(2).
TEST_F(ThreadHooksFutex, AWakeCountsParticipantsAndOutsiders) {
  std::array<std::atomic<pid_t>, 2> ids = {};
  const auto wait = [this](std::atomic<pid_t>& id) {
    id = gettid();
    EXPECT_EQ(Wait(), 0);
  };
  std::thread one(wait, std::ref(ids[0]));
  std::thread two(wait, std::ref(ids[1]));
  kernel_.Outside([&] {
    for (const std::atomic<pid_t>& id : ids) AwaitSleep(id);
  });
  for (const uint32_t count : {1U, 2U}) {
    FakeKernel::Thread waiter(kernel_, "waiter", [&] { EXPECT_EQ(Wait(), 0); });
    ASSERT_TRUE(waiter.AwaitBlocked());
    // The participant comes first.
    EXPECT_EQ(Wake(count), count);
    waiter.Join();
  }
  EXPECT_EQ(Wake(INT_MAX), 1) << "the second outsider";
  kernel_.Outside([&] {
    one.join();
    two.join();
  });
}

}  // namespace
}  // namespace net
