// The calls of a FakeProcess that wait for several files. select(2) is in
// fake_process_select.cc.

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/epoll.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

using fake::Caller;
using fake::CopyIn;
using fake::kForever;
using fake::Nanoseconds;
using fake::Woken;

constexpr Nanoseconds kMillisecond = 1'000'000;

// The events that poll(2) returns unasked.
constexpr int kAlways = POLLERR | POLLHUP;

Nanoseconds FromMilliseconds(int timeout_ms) {
  return timeout_ms < 0 ? kForever : timeout_ms * kMillisecond;
}

// Sets `duration`, unless the pointer is null. Returns 0 or an errno.
int ReadTimeout(const timespec* timeout, Nanoseconds& duration) {
  if (timeout == nullptr) return 0;
  timespec copy = {};
  if (!CopyIn(&copy, timeout, sizeof(copy))) return EFAULT;
  if (!fake::IsValidTime(copy)) return EINVAL;
  duration = fake::ToNanoseconds(copy);
  return 0;
}

// Sets `revents` of the entry and returns whether it is not 0. Looks up the
// descriptor each time, because it may be closed while poll(2) is blocked.
bool FillInEvents(const fake::DescriptorTable& descriptors, int unasked,
                  pollfd& entry) {
  fake::File* const file = descriptors.Get(entry.fd);
  if (entry.fd < 0) {
    entry.revents = 0;
  } else if (file == nullptr) {
    entry.revents = POLLNVAL;
  } else {
    const int asked = entry.events | unasked;
    entry.revents = static_cast<int16_t>(file->PollEvents() & asked);
  }
  return entry.revents != 0;
}

// Sets `revents` of all entries at one instant and returns how many are not 0.
int FillInEvents(const fake::DescriptorTable& descriptors, int unasked,
                 absl::Span<pollfd> entries) {
  int ready = 0;
  for (pollfd& entry : entries) {
    if (FillInEvents(descriptors, unasked, entry)) ++ready;
  }
  return ready;
}

// The same as Linux does it, one entry after the other (do_poll() in
// fs/select.c): between two entries, other threads may run. If they have run
// and no entry is ready, `waits` says to look again, at one instant. Otherwise
// the caller would sleep though an event came in the meantime. (Linux has put
// the call on each entry's wait queue before, so the event ends its sleep.)
int FillInEventsOneByOne(const fake::DescriptorTable& descriptors, int unasked,
                         absl::Span<pollfd> entries, bool waits,
                         fake::Scheduler& scheduler) {
  int ready = 0;
  bool preempted = false;
  for (pollfd& entry : entries) {
    if (&entry != entries.data() && scheduler.MayBePreempted()) {
      preempted = true;
    }
    if (FillInEvents(descriptors, unasked, entry)) ++ready;
  }
  if (ready > 0 || !preempted || !waits) return ready;
  return FillInEvents(descriptors, unasked, entries);
}

}  // namespace

SysResult FakeProcess::PollFor(pollfd* fds, nfds_t count, int64_t timeout,
                               absl::string_view call) {
  if (count > static_cast<nfds_t>(descriptors_->limit())) {
    return SysResult::Error(EINVAL);
  }
  if (!fake::IsUserAddress(fds, count * sizeof(pollfd))) {
    return SysResult::Error(EFAULT);
  }
  return AwaitEvents(absl::MakeSpan(fds, count), kAlways, timeout, call);
}

SysResult FakeProcess::AwaitEvents(absl::Span<pollfd> entries, int unasked,
                                   int64_t timeout, absl::string_view call) {
  int ready = FillInEventsOneByOne(*descriptors_, unasked, entries,
                                   /*waits=*/timeout != 0, kernel_.scheduler);
  if (ready > 0 || timeout == 0) return SysResult::Ok(ready);
  const Caller caller =
      MakeCaller(call, entries.empty() ? -1 : entries.front().fd);
  // References keep the files alive while this waits for them.
  struct Polled {
    fake::File* file;
    int16_t events;
  };
  absl::InlinedVector<Polled, 8> files;
  for (const pollfd& entry : entries) {
    fake::File* const file = descriptors_->Get(entry.fd);
    if (file == nullptr) continue;
    file->Ref();
    files.push_back({file, static_cast<int16_t>(entry.events | unasked)});
  }
  Woken woken = Woken::kEvent;
  {
    fake::Wait wait(kernel_.scheduler, caller.site,
                    kernel_.clock.After(timeout));
    for (const Polled& one : files) wait.Add(one.file->waiters(), one.events);
    while (ready == 0 && woken == Woken::kEvent) {
      woken = wait.Block();
      // Nothing has woken it. A descriptor that was closed meanwhile is no
      // reason to return.
      if (woken == Woken::kDeadlock) break;
      ready = FillInEventsOneByOne(*descriptors_, unasked, entries,
                                   woken == Woken::kEvent, kernel_.scheduler);
    }
  }
  for (const Polled& one : files) one.file->Unref(caller);
  if (ready > 0 || woken == Woken::kTimeout) return SysResult::Ok(ready);
  // A signal interrupts poll(2) even with SA_RESTART (signal(7)).
  return SysResult::Error(fake::ErrnoFor(woken));
}

