// select(2) and pselect(2) of a FakeProcess: poll(2) with sets of bits.

#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/fake_process.h"
#include "fakes/fd_sets.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

using fake::CopyIn;
using fake::CopyOut;
using fake::Nanoseconds;

// The events of poll(2) that put a descriptor into the results: POLLIN_SET,
// POLLOUT_SET and POLLEX_SET of Linux's fs/select.c.
constexpr int16_t kReadable =
    POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL;
constexpr int16_t kWritable =
    POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL;
constexpr int16_t kExceptional = POLLPRI | POLLNVAL;

// A copy of one of the program's sets.
class DescriptorSet {
 public:
  // `user` may be null: an empty set, which is not written back.
  DescriptorSet(fd_set* user, int16_t events) : user_(user), events_(events) {}

  // Return false if the program's memory is invalid (EFAULT).
  [[nodiscard]] bool Read(int count) {
    bits_ = FdBits(count);
    return user_ == nullptr || CopyIn(bits_.data(), user_, bits_.bytes());
  }
  [[nodiscard]] bool Write() const {
    return user_ == nullptr || CopyOut(user_, bits_.data(), bits_.bytes());
  }

  FdBits& bits() { return bits_; }
  const FdBits& bits() const { return bits_; }
  int16_t events() const { return events_; }

 private:
  fd_set* const user_;
  const int16_t events_;
  FdBits bits_;
};

}  // namespace

SysResult FakeProcess::SelectFor(int count, fd_set* readable, fd_set* writable,
                                 fd_set* exceptional, int64_t timeout,
                                 absl::string_view call) {
  if (count < 0) return SysResult::Error(EINVAL);
  count = std::min(count, descriptors_->limit());
  std::array<DescriptorSet, 3> sets = {
      DescriptorSet(readable, kReadable), DescriptorSet(writable, kWritable),
      DescriptorSet(exceptional, kExceptional)};
  for (DescriptorSet& set : sets) {
    if (!set.Read(count)) return SysResult::Error(EFAULT);
  }
  absl::InlinedVector<pollfd, 8> entries;
  for (int fd = 0; fd < count; ++fd) {
    int events = 0;
    for (const DescriptorSet& set : sets) {
      if (set.bits().contains(fd)) events |= set.events();
    }
    if (events == 0) continue;
    if (descriptors_->Get(fd) == nullptr) return SysResult::Error(EBADF);
    entries.push_back(
        {.fd = fd, .events = static_cast<int16_t>(events), .revents = 0});
  }
  const SysResult waited =
      AwaitEvents(absl::MakeSpan(entries), /*unasked=*/0, timeout, call);
  if (!waited.ok()) return waited;
  int ready = 0;
  for (DescriptorSet& set : sets) {
    set.bits().Cut(count);  // Linux clears the rest of a word.
    for (const pollfd& entry : entries) {
      if (!set.bits().contains(entry.fd)) continue;
      if ((entry.revents & set.events()) != 0) {
        ++ready;
      } else {
        set.bits().Remove(entry.fd);
      }
    }
    if (!set.Write()) return SysResult::Error(EFAULT);
  }
  return SysResult::Ok(ready);
}

SysResult FakeProcess::DoSelect(int count, fd_set* readable, fd_set* writable,
                                fd_set* exceptional, timeval* timeout) {
  if (timeout == nullptr) {
    return SelectFor(count, readable, writable, exceptional, fake::kForever,
                     "select");
  }
  constexpr int64_t kMicroseconds = 1'000'000;  // Of a second.
  constexpr int64_t kMicrosecond = fake::kSecond / kMicroseconds;
  timeval given = {};
  if (!CopyIn(&given, timeout, sizeof(given))) return SysResult::Error(EFAULT);
  if (given.tv_sec < 0 || given.tv_usec < 0) return SysResult::Error(EINVAL);
  // As in Linux, the microseconds may be more than a second.
  const int64_t seconds = given.tv_usec / kMicroseconds;
  const Nanoseconds duration =
      given.tv_sec > INT64_MAX - seconds
          ? fake::kForever
          : fake::ToNanoseconds(
                {.tv_sec = given.tv_sec + seconds,
                 .tv_nsec = given.tv_usec % kMicroseconds * kMicrosecond});
  const Nanoseconds end = kernel_.clock.After(duration);
  const SysResult result =
      SelectFor(count, readable, writable, exceptional, duration, "select");
  const Nanoseconds left = std::max<Nanoseconds>(end - kernel_.clock.now(), 0);
  timeout->tv_sec = left / fake::kSecond;
  timeout->tv_usec = left % fake::kSecond / kMicrosecond;
  return result;
}

SysResult FakeProcess::DoPSelect6(int count, fd_set* readable, fd_set* writable,
                                  fd_set* exceptional, const timespec* timeout,
                                  const sigset_t* mask) {
  NoteMask(mask, "pselect6");
  Nanoseconds duration = fake::kForever;
  if (timeout != nullptr) {
    timespec copy = {};
    if (!CopyIn(&copy, timeout, sizeof(copy))) return SysResult::Error(EFAULT);
    if (!fake::IsValidTime(copy)) return SysResult::Error(EINVAL);
    duration = fake::ToNanoseconds(copy);
  }
  return SelectFor(count, readable, writable, exceptional, duration,
                   "pselect6");
}

}  // namespace net
