// timerfd_create(2), timerfd_settime(2) and timerfd_gettime(2).

#include <fcntl.h>
#include <poll.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/timerfd_helpers.h"
#include "conformance/kernel_cases/times.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::RawSocket;

// A number that no open descriptor has.
constexpr int kNotOpen = 999999;

// Longer than any case takes.
constexpr time_t kLong = 1000;

template <typename T>
T* BadPointer() {
  return reinterpret_cast<T*>(BadAddress());
}

itimerspec Get(const RawSocket& timer) {
  itimerspec value = {};
  EXPECT_THAT(timer.syscalls().TimerFdGetTime(timer.fd(), &value), IsOk());
  return value;
}

// ---- timerfd_create(2) ------------------------------------------------------

void Flags(Context& c) {
  const SysResult plain = c.sys().TimerFdCreate(CLOCK_MONOTONIC, 0);
  ASSERT_THAT(plain, IsOk());
  const RawSocket one(plain.fd(), c.sys());
  EXPECT_THAT(c.sys().Fcntl(one.fd(), F_GETFD, 0), IsOkAndHolds(0));
  EXPECT_THAT(c.sys().Fcntl(one.fd(), F_GETFL, 0), IsOkAndHolds(O_RDWR));
  ASSERT_OK_AND_ASSIGN(const RawSocket other, NewTimer(c));
  EXPECT_THAT(c.sys().Fcntl(other.fd(), F_GETFD, 0), IsOkAndHolds(FD_CLOEXEC));
  EXPECT_THAT(c.sys().Fcntl(other.fd(), F_GETFL, 0),
              IsOkAndHolds(O_RDWR | O_NONBLOCK));
}

void Clocks(Context& c) {
  for (const clockid_t clock :
       {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME}) {
    EXPECT_THAT(NewTimer(c, 0, clock), IsOk()) << "clock " << clock;
  }
  for (const clockid_t clock : {CLOCK_MONOTONIC_RAW, CLOCK_TAI, 9999, -1}) {
    EXPECT_THAT(c.sys().TimerFdCreate(clock, 0), IsErrno(EINVAL))
        << "clock " << clock;
  }
}

void UnknownFlags(Context& c) {
  for (const int flags : {1, O_APPEND, -1}) {
    EXPECT_THAT(c.sys().TimerFdCreate(CLOCK_MONOTONIC, flags), IsErrno(EINVAL))
        << "flags " << flags;
  }
}

void NoneLeft(Context& c) {
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.sys().TimerFdCreate(CLOCK_MONOTONIC, 0), IsErrno(EMFILE));
}

// ---- The arguments ----------------------------------------------------------

void OtherFiles(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  itimerspec value = {};
  EXPECT_THAT(SetTimer(counter, value), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().TimerFdGetTime(counter.fd(), &value), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().TimerFdSetTime(kNotOpen, 0, &value, nullptr),
              IsErrno(EBADF));
  EXPECT_THAT(c.sys().TimerFdGetTime(kNotOpen, nullptr), IsErrno(EBADF));
}

void InvalidTime(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimer(timer, InSeconds(kLong)), IsOk());
  for (const timespec& time : {timespec{.tv_sec = -1, .tv_nsec = 0},
                               timespec{.tv_sec = 0, .tv_nsec = -1},
                               timespec{.tv_sec = 0, .tv_nsec = 1000000000}}) {
    const itimerspec first = {.it_interval = {}, .it_value = time};
    const itimerspec later = {.it_interval = time, .it_value = {}};
    EXPECT_THAT(SetTimer(timer, first), IsErrno(EINVAL));
    EXPECT_THAT(SetTimer(timer, later), IsErrno(EINVAL));
    EXPECT_THAT(c.sys().TimerFdSetTime(kNotOpen, 0, &first, nullptr),
                IsErrno(EINVAL))
        << "before it looks at the descriptor";
  }
  EXPECT_GT(Get(timer).it_value.tv_sec, 0) << "it is still set";
}

