#include "fakes/kernel/epoll.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// The names of fs/eventpoll.c of Linux.
constexpr uint32_t kPrivateBits =
    EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;
constexpr uint32_t kExclusiveOkBits = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP |
                                      EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
constexpr uint32_t kAlways = EPOLLERR | EPOLLHUP;
constexpr int kMaxNests = 4;

}  // namespace

// An entry of the interest list (struct epitem of Linux).
class Epoll::Entry final : public Watcher {
 public:
  Entry(Epoll& epoll, File& file, int fd, const epoll_event& event)
      : epoll_(epoll), file_(file), fd_(fd), event_(event) {
    event_.events |= kAlways;
    place_.watcher = this;
    place_.exclusive = exclusive();
    file.waiters().Add(place_);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { WaitQueue::Remove(place_); }

  File& file() const { return file_; }
  int fd() const { return fd_; }
  const epoll_event& event() const { return event_; }
  bool exclusive() const { return (event_.events & EPOLLEXCLUSIVE) != 0; }

  void set_event(const epoll_event& event) {
    event_ = event;
    event_.events |= kAlways;
  }
  // EPOLLONESHOT: the entry stays, and waits for no event.
  void Disable() { event_.events &= kPrivateBits; }

  // Returns the events that hold and were asked for.
  uint32_t Poll() const {
    return static_cast<uint16_t>(file_.PollEvents()) & event_.events;
  }

  bool OnWake(int16_t events) override;
  void OnFileClosed() override { epoll_.Remove(*this); }

  bool is_ready = false;  // Whether it is in the ready list.
  Entry* previous_ready = nullptr;
  Entry* next_ready = nullptr;

 private:
  Epoll& epoll_;
  File& file_;
  const int fd_;
  epoll_event event_;
  WaitQueue::Place place_;
};

// ep_poll_callback() of Linux.
bool Epoll::Entry::OnWake(int16_t events) {
  const auto came = static_cast<uint16_t>(events);
  const uint32_t wanted = event_.events;
  const bool enabled = (wanted & ~kPrivateBits) != 0;
  if (!enabled || (came != 0 && (came & wanted) == 0)) return !exclusive();
  epoll_.AppendReady(*this);
  const bool woken = epoll_.callers_.WakeNewest();
  epoll_.waiters().WakeOne(POLLIN);
  if (!exclusive()) return true;
  const uint32_t direction = came & (EPOLLIN | EPOLLOUT);
  const bool for_both = direction == (EPOLLIN | EPOLLOUT);
  return woken && !for_both && (direction & wanted) == direction;
}

Epoll::Epoll(Kernel& kernel) : File(O_RDWR), kernel_(kernel) {}

Epoll::~Epoll() = default;

// --- epoll_ctl(2)

// do_epoll_ctl() of Linux.
SysResult Epoll::Control(int operation, File& file, int fd,
                         const epoll_event& event) {
  const bool exclusive =
      operation != EPOLL_CTL_DEL && (event.events & EPOLLEXCLUSIVE) != 0;
  if (exclusive && operation == EPOLL_CTL_MOD) return SysResult::Error(EINVAL);
  if (exclusive && operation == EPOLL_CTL_ADD &&
      (file.AsEpoll() != nullptr || (event.events & ~kExclusiveOkBits) != 0)) {
    return SysResult::Error(EINVAL);
  }
  if (operation == EPOLL_CTL_ADD && file.AsEpoll() != nullptr &&
      WouldLoop(*file.AsEpoll())) {
    return SysResult::Error(ELOOP);
  }
  const auto found = entries_.find(Key(&file, fd));
  Entry* const entry = found == entries_.end() ? nullptr : found->second.get();
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (entry != nullptr) return SysResult::Error(EEXIST);
      return Add(file, fd, event);
    case EPOLL_CTL_DEL:
      if (entry == nullptr) return SysResult::Error(ENOENT);
      Remove(*entry);
      return SysResult::Ok();
    case EPOLL_CTL_MOD:
      if (entry == nullptr) return SysResult::Error(ENOENT);
      return Modify(*entry, event);
    default:
      return SysResult::Error(EINVAL);
  }
}

SysResult Epoll::Add(File& file, int fd, const epoll_event& event) {
  std::unique_ptr<Entry>& entry = entries_[Key(&file, fd)];
  entry = std::make_unique<Entry>(*this, file, fd, event);
  if (file.AsEpoll() != nullptr) file.AsEpoll()->containers_.push_back(this);
  NoteReady(*entry);
  return SysResult::Ok();
}

SysResult Epoll::Modify(Entry& entry, const epoll_event& event) {
  if (entry.exclusive()) return SysResult::Error(EINVAL);
  entry.set_event(event);
  NoteReady(entry);
  return SysResult::Ok();
}

void Epoll::Remove(Entry& entry) {
  RemoveReady(entry);
  if (Epoll* const inner = entry.file().AsEpoll()) {
    auto& containers = inner->containers_;
    containers.erase(std::find(containers.begin(), containers.end(), this));
  }
  entries_.erase(Key(&entry.file(), entry.fd()));
}

