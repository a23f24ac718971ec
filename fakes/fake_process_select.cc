// select(2) and pselect(2) of a FakeProcess: poll(2) with sets of bits.

#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/fake_process.h"
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

// A copy of one of the program's sets. As in Linux, a set consists of whole
// words.
class DescriptorSet {
 public:
  // `user` may be null: an empty set, which is not written back.
  DescriptorSet(fd_set* user, int16_t events) : user_(user), events_(events) {}

  // Return false if the program's memory is invalid (EFAULT).
  [[nodiscard]] bool Read(int count) {
    words_.resize(WordsFor(count));
    return user_ == nullptr || CopyIn(words_.data(), user_, bytes());
  }
  [[nodiscard]] bool Write() const {
    return user_ == nullptr || CopyOut(user_, words_.data(), bytes());
  }

  bool contains(int fd) const { return (words_[WordOf(fd)] & BitOf(fd)) != 0; }
  void Remove(int fd) { words_[WordOf(fd)] &= ~BitOf(fd); }
  // Removes the descriptors from `count` on: Linux clears the rest of a word.
  void Cut(int count) {
    const int end = static_cast<int>(words_.size()) * kWordBits;
    for (int fd = count; fd < end; ++fd) Remove(fd);
  }
  int16_t events() const { return events_; }

 private:
  using Word = unsigned long;  // NOLINT(google-runtime-int): as in fd_set
  static constexpr int kWordBits = CHAR_BIT * sizeof(Word);

  static size_t WordsFor(int count) {
    return static_cast<size_t>((count + kWordBits - 1) / kWordBits);
  }
  static size_t WordOf(int fd) { return static_cast<size_t>(fd / kWordBits); }
  static Word BitOf(int fd) { return Word{1} << (fd % kWordBits); }
  size_t bytes() const { return words_.size() * sizeof(Word); }

  fd_set* const user_;
  const int16_t events_;
  std::vector<Word> words_;
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
      if (set.contains(fd)) events |= set.events();
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
    set.Cut(count);
    for (const pollfd& entry : entries) {
      if (!set.contains(entry.fd)) continue;
      if ((entry.revents & set.events()) != 0) {
        ++ready;
      } else {
        set.Remove(entry.fd);
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
