#include "fakes/kernel/timer_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Tests timerfd_create(2) in virtual time, through system calls.

namespace net::fake {
namespace {

class TimerFileTest : public testing::Test {
 protected:
  int Make(int flags = 0, clockid_t clock = CLOCK_MONOTONIC) {
    return Must(sys_.TimerFdCreate(clock, flags));
  }
  void Set(int fd, absl::Duration value,
           absl::Duration interval = absl::ZeroDuration(), int flags = 0) {
    const itimerspec setting = {.it_interval = absl::ToTimespec(interval),
                                .it_value = absl::ToTimespec(value)};
    EXPECT_THAT(sys_.TimerFdSetTime(fd, flags, &setting, nullptr), IsOk());
  }
  absl::Duration Left(int fd) {
    itimerspec setting = {};
    EXPECT_THAT(sys_.TimerFdGetTime(fd, &setting), IsOk());
    return absl::DurationFromTimespec(setting.it_value);
  }
  uint64_t Read(int fd) {
    uint64_t count = 0;
    EXPECT_THAT(sys_.Read(fd, &count, sizeof(count)),
                IsOkAndHolds(sizeof(count)));
    return count;
  }
  SysResult TryRead(int fd) {
    uint64_t count = 0;
    return sys_.Read(fd, &count, sizeof(count));
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
};

TEST_F(TimerFileTest, AReadTakesAsLongAsTheTimer) {
  const int fd = Make();
  Set(fd, absl::Hours(5));
  const absl::Duration before = kernel_.Now();
  EXPECT_EQ(Read(fd), 1U);
  EXPECT_EQ(kernel_.Now() - before, absl::Hours(5));
}

TEST_F(TimerFileTest, APeriodicTimerExpiresAtEachInterval) {
  const int fd = Make();
  const absl::Duration start = kernel_.Now();
  Set(fd, absl::Seconds(1), absl::Seconds(10));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Read(fd), 1U);
    EXPECT_EQ(kernel_.Now() - start, absl::Seconds(1 + 10 * i));
  }
}

TEST_F(TimerFileTest, ExpirationsThatWereNotReadAreCounted) {
  const int fd = Make();
  Set(fd, absl::Seconds(1), absl::Seconds(10));
  kernel_.Advance(absl::Seconds(0.5));
  EXPECT_EQ(Left(fd), absl::Seconds(0.5));
  kernel_.Advance(absl::Seconds(25));  // At 25.5: of 1, 11 and 21.
  EXPECT_EQ(Left(fd), absl::Seconds(5.5));
  EXPECT_EQ(Read(fd), 3U);
  EXPECT_EQ(Left(fd), absl::Seconds(5.5));
  kernel_.Advance(absl::Seconds(5.5));  // Exactly when it expires.
  EXPECT_EQ(Ready(sys_, fd, POLLIN), POLLIN);
  EXPECT_EQ(Read(fd), 1U);
  EXPECT_EQ(Left(fd), absl::Seconds(10));
}

// Otherwise the clock would never reach the end of a wait for anything else.
TEST_F(TimerFileTest, ATimerThatNobodyReadsSetsNoTimers) {
  const int fd = Make();
  Set(fd, absl::Nanoseconds(1), absl::Nanoseconds(1));
  EXPECT_EQ(kernel_.Timers().size(), 1U);
  kernel_.Advance(absl::Hours(1));
  EXPECT_TRUE(kernel_.Timers().empty());
  EXPECT_EQ(Read(fd), 3'600'000'000'000U);
  EXPECT_EQ(kernel_.Timers().size(), 1U);
}

TEST_F(TimerFileTest, AnAbsoluteTimeIsOfTheTimersClock) {
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
    const int fd = Make(0, clock);
    timespec now = {};
    ASSERT_THAT(sys_.ClockGetTime(clock, &now), IsOk());
    Set(fd, absl::DurationFromTimespec(now) + absl::Seconds(3),
        absl::ZeroDuration(), TFD_TIMER_ABSTIME);
    EXPECT_EQ(Left(fd), absl::Seconds(3));
    const absl::Duration before = kernel_.Now();
    EXPECT_EQ(Read(fd), 1U);
    EXPECT_EQ(kernel_.Now() - before, absl::Seconds(3));
  }
}

