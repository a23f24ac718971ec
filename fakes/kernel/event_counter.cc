#include "fakes/kernel/event_counter.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fakes/kernel/kernel.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

constexpr uint64_t kMost = ~uint64_t{0} - 1;

}  // namespace

EventCounter::EventCounter(Kernel& kernel, uint64_t initial, bool semaphore)
    : File(O_RDWR), kernel_(kernel), count_(initial), semaphore_(semaphore) {}

int16_t EventCounter::PollEvents() {
  return static_cast<int16_t>((count_ > 0 ? POLLIN : 0) |
                              (count_ < kMost ? POLLOUT : 0));
}

SysResult EventCounter::Read(const Caller& caller, char* data, size_t size) {
  if (size < sizeof(count_)) return SysResult::Error(EINVAL);
  Wait wait(kernel_.scheduler, caller.site);
  wait.Add(waiters());
  while (count_ == 0) {
    if (nonblocking()) return SysResult::Error(EAGAIN);
    const Woken woken = wait.Block();
    if (woken != Woken::kEvent && woken != Woken::kRestart) {
      return SysResult::Error(ErrnoFor(woken));
    }
  }
  const uint64_t value = semaphore_ ? 1 : count_;
  count_ -= value;
  waiters().WakeOne(POLLOUT);
  return CopyOut(data, &value, sizeof(value)) ? SysResult::Ok(sizeof(value))
                                              : SysResult::Error(EFAULT);
}

SysResult EventCounter::Write(const Caller& caller, const char* data,
                              size_t size) {
  uint64_t value = 0;
  if (size != sizeof(value)) return SysResult::Error(EINVAL);  // Linux 6.9
  if (!CopyIn(&value, data, sizeof(value))) return SysResult::Error(EFAULT);
  if (value > kMost) return SysResult::Error(EINVAL);
  Wait wait(kernel_.scheduler, caller.site);
  wait.Add(waiters());
  while (value > kMost - count_) {
    if (nonblocking()) return SysResult::Error(EAGAIN);
    const Woken woken = wait.Block();
    if (woken != Woken::kEvent && woken != Woken::kRestart) {
      return SysResult::Error(ErrnoFor(woken));
    }
  }
  count_ += value;
  waiters().WakeOne(POLLIN);
  return SysResult::Ok(sizeof(value));
}

SysResult EventCounter::Ioctl(uint64_t, int*) {
  return SysResult::Error(ENOTTY);
}

void EventCounter::OnLastClose(const Caller&) {
  --kernel_.open_files;
  delete this;
}

}  // namespace net::fake
