#ifndef FAKES_KERNEL_TIMER_FILE_H_
#define FAKES_KERNEL_TIMER_FILE_H_

#include <sys/uio.h>

#include <cstdint>
#include <ctime>
#include <string>

#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/file.h"
#include "syscalls/sys_result.h"

namespace net::fake {

struct Kernel;

// The file of a timerfd_create(2): fs/timerfd.c of Linux.
//
// A periodic timer expires once. Its further expirations are counted when the
// program asks for them, by read(2) or timerfd_gettime(2), which also set the
// timer again. So a timer that nobody reads does not keep the clock busy.
class TimerFile final : public File, private TimerTarget {
 public:
  // `clock` is CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME.
  TimerFile(Kernel& kernel, clockid_t clock);

  TimerFile* AsTimer() override { return this; }

  int16_t PollEvents() override;
  bool has_write() const override { return false; }
  SysResult Read(const Caller& caller, absl::Span<const iovec> parts) override;
  SysResult Write(const Caller& caller, absl::Span<const iovec> parts) override;
  SysResult Ioctl(uint64_t request, int* value) override;
  std::string Describe() const override { return "timerfd"; }

  // Implement timerfd_settime(2) and timerfd_gettime(2). The times of `value`
  // are valid. Set() returns the setting before.
  itimerspec Set(bool is_absolute, const itimerspec& value);
  itimerspec Get();

 protected:
  void OnLastClose(const Caller& caller) override;

 private:
  void OnTimer() override;
  void Start(Nanoseconds when);
  void Stop();
  // Adds the expirations since the first one, and moves `expiry_` behind the
  // present. Returns false, with no effect, if the timer is not periodic or has
  // not expired since the last call.
  bool CountExpirations();
  itimerspec Setting() const;

  Kernel& kernel_;
  const Nanoseconds clock_offset_;  // Of the file's clock from the kernel's.
  Clock::TimerId timer_ = Clock::kNone;
  Nanoseconds expiry_ = 0;    // By the kernel's clock. 0: never set.
  Nanoseconds interval_ = 0;  // 0: not periodic.
  bool expired_ = false;      // Since the last read(2).
  uint64_t ticks_ = 0;        // Expirations since the last read(2).
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TIMER_FILE_H_
