#include "fakes/kernel/waiting.h"

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "fakes/kernel/scheduler.h"

namespace net::fake {
namespace {

// Whether the events wake the call (pollwake() of Linux's fs/select.c).
bool Concerns(const WaitQueue::Place& place, int16_t events) {
  return events == 0 || place.events == 0 || (place.events & events) != 0;
}

}  // namespace

int ErrnoFor(Woken woken) {
  switch (woken) {
    case Woken::kEvent:
    case Woken::kTimeout:
      return EAGAIN;
    case Woken::kSignal:
    case Woken::kRestart:
      return EINTR;
    case Woken::kDeadlock:
      return EDEADLK;
  }
  return EINVAL;
}

std::string Describe(const CallSite& site) {
  if (site.object != nullptr) {
    return absl::StrCat(site.call, " of 0x",
                        absl::Hex(reinterpret_cast<uintptr_t>(site.object)));
  }
  return absl::StrCat(site.call, "(", site.fd < 0 ? "" : absl::StrCat(site.fd),
                      ")", site.process.empty() ? "" : " of process ",
                      site.process);
}

void WaitQueue::Add(Place& place) {
  place.queue = this;
  place.previous = nullptr;
  place.next = first_;
  if (first_ != nullptr) first_->previous = &place;
  first_ = &place;
}

void WaitQueue::Remove(const Place& place) {
  if (place.previous != nullptr) place.previous->next = place.next;
  if (place.next != nullptr) place.next->previous = place.previous;
  if (place.queue->first_ == &place) place.queue->first_ = place.next;
}

void WaitQueue::WakeEach(int16_t events) {
  for (Place* place = first_; place != nullptr; place = place->next) {
    if (place->watcher != nullptr) {
      place->watcher->OnWake(events);
    } else if (Concerns(*place, events)) {
      place->wait->scheduler_.Wake(*place->wait, Woken::kEvent);
    }
  }
}

// As __wake_up_common() of Linux (kernel/sched/wait.c), whose queues have the
// exclusive waits at their end, the oldest first.
void WaitQueue::WakeOldest(int16_t events) {
  Place* oldest = nullptr;
  for (Place* place = first_; place != nullptr; place = place->next) {
    if (place->exclusive) {
      oldest = place;
    } else if (place->watcher != nullptr) {
      place->watcher->OnWake(events);
    } else if (Concerns(*place, events)) {
      place->wait->scheduler_.Wake(*place->wait, Woken::kEvent);
    }
  }
  for (Place* place = oldest; place != nullptr; place = place->previous) {
    if (!place->exclusive) continue;
    if (place->watcher != nullptr) {
      if (place->watcher->OnWake(events)) return;
    } else if (place->wait->blocked_ && Concerns(*place, events)) {
      return place->wait->scheduler_.Wake(*place->wait, Woken::kEvent);
    }
  }
}

bool WaitQueue::WakeNewest() {
  for (Place* place = first_; place != nullptr; place = place->next) {
    if (place->wait == nullptr || !place->wait->blocked_) continue;
    place->wait->scheduler_.Wake(*place->wait, Woken::kEvent);
    return true;
  }
  return false;
}

void WaitQueue::RemoveWatchers() {
  for (Place* place = first_; place != nullptr;) {
    Place* const next = place->next;
    if (place->watcher != nullptr) place->watcher->OnFileClosed();
    place = next;
  }
}

Wait::~Wait() {
  for (const WaitQueue::Place& place : places_) WaitQueue::Remove(place);
  if (holds_clock_) scheduler_.ReleaseClock();
}

void Wait::AddPlace(WaitQueue& queue, bool exclusive, int16_t events) {
  WaitQueue::Place& place = places_.emplace_back();
  place.wait = this;
  place.exclusive = exclusive;
  place.events = events;
  queue.Add(place);
}

Woken Wait::Block() { return scheduler_.Block(*this); }

void Wait::OnTimer() {
  timer_ = Clock::kNone;
  scheduler_.Wake(*this, Woken::kTimeout);
}

}  // namespace net::fake
