#include "fakes/kernel/event_counter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdint>

#include "absl/types/span.h"
#include "fakes/kernel/iovec_cursor.h"
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

SysResult EventCounter::Read(const Caller& caller,
                             absl::Span<const iovec> parts) {
  IovecCursor cursor(parts);
  if (cursor.total() < sizeof(count_)) return SysResult::Error(EINVAL);
  Wait wait(kernel_.scheduler, caller.site);
  wait.Add(waiters());
  // Unlike a socket, it looks at O_NONBLOCK once.
  if (count_ == 0 && nonblocking()) return SysResult::Error(EAGAIN);
  while (count_ == 0) {
    const Woken woken = wait.Block();
    if (woken != Woken::kEvent && woken != Woken::kRestart) {
      return SysResult::Error(ErrnoFor(woken));
    }
  }
  const uint64_t value = semaphore_ ? 1 : count_;
  count_ -= value;
  waiters().WakeOne(POLLOUT);
  return cursor.CopyOut(&value, sizeof(value)) == sizeof(value)
             ? SysResult::Ok(sizeof(value))
             : SysResult::Error(EFAULT);
}

// do_loop_readv_writev() of Linux (fs/read_write.c).
SysResult EventCounter::Write(const Caller& caller,
                              absl::Span<const iovec> parts) {
  int64_t written = 0;
  for (const iovec& part : parts) {
    if (written > 0 && part.iov_len == 0) continue;
    const SysResult one = WriteOne(caller, part);
    if (!one.ok()) return written > 0 ? SysResult::Ok(written) : one;
    written += one.value();
  }
  return SysResult::Ok(written);
}

SysResult EventCounter::WriteOne(const Caller& caller, const iovec& part) {
  uint64_t value = 0;
  if (part.iov_len != sizeof(value)) {
    return SysResult::Error(EINVAL);  // Linux 6.9
  }
  if (!CopyIn(&value, part.iov_base, sizeof(value))) {
    return SysResult::Error(EFAULT);
  }
  if (value > kMost) return SysResult::Error(EINVAL);
  Wait wait(kernel_.scheduler, caller.site);
  wait.Add(waiters());
  if (value > kMost - count_ && nonblocking()) return SysResult::Error(EAGAIN);
  while (value > kMost - count_) {
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