void UnknownSetFlags(Context& c) {
  const itimerspec value = {};
  for (const int flags : {4, -1}) {
    EXPECT_THAT(c.sys().TimerFdSetTime(kNotOpen, flags, &value, nullptr),
                IsErrno(EINVAL))
        << "flags " << flags;
  }
}

void BadAddresses(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  EXPECT_THAT(c.sys().TimerFdSetTime(kNotOpen, 4, nullptr, nullptr),
              IsErrno(EFAULT));
  EXPECT_THAT(c.sys().TimerFdGetTime(timer.fd(), nullptr), IsErrno(EFAULT));
  EXPECT_THAT(c.sys().TimerFdGetTime(timer.fd(), BadPointer<itimerspec>()),
              IsErrno(EFAULT));
}

void SetDespiteTheAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  const itimerspec value = InSeconds(kLong);
  EXPECT_THAT(
      c.sys().TimerFdSetTime(timer.fd(), 0, &value, BadPointer<itimerspec>()),
      IsErrno(EFAULT));
  EXPECT_GT(Get(timer).it_value.tv_sec, 0);
}

// ---- Settings ---------------------------------------------------------------

void NotSet(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  const itimerspec value = Get(timer);
  EXPECT_EQ(value.it_value.tv_sec, 0);
  EXPECT_EQ(value.it_value.tv_nsec, 0);
  EXPECT_EQ(value.it_interval.tv_sec, 0);
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN));
}

void OldValue(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimer(timer, InSeconds(kLong, 7)), IsOk());
  const itimerspec next = InSeconds(2 * kLong);
  itimerspec old = {};
  ASSERT_THAT(c.sys().TimerFdSetTime(timer.fd(), 0, &next, &old), IsOk());
  EXPECT_LE(old.it_value.tv_sec, kLong);
  EXPECT_GT(old.it_value.tv_sec, kLong / 2);
  EXPECT_EQ(old.it_interval.tv_sec, 7);
  const itimerspec now = Get(timer);
  EXPECT_GT(now.it_value.tv_sec, kLong);
  EXPECT_EQ(now.it_interval.tv_sec, 0);
}

void Disarmed(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  ASSERT_THAT(SetTimer(timer, InSeconds(0, 7)), IsOk());
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN))
      << "the expiration is forgotten";
  EXPECT_THAT(PollNow(timer), IsOkAndHolds(0));
  const itimerspec value = Get(timer);
  EXPECT_EQ(value.it_value.tv_sec, 0);
  EXPECT_EQ(value.it_value.tv_nsec, 0);
  EXPECT_EQ(value.it_interval.tv_sec, 7) << "the interval is kept";
}

void SetAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  ASSERT_THAT(SetTimer(timer, InSeconds(kLong)), IsOk());
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN));
  EXPECT_THAT(PollNow(timer), IsOkAndHolds(0));
}

void InThePast(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, 5), IsOk());
  EXPECT_THAT(ReadTimer(timer), IsOkAndHolds(1));
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN));
  const itimerspec value = Get(timer);
  EXPECT_EQ(value.it_value.tv_sec, 0);
  EXPECT_EQ(value.it_value.tv_nsec, 0);
}

void Forever(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer,
                       NewTimer(c, TFD_NONBLOCK, CLOCK_MONOTONIC));
  constexpr time_t kCentury = 3155760000;  // In seconds.
  for (const int flags : std::array<int, 2>{0, TFD_TIMER_ABSTIME}) {
    ASSERT_THAT(SetTimer(timer, InSeconds(INT64_MAX, INT64_MAX), flags),
                IsOk());
    const itimerspec value = Get(timer);
    EXPECT_GT(value.it_value.tv_sec, kCentury);
    EXPECT_GT(value.it_interval.tv_sec, kCentury);
    EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN));
  }
}

void CancelOnSet(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  timespec now = {};
  ASSERT_THAT(c.sys().ClockGetTime(CLOCK_REALTIME, &now), IsOk());
  ASSERT_THAT(SetTimer(timer, InSeconds(now.tv_sec - 5),
                       TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET),
              IsOk());
  EXPECT_THAT(ReadTimer(timer), IsOkAndHolds(1));
}