// ep_loop_check() of Linux.
bool Epoll::WouldLoop(Epoll& added) {
  const int below = added.LevelsBelow(*this, 0);
  return below > kMaxNests || below + 1 + LevelsAbove() > kMaxNests;
}

int Epoll::LevelsBelow(const Epoll& forbidden, int depth) {
  int levels = 0;
  for (const auto& [key, entry] : entries_) {
    Epoll* const inner = key.first->AsEpoll();
    if (inner == nullptr) continue;
    if (inner == &forbidden || depth > kMaxNests) return kMaxNests + 1;
    levels = std::max(levels, inner->LevelsBelow(forbidden, depth + 1) + 1);
  }
  return levels;
}

int Epoll::LevelsAbove() const {
  int levels = 0;
  for (const Epoll* const container : containers_) {
    levels = std::max(levels, container->LevelsAbove() + 1);
  }
  return levels;
}

// --- The ready list

void Epoll::AppendReady(Entry& entry) {
  if (entry.is_ready) return;
  entry.is_ready = true;
  entry.previous_ready = last_ready_;
  entry.next_ready = nullptr;
  (last_ready_ != nullptr ? last_ready_->next_ready : first_ready_) = &entry;
  last_ready_ = &entry;
}

void Epoll::RemoveReady(Entry& entry) {
  if (!entry.is_ready) return;
  entry.is_ready = false;
  (entry.previous_ready != nullptr ? entry.previous_ready->next_ready
                                   : first_ready_) = entry.next_ready;
  (entry.next_ready != nullptr ? entry.next_ready->previous_ready
                               : last_ready_) = entry.previous_ready;
}

void Epoll::NoteReady(Entry& entry) {
  if (entry.Poll() == 0 || entry.is_ready) return;
  AppendReady(entry);
  callers_.WakeNewest();
  waiters().WakeOne(POLLIN);
}

void Epoll::EndScan() {
  if (first_ready_ != nullptr) callers_.WakeNewest();
}

int16_t Epoll::PollEvents() {
  int16_t events = 0;
  while (first_ready_ != nullptr && events == 0) {
    if (first_ready_->Poll() != 0) {
      events = POLLIN | POLLRDNORM;
    } else {
      RemoveReady(*first_ready_);
    }
  }
  EndScan();
  return events;
}

// --- epoll_wait(2)

// ep_send_events() of Linux.
SysResult Epoll::Report(epoll_event* events, int max_events) {
  int count = 0;
  // Entries that are appended during the loop are not polled again.
  const Entry* const last = last_ready_;
  bool more = first_ready_ != nullptr;
  bool fault = false;
  while (more && count < max_events) {
    Entry& entry = *first_ready_;
    more = &entry != last;
    const uint32_t ready = entry.Poll();
    if (ready == 0) {
      RemoveReady(entry);
      continue;
    }
    const epoll_event event = {.events = ready, .data = entry.event().data};
    fault = !CopyOut(events + count, &event, sizeof(event));
    if (fault) break;
    RemoveReady(entry);
    ++count;
    if ((entry.event().events & EPOLLONESHOT) != 0) {
      entry.Disable();
    } else if ((entry.event().events & EPOLLET) == 0) {
      AppendReady(entry);
    }
  }
  EndScan();
  return fault && count == 0 ? SysResult::Error(EFAULT) : SysResult::Ok(count);
}

// ep_poll() of Linux.
SysResult Epoll::Await(const Caller& caller, epoll_event* events,
                       int max_events, Nanoseconds timeout) {
  const Nanoseconds deadline = kernel_.clock.After(timeout);
  for (;;) {
    if (first_ready_ != nullptr) {
      const SysResult result = Report(events, max_events);
      if (!result.ok() || result.value() > 0) return result;
    }
    if (timeout == 0) return SysResult::Ok();
    // A new one each time: Linux wakes the call first that began to wait last.
    Wait wait(kernel_.scheduler, caller.site, deadline);
    wait.Add(callers_);
    const Woken woken = wait.Block();
    if (woken == Woken::kTimeout) return SysResult::Ok();
    if (woken == Woken::kEvent) continue;
    // A signal interrupts epoll_wait(2) even with SA_RESTART (signal(7)).
    return SysResult::Error(ErrnoFor(woken));
  }
}

// --- The other calls

SysResult Epoll::Read(const Caller&, absl::Span<const iovec>) {
  return SysResult::Error(EINVAL);
}

SysResult Epoll::Write(const Caller&, absl::Span<const iovec>) {
  return SysResult::Error(EINVAL);
}

SysResult Epoll::Ioctl(uint64_t, int*) { return SysResult::Error(EINVAL); }

std::string Epoll::Describe() const {
  return absl::StrCat("epoll of ", entries_.size(),
                      entries_.size() == 1 ? " file" : " files");
}

void Epoll::OnLastClose(const Caller&) {
  --kernel_.open_files;
  while (!entries_.empty()) Remove(*entries_.begin()->second);
  delete this;
}

}  // namespace net::fake
