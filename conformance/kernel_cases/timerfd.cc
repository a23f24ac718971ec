// timerfd_create(2), timerfd_settime(2) and timerfd_gettime(2), and read(2),
// poll(2) and epoll(7) of their files.

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/times.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
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

absl::StatusOr<RawSocket> NewTimer(Context& c, int flags = TFD_NONBLOCK,
                                   clockid_t clock = CLOCK_REALTIME) {
  const SysResult made = c.sys().TimerFdCreate(clock, TFD_CLOEXEC | flags);
  if (!made.ok()) return ErrnoError(ErrnoOf(made), "timerfd_create");
  return RawSocket(made.fd(), c.sys());
}

itimerspec In(time_t seconds, time_t interval = 0) {
  return {.it_interval = {.tv_sec = interval, .tv_nsec = 0},
          .it_value = {.tv_sec = seconds, .tv_nsec = 0}};
}

itimerspec InMilliseconds(int milliseconds) {
  constexpr int64_t kNanoseconds = 1'000'000;
  return {.it_interval = {},
          .it_value = {.tv_sec = 0, .tv_nsec = milliseconds * kNanoseconds}};
}

SysResult Set(const RawSocket& timer, const itimerspec& value, int flags = 0) {
  return timer.syscalls().TimerFdSetTime(timer.fd(), flags, &value, nullptr);
}

// Lets a timer of CLOCK_REALTIME expire `seconds` ago.
SysResult SetBack(const RawSocket& timer, time_t seconds, time_t interval = 0) {
  timespec now = {};
  const SysResult read = timer.syscalls().ClockGetTime(CLOCK_REALTIME, &now);
  if (!read.ok()) return read;
  itimerspec value = In(now.tv_sec - seconds, interval);
  value.it_value.tv_nsec = now.tv_nsec;
  return Set(timer, value, TFD_TIMER_ABSTIME);
}

itimerspec Get(const RawSocket& timer) {
  itimerspec value = {};
  EXPECT_THAT(timer.syscalls().TimerFdGetTime(timer.fd(), &value), IsOk());
  return value;
}

// Calls read(2). Returns the number of expirations.
absl::StatusOr<uint64_t> Read(const RawSocket& timer) {
  uint64_t count = 0;
  const SysResult read =
      timer.syscalls().Read(timer.fd(), &count, sizeof(count));
  if (!read.ok()) return ErrnoError(ErrnoOf(read), "read");
  EXPECT_EQ(read.value(), 8);
  return count;
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
  EXPECT_THAT(Set(counter, value), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().TimerFdGetTime(counter.fd(), &value), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().TimerFdSetTime(kNotOpen, 0, &value, nullptr),
              IsErrno(EBADF));
  EXPECT_THAT(c.sys().TimerFdGetTime(kNotOpen, nullptr), IsErrno(EBADF));
}

void InvalidTime(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(Set(timer, In(kLong)), IsOk());
  for (const timespec& time : {timespec{.tv_sec = -1, .tv_nsec = 0},
                               timespec{.tv_sec = 0, .tv_nsec = -1},
                               timespec{.tv_sec = 0, .tv_nsec = 1000000000}}) {
    const itimerspec first = {.it_interval = {}, .it_value = time};
    const itimerspec later = {.it_interval = time, .it_value = {}};
    EXPECT_THAT(Set(timer, first), IsErrno(EINVAL));
    EXPECT_THAT(Set(timer, later), IsErrno(EINVAL));
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
  const itimerspec value = In(kLong);
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
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN));
}

void OldValue(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(Set(timer, In(kLong, 7)), IsOk());
  const itimerspec next = In(2 * kLong);
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
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  ASSERT_THAT(Set(timer, In(0, 7)), IsOk());
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN)) << "the expiration is forgotten";
  EXPECT_THAT(PollNow(timer), IsOkAndHolds(0));
  const itimerspec value = Get(timer);
  EXPECT_EQ(value.it_value.tv_sec, 0);
  EXPECT_EQ(value.it_value.tv_nsec, 0);
  EXPECT_EQ(value.it_interval.tv_sec, 7) << "the interval is kept";
}

void SetAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  ASSERT_THAT(Set(timer, In(kLong)), IsOk());
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN));
  EXPECT_THAT(PollNow(timer), IsOkAndHolds(0));
}

void InThePast(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  EXPECT_THAT(Read(timer), IsOkAndHolds(1));
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN));
  const itimerspec value = Get(timer);
  EXPECT_EQ(value.it_value.tv_sec, 0);
  EXPECT_EQ(value.it_value.tv_nsec, 0);
}

void Forever(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer,
                       NewTimer(c, TFD_NONBLOCK, CLOCK_MONOTONIC));
  constexpr time_t kCentury = 3155760000;  // In seconds.
  for (const int flags : std::array<int, 2>{0, TFD_TIMER_ABSTIME}) {
    ASSERT_THAT(Set(timer, In(INT64_MAX, INT64_MAX), flags), IsOk());
    const itimerspec value = Get(timer);
    EXPECT_GT(value.it_value.tv_sec, kCentury);
    EXPECT_GT(value.it_interval.tv_sec, kCentury);
    EXPECT_THAT(Read(timer), IsErrno(EAGAIN));
  }
}

void CancelOnSet(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  timespec now = {};
  ASSERT_THAT(c.sys().ClockGetTime(CLOCK_REALTIME, &now), IsOk());
  ASSERT_THAT(Set(timer, In(now.tv_sec - 5),
                  TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET),
              IsOk());
  EXPECT_THAT(Read(timer), IsOkAndHolds(1));
}

// ---- Periodic timers --------------------------------------------------------

// Expires 11 times before the present; the next time is half an interval away.
constexpr time_t kInterval = 1000;
constexpr time_t kAgo = 10 * kInterval + kInterval / 2;
constexpr uint64_t kTimes = 11;

void CountsAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetBack(timer, kAgo, kInterval), IsOk());
  EXPECT_THAT(Read(timer), IsOkAndHolds(kTimes));
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN));
  const itimerspec value = Get(timer);
  EXPECT_LE(value.it_value.tv_sec, kInterval / 2);
  EXPECT_GT(value.it_value.tv_sec, 0);
  EXPECT_EQ(value.it_interval.tv_sec, kInterval);
}

void GetTimeCounts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetBack(timer, kAgo, kInterval), IsOk());
  for (int i = 0; i < 2; ++i) {
    const itimerspec value = Get(timer);
    EXPECT_LE(value.it_value.tv_sec, kInterval / 2);
    EXPECT_GT(value.it_value.tv_sec, 0);
  }
  EXPECT_THAT(PollNow(timer), IsOkAndHolds(POLLIN));
  EXPECT_THAT(Read(timer), IsOkAndHolds(kTimes));
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN));
}

void OldValueOfExpired(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetBack(timer, kAgo, kInterval), IsOk());
  const itimerspec none = {};
  itimerspec old = {};
  ASSERT_THAT(c.sys().TimerFdSetTime(timer.fd(), 0, &none, &old), IsOk());
  EXPECT_LE(old.it_value.tv_sec, kInterval / 2);
  EXPECT_GT(old.it_value.tv_sec, 0);
  EXPECT_EQ(old.it_interval.tv_sec, kInterval);
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN));
}

void ExpiresAgain(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c, 0, CLOCK_MONOTONIC));
  itimerspec value = InMilliseconds(2);
  value.it_interval = value.it_value;
  const double before = Now(c);
  ASSERT_THAT(Set(timer, value), IsOk());
  uint64_t count = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const uint64_t more, Read(timer));
    EXPECT_GE(more, 1U);
    count += more;
  }
  EXPECT_GE(Now(c) - before, 2.0 * static_cast<double>(count));
}

// ---- read(2) and write(2) ---------------------------------------------------

void ReadSizes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  std::array<uint64_t, 2> counts = {0, 7};
  EXPECT_THAT(c.sys().Read(timer.fd(), counts.data(), 7), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Read(timer.fd(), counts.data(), sizeof(counts)),
              IsOkAndHolds(8));
  EXPECT_EQ(counts[0], 1U);
  EXPECT_EQ(counts[1], 7U);
  EXPECT_THAT(c.sys().Read(timer.fd(), counts.data(), 7), IsErrno(EINVAL));
}

void ReadAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  EXPECT_THAT(c.sys().Read(timer.fd(), BadAddress(), 8), IsErrno(EFAULT));
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN)) << "the expiration is lost";
}

void ReadParts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  std::array<uint32_t, 2> halves = {7, 7};
  const std::array<iovec, 2> parts = {iovec{halves.data(), 4},
                                      iovec{&halves[1], 4}};
  EXPECT_THAT(c.sys().ReadV(timer.fd(), parts.data(), 2), IsOkAndHolds(8));
  EXPECT_EQ(halves[0] + halves[1], 1U);
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  const std::array<iovec, 2> bad = {iovec{halves.data(), 4},
                                    iovec{BadAddress(), 4}};
  EXPECT_THAT(c.sys().ReadV(timer.fd(), bad.data(), 2), IsOkAndHolds(4));
}

void Written(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  const uint64_t one = 1;
  EXPECT_THAT(c.sys().Write(timer.fd(), &one, sizeof(one)), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Write(timer.fd(), BadAddress(), sizeof(one)),
              IsErrno(EINVAL));
  const iovec part = {.iov_base = nullptr, .iov_len = 0};
  EXPECT_THAT(c.sys().WriteV(timer.fd(), &part, 1), IsErrno(EINVAL));
}

void Requests(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  EXPECT_THAT(Ask(timer, FIONREAD), IsErrno(ENOTTY));
  EXPECT_THAT(c.sys().Fcntl(timer.fd(), F_SETFL, O_DIRECT), IsErrno(EINVAL));
  EXPECT_THAT(c.sys().Fcntl(timer.fd(), F_SETFL, 0), IsOk());
  EXPECT_THAT(c.sys().Fcntl(timer.fd(), F_GETFL, 0), IsOkAndHolds(O_RDWR));
}

void Duplicates(Context& c) {
  ASSERT_OK_AND_ASSIGN(RawSocket timer, NewTimer(c));
  const SysResult made = c.sys().Dup(timer.fd());
  ASSERT_THAT(made, IsOk());
  const RawSocket copy(made.fd(), c.sys());
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  EXPECT_THAT(Read(copy), IsOkAndHolds(1));
  EXPECT_THAT(Read(timer), IsErrno(EAGAIN));
  ASSERT_THAT(timer.Close(), IsOk());
  ASSERT_THAT(SetBack(copy, 5), IsOk());
  EXPECT_THAT(Read(copy), IsOkAndHolds(1));
}

// ---- Waiting ----------------------------------------------------------------

void NotEarly(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c, 0, CLOCK_MONOTONIC));
  constexpr int kMilliseconds = 20;
  const double before = Now(c);
  ASSERT_THAT(Set(timer, InMilliseconds(kMilliseconds)), IsOk());
  EXPECT_THAT(Read(timer), IsOkAndHolds(1));
  EXPECT_GE(Now(c) - before, kMilliseconds);
}

// ---- poll(2) and epoll(7) ---------------------------------------------------

void Polled(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  constexpr int16_t kAll = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLPRI;
  EXPECT_THAT(timer.Ready(kAll), IsOkAndHolds(0));
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  EXPECT_THAT(timer.Ready(kAll), IsOkAndHolds(POLLIN));
  ASSERT_THAT(Read(timer), IsOk());
  EXPECT_THAT(timer.Ready(kAll), IsOkAndHolds(0));
}

void EndsAPoll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer,
                       NewTimer(c, TFD_NONBLOCK, CLOCK_MONOTONIC));
  const double before = Now(c);
  ASSERT_THAT(Set(timer, InMilliseconds(5)), IsOk());
  EXPECT_THAT(timer.Wait(POLLIN), IsOkAndHolds(POLLIN));
  EXPECT_GE(Now(c) - before, 5);
}

void EndsAnEpollWait(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer,
                       NewTimer(c, TFD_NONBLOCK, CLOCK_MONOTONIC));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(timer.fd(), EPOLLIN), IsOk());
  const double before = Now(c);
  ASSERT_THAT(Set(timer, InMilliseconds(5)), IsOk());
  EXPECT_EQ(epoll.Await(), "1:IN");
  EXPECT_GE(Now(c) - before, 5);
  EXPECT_EQ(epoll.Ready(), "1:IN");
  ASSERT_THAT(Read(timer), IsOkAndHolds(1));
  EXPECT_EQ(epoll.Ready(), "");
}