TEST_F(TimerFileTest, SettingATimerAgainReplacesItsTimer) {
  const int fd = Make(TFD_NONBLOCK);
  Set(fd, absl::Seconds(1));
  Set(fd, absl::Seconds(5));
  EXPECT_EQ(kernel_.Timers().size(), 1U);
  kernel_.Advance(absl::Seconds(4));
  EXPECT_THAT(TryRead(fd), IsErrno(EAGAIN));
  Set(fd, absl::ZeroDuration());
  EXPECT_TRUE(kernel_.Timers().empty());
  kernel_.Advance(absl::Seconds(4));
  EXPECT_THAT(TryRead(fd), IsErrno(EAGAIN));
}

TEST_F(TimerFileTest, ClosingRemovesTheTimer) {
  const int fd = Make();
  Set(fd, absl::Seconds(1));
  EXPECT_THAT(sys_.Close(fd), IsOk());
  EXPECT_TRUE(kernel_.Timers().empty());
}

TEST_F(TimerFileTest, OneReaderTakesAllExpirations) {
  const int fd = Make();
  FakeKernel::Thread one(kernel_, "one", [&] { EXPECT_EQ(Read(fd), 1U); });
  ASSERT_TRUE(one.AwaitBlocked());
  FakeKernel::Thread other(kernel_, "other", [&] { EXPECT_EQ(Read(fd), 1U); });
  ASSERT_TRUE(other.AwaitBlocked());
  const absl::Duration start = kernel_.Now();
  Set(fd, absl::Seconds(1), absl::Seconds(2));
  one.Join();
  other.Join();
  EXPECT_EQ(kernel_.Now() - start, absl::Seconds(3));
}

// O_NONBLOCK concerns the calls that begin after it.
TEST_F(TimerFileTest, AReaderKeepsWaitingWithoutBlocking) {
  const int fd = Make();
  FakeKernel::Thread reader(kernel_, "reader",
                            [&] { EXPECT_EQ(Read(fd), 1U); });
  ASSERT_TRUE(reader.AwaitBlocked());
  EXPECT_THAT(sys_.Fcntl(fd, F_SETFL, O_NONBLOCK), IsOk());
  Set(fd, absl::Seconds(1));
  Set(fd, absl::Seconds(2));
}

TEST_F(TimerFileTest, ASignalEndsTheWait) {
  const int fd = Make();
  FakeKernel::Thread reader(kernel_, "reader",
                            [&] { EXPECT_THAT(TryRead(fd), IsErrno(EINTR)); });
  ASSERT_TRUE(reader.AwaitBlocked());
  reader.Interrupt();
}

TEST_F(TimerFileTest, EndsTheWaitsOfPollAndEpoll) {
  const int fd = Make();
  const int epoll = Must(sys_.EpollCreate1(0));
  epoll_event event = {};
  event.events = EPOLLIN;
  ASSERT_THAT(sys_.EpollCtl(epoll, EPOLL_CTL_ADD, fd, &event), IsOk());
  Set(fd, absl::Seconds(1), absl::Seconds(1));
  const absl::Duration start = kernel_.Now();
  EXPECT_THAT(sys_.EpollWait(epoll, &event, 1, -1), IsOkAndHolds(1));
  EXPECT_EQ(kernel_.Now() - start, absl::Seconds(1));
  EXPECT_EQ(Read(fd), 1U);
  pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
  EXPECT_THAT(sys_.Poll(&entry, 1, -1), IsOkAndHolds(1));
  EXPECT_EQ(kernel_.Now() - start, absl::Seconds(2));
}

TEST_F(TimerFileTest, AWaitForATimerThatIsNotSetIsADeadlock) {
  kernel_.ExpectDeadlock();
  EXPECT_THAT(TryRead(Make()), IsErrno(EDEADLK));
}

TEST_F(TimerFileTest, AlarmClocksNeedACapability) {
  EXPECT_THAT(sys_.TimerFdCreate(CLOCK_REALTIME_ALARM, 0), IsErrno(EPERM));
  EXPECT_THAT(sys_.TimerFdCreate(CLOCK_BOOTTIME_ALARM, 0), IsErrno(EPERM));
}

}  // namespace
}  // namespace net::fake