// ---- Periodic timers --------------------------------------------------------

// Expires 11 times before the present; the next time is half an interval away.
constexpr time_t kInterval = 1000;
constexpr time_t kAgo = 10 * kInterval + kInterval / 2;
constexpr uint64_t kTimes = 11;

void CountsAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, kAgo, kInterval), IsOk());
  EXPECT_THAT(ReadTimer(timer), IsOkAndHolds(kTimes));
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN));
  const itimerspec value = Get(timer);
  EXPECT_LE(value.it_value.tv_sec, kInterval / 2);
  EXPECT_GT(value.it_value.tv_sec, 0);
  EXPECT_EQ(value.it_interval.tv_sec, kInterval);
}

void GetTimeCounts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, kAgo, kInterval), IsOk());
  for (int i = 0; i < 2; ++i) {
    const itimerspec value = Get(timer);
    EXPECT_LE(value.it_value.tv_sec, kInterval / 2);
    EXPECT_GT(value.it_value.tv_sec, 0);
  }
  EXPECT_THAT(PollNow(timer), IsOkAndHolds(POLLIN));
  EXPECT_THAT(ReadTimer(timer), IsOkAndHolds(kTimes));
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN));
}

void OldValueOfExpired(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetTimerBack(timer, kAgo, kInterval), IsOk());
  const itimerspec none = {};
  itimerspec old = {};
  ASSERT_THAT(c.sys().TimerFdSetTime(timer.fd(), 0, &none, &old), IsOk());
  EXPECT_LE(old.it_value.tv_sec, kInterval / 2);
  EXPECT_GT(old.it_value.tv_sec, 0);
  EXPECT_EQ(old.it_interval.tv_sec, kInterval);
  EXPECT_THAT(ReadTimer(timer), IsErrno(EAGAIN));
}

void ExpiresAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c, 0, CLOCK_MONOTONIC));
  itimerspec value = InMilliseconds(2);
  value.it_interval = value.it_value;
  const double before = Now(c);
  ASSERT_THAT(SetTimer(timer, value), IsOk());
  uint64_t count = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const uint64_t more, ReadTimer(timer));
    EXPECT_GE(more, 1U);
    count += more;
  }
  EXPECT_GE(Now(c) - before, 2.0 * static_cast<double>(count));
}

}  // namespace