void SetWhileWaiting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(timer.fd(), EPOLLIN), IsOk());
  epoll_event event = {};
  PendingCall waiting(
      c, [&] { return c.sys().EpollWait(epoll.fd(), &event, 1, -1); });
  ASSERT_TRUE(waiting.AwaitBlocked());
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  EXPECT_THAT(waiting.Join(), IsOkAndHolds(1));
}

void EdgeTriggered(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket timer, NewTimer(c));
  ASSERT_OK_AND_ASSIGN(const Epoll epoll, NewEpoll(c));
  ASSERT_THAT(epoll.Add(timer.fd(), EPOLLIN | EPOLLET), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN");
  EXPECT_EQ(epoll.Ready(), "");
  ASSERT_THAT(SetBack(timer, 5), IsOk());
  EXPECT_EQ(epoll.Ready(), "1:IN") << "it has expired again, unread";
  ASSERT_THAT(Read(timer), IsOk());
  EXPECT_EQ(epoll.Ready(), "");
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
      {.id = "kernel.timerfd.read.size",
       .requirement = "read(2) of a timerfd must fail with EINVAL for fewer "
                      "than 8 bytes, and fill in 8 of more.",
       .source = "timerfd_create(2), read(2)",
       .families = AddressFamilies::kV4,
       .run = &ReadSizes},
      {.id = "kernel.timerfd.read.address",
       .requirement = "read(2) of a timerfd that fails with EFAULT must lose "
                      "the expirations.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &ReadAddress},
      {.id = "kernel.timerfd.read.parts",
       .requirement = "readv(2) of a timerfd must spread the number over the "
                      "buffers, and return the bytes before an invalid one.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &ReadParts},
      {.id = "kernel.timerfd.write",
       .requirement = "write(2) to a timerfd must fail with EINVAL.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Written},
      {.id = "kernel.timerfd.control",
       .requirement = "ioctl(2) with FIONREAD must fail with ENOTTY on a "
                      "timerfd; fcntl(2) must set and clear O_NONBLOCK, and "
                      "refuse O_DIRECT with EINVAL.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Requests},
      {.id = "kernel.timerfd.dup",
       .requirement = "Duplicates of a timerfd must share the timer, which "
                      "lives as long as one of them.",
       .source = "dup(2)",
       .families = AddressFamilies::kV4,
       .run = &Duplicates},
      {.id = "kernel.timerfd.wait.not_early",
       .requirement = "A blocking read(2) of a timerfd must not return before "
                      "the timer expires.",
       .source = "timerfd_create(2), read(2)",
       .families = AddressFamilies::kV4,
       .run = &NotEarly},
      {.id = "kernel.timerfd.poll",
       .requirement = "poll(2) must return POLLIN, and nothing else, for a "
                      "timerfd with expirations that were not read.",
       .source = "timerfd_create(2), poll(2); measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &Polled},
      {.id = "kernel.timerfd.poll.wait",
       .requirement = "A poll(2) must return when a timerfd expires.",
       .source = "timerfd_create(2), poll(2)",
       .families = AddressFamilies::kV4,
       .run = &EndsAPoll},
      {.id = "kernel.timerfd.epoll.wait",
       .requirement = "epoll_wait(2) must return when a timerfd expires, and "
                      "report it until it is read.",
       .source = "timerfd_create(2), poll(2); epoll(7)",
       .families = AddressFamilies::kV4,
       .run = &EndsAnEpollWait},
      {.id = "kernel.timerfd.epoll.set",
       .requirement = "A timer that is set while an epoll_wait(2) is blocked "
                      "must end it when it expires.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &SetWhileWaiting},
      {.id = "kernel.timerfd.epoll.edge",
       .requirement = "With EPOLLET, a timerfd must be reported once for each "
                      "expiration, even if it was not read.",
       .source = "epoll(7), EPOLLET; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &EdgeTriggered},
  };
  return cases;
}

}  // namespace net::conformance
