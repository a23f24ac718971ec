#include "fakes/kernel/timer_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/iovec_cursor.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net::fake {

TimerFile::TimerFile(Kernel& kernel, clockid_t clock)
    : File(O_RDWR),
      kernel_(kernel),
      clock_offset_(clock == CLOCK_REALTIME ? kRealTimeAtStart : 0) {}

int16_t TimerFile::PollEvents() { return ticks_ > 0 ? POLLIN : 0; }

SysResult TimerFile::Read(const Caller& caller, absl::Span<const iovec> parts) {
  IovecCursor cursor(parts);
  if (cursor.total() < sizeof(ticks_)) return SysResult::Error(EINVAL);
  Wait wait(kernel_.scheduler, caller.site);
  wait.Add(waiters());
  // Unlike a socket, it looks at O_NONBLOCK once.
  if (ticks_ == 0 && nonblocking()) return SysResult::Error(EAGAIN);
  while (ticks_ == 0) {
    const Woken woken = wait.Block();
    if (woken != Woken::kEvent && woken != Woken::kRestart) {
      return SysResult::Error(ErrnoFor(woken));
    }
  }
  if (CountExpirations()) Start(expiry_);
  const uint64_t ticks = ticks_;
  expired_ = false;
  ticks_ = 0;
  const size_t copied = cursor.CopyOut(&ticks, sizeof(ticks));
  return copied > 0 ? SysResult::Ok(static_cast<int64_t>(copied))
                    : SysResult::Error(EFAULT);
}

SysResult TimerFile::Write(const Caller&, absl::Span<const iovec>) {
  return SysResult::Error(EINVAL);
}

SysResult TimerFile::Ioctl(uint64_t, int*) { return SysResult::Error(ENOTTY); }

itimerspec TimerFile::Set(bool is_absolute, const itimerspec& value) {
  Stop();
  CountExpirations();
  const itimerspec before = Setting();
  const Nanoseconds time = ToNanoseconds(value.it_value);
  expired_ = false;
  ticks_ = 0;
  interval_ = ToNanoseconds(value.it_interval);
  expiry_ = 0;
  if (time == 0) return before;
  if (!is_absolute) {
    Start(kernel_.clock.After(time));
  } else if (time == kForever) {
    Start(kForever);
  } else {
    Start(time - clock_offset_);
  }
  return before;
}

itimerspec TimerFile::Get() {
  if (CountExpirations()) {
    expired_ = false;
    Start(expiry_);
  }
  return Setting();
}

itimerspec TimerFile::Setting() const {
  const Nanoseconds now = kernel_.clock.now();
  return {.it_interval = ToTimespec(interval_),
          .it_value = ToTimespec(std::max<Nanoseconds>(expiry_ - now, 0))};
}

// hrtimer_forward() of Linux (kernel/time/hrtimer.c).
bool TimerFile::CountExpirations() {
  if (!expired_ || interval_ == 0) return false;
  const Nanoseconds late = kernel_.clock.now() - expiry_;
  const int64_t more = late / interval_;
  ticks_ += static_cast<uint64_t>(more);
  const Nanoseconds next = expiry_ + more * interval_;
  const bool is_in_range = next <= 0 || interval_ < kForever - next;
  expiry_ = is_in_range ? next + interval_ : kForever;
  return true;
}

// A time in the past expires at once: no call comes in between on Linux,
// either.
void TimerFile::Start(Nanoseconds when) {
  expiry_ = when;
  if (when <= kernel_.clock.now()) {
    OnTimer();
  } else if (when != kForever) {
    timer_ = kernel_.clock.Set(when, *this);
    ++kernel_.set_timer_files;
  }
}

void TimerFile::Stop() {
  if (timer_ == Clock::kNone) return;
  kernel_.clock.Clear(timer_);
  --kernel_.set_timer_files;
}

void TimerFile::OnTimer() {
  if (timer_ != Clock::kNone) {
    timer_ = Clock::kNone;
    --kernel_.set_timer_files;
  }
  expired_ = true;
  ++ticks_;
  waiters().WakeOne(POLLIN);
}

void TimerFile::OnLastClose(const Caller&) {
  --kernel_.open_files;
  Stop();
  delete this;
}

}  // namespace net::fake
