// The clocks and timers of a FakeProcess.

#include <fcntl.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <ctime>

#include "fakes/fake_process.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/timer_file.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net {

using fake::Caller;
using fake::CopyIn;
using fake::CopyOut;
using fake::IsValidTime;
using fake::kRealTimeAtStart;
using fake::Nanoseconds;
using fake::ToNanoseconds;
using fake::ToTimespec;
using fake::Woken;

SysResult FakeProcess::DoClockGetTime(clockid_t clock, timespec* time) {
  Nanoseconds now = kernel_.clock.now();
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
      now += kRealTimeAtStart;
      break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
      break;
    default:
      return SysResult::Error(EINVAL);
  }
  const timespec answer = ToTimespec(now);
  return CopyOut(time, &answer, sizeof(answer)) ? SysResult::Ok()
                                                : SysResult::Error(EFAULT);
}

SysResult FakeProcess::DoNanoSleep(const timespec* duration,
                                   timespec* remaining) {
  timespec copy = {};
  if (!CopyIn(&copy, duration, sizeof(copy))) return SysResult::Error(EFAULT);
  if (!IsValidTime(copy)) return SysResult::Error(EINVAL);
  const Nanoseconds end = kernel_.clock.After(ToNanoseconds(copy));
  const Caller caller = MakeCaller("nanosleep", -1);
  fake::Wait wait(kernel_.scheduler, caller.site, end);
  Woken woken = Woken::kEvent;
  while (woken == Woken::kEvent) woken = wait.Block();
  if (woken == Woken::kTimeout) return SysResult::Ok();
  if (remaining != nullptr) {
    const timespec rest = ToTimespec(end - kernel_.clock.now());
    if (!CopyOut(remaining, &rest, sizeof(rest))) {
      return SysResult::Error(EFAULT);
    }
  }
  return SysResult::Error(fake::ErrnoFor(woken));
}

SysResult FakeProcess::DoTimerFdCreate(clockid_t clock, int flags) {
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) != 0) {
    return SysResult::Error(EINVAL);
  }
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
      break;
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
      return SysResult::Error(EPERM);  // Without CAP_WAKE_ALARM.
    default:
      return SysResult::Error(EINVAL);
  }
  auto* const timer = new fake::TimerFile(kernel_, clock);
  timer->set_nonblocking((flags & TFD_NONBLOCK) != 0);
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): Install() owns it
  return Install(*timer, (flags & TFD_CLOEXEC) != 0);
}

fake::TimerFile* FakeProcess::FindTimer(int fd, SysResult* error) const {
  fake::File* const file = descriptors_->Get(fd);
  fake::TimerFile* const timer = file == nullptr ? nullptr : file->AsTimer();
  if (timer == nullptr) {
    *error = SysResult::Error(file == nullptr ? EBADF : EINVAL);
  }
  return timer;
}

SysResult FakeProcess::DoTimerFdSetTime(int fd, int flags,
                                        const itimerspec* value,
                                        itimerspec* old_value) {
  itimerspec copy = {};
  if (!CopyIn(&copy, value, sizeof(copy))) return SysResult::Error(EFAULT);
  // Nobody sets the clock, so nothing is ever cancelled.
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0 ||
      !IsValidTime(copy.it_value) || !IsValidTime(copy.it_interval)) {
    return SysResult::Error(EINVAL);
  }
  SysResult result;
  fake::TimerFile* const timer = FindTimer(fd, &result);
  if (timer == nullptr) return result;
  const itimerspec before = timer->Set((flags & TFD_TIMER_ABSTIME) != 0, copy);
  if (old_value != nullptr && !CopyOut(old_value, &before, sizeof(before))) {
    return SysResult::Error(EFAULT);  // The timer has been set.
  }
  return SysResult::Ok();
}

SysResult FakeProcess::DoTimerFdGetTime(int fd, itimerspec* value) {
  SysResult result;
  fake::TimerFile* const timer = FindTimer(fd, &result);
  if (timer == nullptr) return result;
  const itimerspec setting = timer->Get();
  return CopyOut(value, &setting, sizeof(setting)) ? SysResult::Ok()
                                                   : SysResult::Error(EFAULT);
}

}  // namespace net
