#include "conformance/kernel_cases/timerfd_helpers.h"

#include <sys/timerfd.h>

#include <cstdint>
#include <ctime>

#include "absl/status/statusor.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

using loopback::RawSocket;

absl::StatusOr<RawSocket> NewTimer(Context& c, int flags, clockid_t clock) {
  const SysResult made = c.sys().TimerFdCreate(clock, TFD_CLOEXEC | flags);
  if (!made.ok()) return ErrnoError(ErrnoOf(made), "timerfd_create");
  return RawSocket(made.fd(), c.sys());
}

itimerspec InSeconds(time_t seconds, time_t interval) {
  return {.it_interval = {.tv_sec = interval, .tv_nsec = 0},
          .it_value = {.tv_sec = seconds, .tv_nsec = 0}};
}

itimerspec InMilliseconds(int milliseconds) {
  constexpr int64_t kNanoseconds = 1'000'000;
  return {.it_interval = {},
          .it_value = {.tv_sec = 0, .tv_nsec = milliseconds * kNanoseconds}};
}

SysResult SetTimer(const RawSocket& timer, const itimerspec& value, int flags) {
  return timer.syscalls().TimerFdSetTime(timer.fd(), flags, &value, nullptr);
}

SysResult SetTimerBack(const RawSocket& timer, time_t seconds,
                       time_t interval) {
  timespec now = {};
  const SysResult read = timer.syscalls().ClockGetTime(CLOCK_REALTIME, &now);
  if (!read.ok()) return read;
  itimerspec value = InSeconds(now.tv_sec - seconds, interval);
  value.it_value.tv_nsec = now.tv_nsec;
  return SetTimer(timer, value, TFD_TIMER_ABSTIME);
}

absl::StatusOr<uint64_t> ReadTimer(const RawSocket& timer) {
  uint64_t count = 0;
  const SysResult read =
      timer.syscalls().Read(timer.fd(), &count, sizeof(count));
  if (!read.ok()) return ErrnoError(ErrnoOf(read), "read");
  EXPECT_EQ(read.value(), 8);
  return count;
}

}  // namespace net::conformance