const std::vector<Case>& TimerfdKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.timerfd.create.flags",
       .requirement = "timerfd_create(2) must set close-on-exec and O_NONBLOCK "
                      "only if its flags contain them.",
       .source = "timerfd_create(2), flags",
       .families = AddressFamilies::kV4,
       .run = &Flags},
      {.id = "kernel.timerfd.create.clocks",
       .requirement = "timerfd_create(2) must accept CLOCK_REALTIME, "
                      "CLOCK_MONOTONIC and CLOCK_BOOTTIME, and fail with "
                      "EINVAL for clocks that are no timer's.",
       .source = "timerfd_create(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &Clocks},
      {.id = "kernel.timerfd.create.unknown_flags",
       .requirement =
           "timerfd_create(2) must fail with EINVAL for unknown flags.",
       .source = "timerfd_create(2), EINVAL",
       .families = AddressFamilies::kV4,
       .run = &UnknownFlags},
      {.id = "kernel.timerfd.create.none_left",
       .requirement = "timerfd_create(2) must fail with EMFILE at the limit of "
                      "open descriptors.",
       .source = "timerfd_create(2), EMFILE",
       .families = AddressFamilies::kV4,
       .run = &NoneLeft},
      {.id = "kernel.timerfd.other_files",
       .requirement =
           "timerfd_settime(2) and timerfd_gettime(2) must fail with "
           "EINVAL on a file that is not a timerfd, and with EBADF "
           "on a descriptor that is not open.",
       .source = "timerfd_create(2), ERRORS",
       .families = AddressFamilies::kV4,
       .run = &OtherFiles},
      {.id = "kernel.timerfd.settime.invalid_time",
       .requirement = "timerfd_settime(2) must fail with EINVAL if a time is "
                      "negative or its nanoseconds are not below one second, "
                      "before it looks at the descriptor.",
       .source = "timerfd_create(2), EINVAL; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &InvalidTime},
      {.id = "kernel.timerfd.settime.unknown_flags",
       .requirement = "timerfd_settime(2) must fail with EINVAL for unknown "
                      "flags, before it looks at the descriptor.",
       .source = "timerfd_create(2), EINVAL; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &UnknownSetFlags},
      {.id = "kernel.timerfd.addresses",
       .requirement =
           "timerfd_settime(2) and timerfd_gettime(2) must fail with "
           "EFAULT if they cannot read or write the setting.",
       .source = "timerfd_create(2), EFAULT",
       .families = AddressFamilies::kV4,
       .run = &BadAddresses},
      {.id = "kernel.timerfd.settime.old_value.address",
       .requirement = "timerfd_settime(2) must set the timer even if it fails "
                      "with EFAULT because of the old setting's address.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &SetDespiteTheAddress},
      {.id = "kernel.timerfd.not_set",
       .requirement = "A new timerfd must not be set, and never be readable.",
       .source = "timerfd_create(2), timerfd_gettime()",
       .families = AddressFamilies::kV4,
       .run = &NotSet},
      {.id = "kernel.timerfd.settime.old_value",
       .requirement = "timerfd_settime(2) must return the setting before: the "
                      "time that was left, and the interval.",
       .source = "timerfd_create(2), old_value",
       .families = AddressFamilies::kV4,
       .run = &OldValue},
      {.id = "kernel.timerfd.settime.disarm",
       .requirement = "timerfd_settime(2) with a time of 0 must disarm the "
                      "timer and forget its expirations; the interval is kept.",
       .source = "timerfd_create(2), new_value; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Disarmed},
      {.id = "kernel.timerfd.settime.again",
       .requirement =
           "timerfd_settime(2) must forget the expirations since the "
           "last read(2).",
       .source = "timerfd_create(2), read(2)",
       .families = AddressFamilies::kV4,
       .run = &SetAgain},
      {.id = "kernel.timerfd.settime.past",
       .requirement = "A timer that is set for a time in the past must expire "
                      "at once, and only once without an interval.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &InThePast},
      {.id = "kernel.timerfd.settime.forever",
       .requirement =
           "timerfd_settime(2) must accept times beyond those of the clock.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Forever},
      {.id = "kernel.timerfd.settime.cancel_on_set",
       .requirement = "A timer with TFD_TIMER_CANCEL_ON_SET must expire as "
                      "others do while nobody sets the clock.",
       .source = "timerfd_create(2), TFD_TIMER_CANCEL_ON_SET",
       .families = AddressFamilies::kV4,
       .run = &CancelOnSet},
      {.id = "kernel.timerfd.periodic.count",
       .requirement =
           "read(2) of a periodic timer must return how often it has "
           "expired since the last read(2).",
       .source = "timerfd_create(2), read(2)",
       .families = AddressFamilies::kV4,
       .run = &CountsAll},
      {.id = "kernel.timerfd.periodic.gettime",
       .requirement = "timerfd_gettime(2) of a periodic timer that has expired "
                      "must return the time until the next expiration, and "
                      "must not change what read(2) returns.",
       .source = "timerfd_create(2), timerfd_gettime()",
       .families = AddressFamilies::kV4,
       .run = &GetTimeCounts},
      {.id = "kernel.timerfd.periodic.old_value",
       .requirement = "timerfd_settime(2) of a periodic timer that has expired "
                      "must return the time that was left until the next "
                      "expiration.",
       .source = "timerfd_create(2), old_value",
       .families = AddressFamilies::kV4,
       .run = &OldValueOfExpired},
      {.id = "kernel.timerfd.periodic.again",
       .requirement = "A periodic timer must expire again after each interval, "
                      "and not before.",
       .source = "timerfd_create(2), it_interval",
       .families = AddressFamilies::kV4,
       .run = &ExpiresAgain},
  };
  return cases;
}

}  // namespace net::conformance