SysResult FakeProcess::DoEpollCreate1(int flags) {
  if ((flags & ~EPOLL_CLOEXEC) != 0) return SysResult::Error(EINVAL);
  auto* const epoll = new fake::Epoll(kernel_);
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): Install() owns it
  return Install(*epoll, (flags & EPOLL_CLOEXEC) != 0);
}

SysResult FakeProcess::DoEpollCtl(int epoll_fd, int operation, int fd,
                                  epoll_event* event) {
  epoll_event copy = {};
  if (operation != EPOLL_CTL_DEL && !CopyIn(&copy, event, sizeof(copy))) {
    return SysResult::Error(EFAULT);
  }
  fake::File* const file = descriptors_->Get(epoll_fd);
  fake::File* const target = descriptors_->Get(fd);
  if (file == nullptr || target == nullptr) return SysResult::Error(EBADF);
  if (!target->has_poll()) return SysResult::Error(EPERM);
  if (file == target || file->AsEpoll() == nullptr) {
    return SysResult::Error(EINVAL);
  }
  return file->AsEpoll()->Control(operation, *target, fd, copy);
}

SysResult FakeProcess::EpollWaitFor(int epoll_fd, epoll_event* events,
                                    int max_events, int64_t timeout,
                                    absl::string_view call) {
  constexpr size_t kMostEvents = INT_MAX / sizeof(epoll_event);
  fake::File* const file = descriptors_->Get(epoll_fd);
  if (file == nullptr) return SysResult::Error(EBADF);
  const auto count = static_cast<size_t>(std::max(max_events, 0));
  if (count == 0 || count > kMostEvents) return SysResult::Error(EINVAL);
  if (!fake::IsInUserSpace(events, count * sizeof(epoll_event))) {
    return SysResult::Error(EFAULT);
  }
  if (file->AsEpoll() == nullptr) return SysResult::Error(EINVAL);
  const Caller caller = MakeCaller(call, epoll_fd);
  const fake::FileRef ref(*file, caller);
  return file->AsEpoll()->Await(caller, events, max_events, timeout);
}

SysResult FakeProcess::DoEpollWait(int epoll_fd, epoll_event* events,
                                   int max_events, int timeout_ms) {
  return EpollWaitFor(epoll_fd, events, max_events,
                      FromMilliseconds(timeout_ms), "epoll_wait");
}

SysResult FakeProcess::DoEpollPWait(int epoll_fd, epoll_event* events,
                                    int max_events, int timeout_ms,
                                    const sigset_t* mask) {
  NoteMask(mask, "epoll_pwait");
  return EpollWaitFor(epoll_fd, events, max_events,
                      FromMilliseconds(timeout_ms), "epoll_pwait");
}

SysResult FakeProcess::DoEpollPWait2(int epoll_fd, epoll_event* events,
                                     int max_events, const timespec* timeout,
                                     const sigset_t* mask) {
  NoteMask(mask, "epoll_pwait2");
  Nanoseconds duration = kForever;
  const int error = ReadTimeout(timeout, duration);
  if (error != 0) return SysResult::Error(error);
  return EpollWaitFor(epoll_fd, events, max_events, duration, "epoll_pwait2");
}

SysResult FakeProcess::DoPoll(pollfd* fds, nfds_t count, int timeout_ms) {
  return PollFor(fds, count, FromMilliseconds(timeout_ms), "poll");
}

SysResult FakeProcess::DoPPoll(pollfd* fds, nfds_t count,
                               const timespec* timeout, const sigset_t* mask) {
  NoteMask(mask, "ppoll");
  Nanoseconds duration = kForever;
  const int error = ReadTimeout(timeout, duration);
  if (error != 0) return SysResult::Error(error);
  return PollFor(fds, count, duration, "ppoll");
}

}  // namespace net
