// The calls of LinuxSyscalls that wait, and those about time.

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/linux_syscalls_test_base.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::Eq;

std::atomic<int> signals_seen = 0;

TEST_F(LinuxSyscallsTest, PollReportsReadiness) {
  const Ends ends = Connected();
  std::array<pollfd, 2> entries = {
      pollfd{.fd = ends.client, .events = POLLOUT, .revents = 0},
      pollfd{.fd = ends.server, .events = POLLIN, .revents = 0}};
  EXPECT_THAT(sys_.Poll(entries.data(), 2, -1), IsOkAndHolds(Eq(1)));
  EXPECT_EQ(entries[0].revents, POLLOUT);
  EXPECT_EQ(entries[1].revents, 0);
  EXPECT_THAT(sys_.Poll(&entries[1], 1, 0), IsOkAndHolds(Eq(0)));
  EXPECT_THAT(sys_.Poll(nullptr, 1, 0), IsErrno(EFAULT));
}

TEST_F(LinuxSyscallsTest, PPollTakesATimeAndSignals) {
  const Ends ends = Connected();
  pollfd entry = {.fd = ends.server, .events = POLLIN, .revents = 0};
  const timespec now = {.tv_sec = 0, .tv_nsec = 0};
  EXPECT_THAT(sys_.PPoll(&entry, 1, &now, nullptr), IsOkAndHolds(Eq(0)));
  const timespec bad = {.tv_sec = 0, .tv_nsec = -1};
  EXPECT_THAT(sys_.PPoll(&entry, 1, &bad, nullptr), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, SelectReportsReadiness) {
  const Ends ends = Connected();
  const auto set_of = [](int fd) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return set;
  };
  fd_set readable = set_of(ends.server);
  fd_set writable = set_of(ends.client);
  fd_set exceptional = set_of(ends.client);
  timeval time = {.tv_sec = 1000, .tv_usec = 0};
  EXPECT_THAT(
      sys_.Select(FD_SETSIZE, &readable, &writable, &exceptional, &time),
      IsOkAndHolds(Eq(1)));
  EXPECT_FALSE(FD_ISSET(ends.server, &readable));
  EXPECT_TRUE(FD_ISSET(ends.client, &writable));
  EXPECT_LT(time.tv_sec, 1000);
  readable = set_of(ends.server);
  const timespec now = {};
  EXPECT_THAT(
      sys_.PSelect6(FD_SETSIZE, &readable, nullptr, nullptr, &now, nullptr),
      IsOkAndHolds(Eq(0)));
  EXPECT_THAT(sys_.Select(-1, nullptr, nullptr, nullptr, &time),
              IsErrno(EINVAL));
  EXPECT_THAT(sys_.PSelect6(-1, nullptr, nullptr, nullptr, &now, nullptr),
              IsErrno(EINVAL));
}

// ppoll(2), pselect(2) and epoll_pwait(2) replace the signal mask during the
// call. A pending, blocked signal is delivered only because of their last
// argument.
TEST_F(LinuxSyscallsTest, WaitsWithTheSignalsGiven) {
  struct sigaction count = {};
  count.sa_handler = [](int) { ++signals_seen; };
  struct sigaction before = {};
  ASSERT_EQ(sigaction(SIGUSR1, &count, &before), 0);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigset_t original;
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &blocked, &original), 0);
  ASSERT_EQ(raise(SIGUSR1), 0);
  sigset_t none;
  sigemptyset(&none);
  EXPECT_THAT(sys_.PPoll(nullptr, 0, nullptr, &none), IsErrno(EINTR));
  EXPECT_EQ(signals_seen, 1);
  ASSERT_EQ(raise(SIGUSR1), 0);
  EXPECT_THAT(sys_.PSelect6(0, nullptr, nullptr, nullptr, nullptr, &none),
              IsErrno(EINTR));
  EXPECT_EQ(signals_seen, 2);
  const int epoll = Opened(sys_.EpollCreate1(EPOLL_CLOEXEC));
  epoll_event event = {};
  ASSERT_EQ(raise(SIGUSR1), 0);
  EXPECT_THAT(sys_.EpollPWait(epoll, &event, 1, -1, &none), IsErrno(EINTR));
  EXPECT_EQ(signals_seen, 3);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &original, nullptr), 0);
  ASSERT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);
}

TEST_F(LinuxSyscallsTest, EpollReportsReadiness) {
  const Ends ends = Connected();
  const int epoll = Opened(sys_.EpollCreate1(EPOLL_CLOEXEC));
  EXPECT_THAT(sys_.Fcntl(epoll, F_GETFD, 0), IsOkAndHolds(Eq(FD_CLOEXEC)));
  epoll_event wanted = {};
  wanted.events = EPOLLIN;
  wanted.data.u64 = 4711;
  ASSERT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_ADD, ends.server, &wanted),
              IsOkAndHolds(Eq(0)));
  EXPECT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_ADD, ends.server, &wanted),
              IsErrno(EEXIST));
  std::array<epoll_event, 2> events = {};
  EXPECT_THAT(sys_.EpollWait(epoll, events.data(), 2, 0), IsOkAndHolds(Eq(0)));
  ASSERT_THAT(sys_.Send(ends.client, "x", 1, 0), IsOk());
  ASSERT_THAT(sys_.EpollWait(epoll, events.data(), 2, -1), IsOkAndHolds(Eq(1)));
  // A copy, because a reference cannot bind to a member of a packed struct.
  const uint64_t told = events[0].data.u64;
  EXPECT_EQ(told, 4711u);
  events[0].data.u64 = 0;
  const timespec now = {};
  ASSERT_THAT(sys_.EpollPWait2(epoll, events.data(), 2, &now, nullptr),
              IsOkAndHolds(Eq(1)));
  const uint64_t told_again = events[0].data.u64;
  EXPECT_EQ(told_again, 4711u);
  const timespec bad = {.tv_sec = -1, .tv_nsec = 0};
  EXPECT_THAT(sys_.EpollPWait2(epoll, events.data(), 2, &bad, nullptr),
              IsErrno(EINVAL));
  EXPECT_THAT(sys_.EpollWait(epoll, events.data(), 0, 0), IsErrno(EINVAL));
  EXPECT_THAT(sys_.EpollCreate1(-1), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, TimeIsOfTheClockNamed) {
  timespec monotonic = {};
  timespec later = {};
  timespec real = {};
  ASSERT_THAT(sys_.ClockGetTime(CLOCK_MONOTONIC, &monotonic),
              IsOkAndHolds(Eq(0)));
  ASSERT_THAT(sys_.ClockGetTime(CLOCK_MONOTONIC, &later), IsOk());
  ASSERT_THAT(sys_.ClockGetTime(CLOCK_REALTIME, &real), IsOk());
  EXPECT_GE(later.tv_sec, monotonic.tv_sec);
  EXPECT_GT(real.tv_sec, 1600000000);  // Seconds since 1970; this is in 2020.
  EXPECT_THAT(sys_.ClockGetTime(9999, &real), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, NanoSleepTakesADuration) {
  const timespec none = {.tv_sec = 0, .tv_nsec = 0};
  EXPECT_THAT(sys_.NanoSleep(&none, nullptr), IsOkAndHolds(Eq(0)));
  const timespec bad = {.tv_sec = 0, .tv_nsec = -1};
  EXPECT_THAT(sys_.NanoSleep(&bad, nullptr), IsErrno(EINVAL));
}

TEST_F(LinuxSyscallsTest, TimersAreSetAndRead) {
  const int timer =
      Opened(sys_.TimerFdCreate(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  EXPECT_THAT(sys_.Fcntl(timer, F_GETFD, 0), IsOkAndHolds(Eq(FD_CLOEXEC)));
  itimerspec value = {.it_interval = {.tv_sec = 7, .tv_nsec = 0},
                      .it_value = {.tv_sec = 1000, .tv_nsec = 0}};
  ASSERT_THAT(sys_.TimerFdSetTime(timer, 0, &value, nullptr), IsOk());
  itimerspec read = {};
  ASSERT_THAT(sys_.TimerFdGetTime(timer, &read), IsOk());
  EXPECT_EQ(read.it_interval.tv_sec, 7);
  EXPECT_GT(read.it_value.tv_sec, 500);
  value = {.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 1}};
  ASSERT_THAT(sys_.TimerFdSetTime(timer, TFD_TIMER_ABSTIME, &value, &read),
              IsOk());
  EXPECT_EQ(read.it_interval.tv_sec, 7);
  uint64_t count = 0;
  EXPECT_THAT(sys_.Read(timer, &count, sizeof(count)), IsOkAndHolds(Eq(8)));
  EXPECT_EQ(count, 1u);
  EXPECT_THAT(sys_.TimerFdCreate(9999, 0), IsErrno(EINVAL));
  EXPECT_THAT(sys_.TimerFdSetTime(-1, 0, &value, nullptr), IsErrno(EBADF));
  EXPECT_THAT(sys_.TimerFdGetTime(-1, &read), IsErrno(EBADF));
}

}  // namespace
}  // namespace net
