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

void WaitQueue::WakeEach(int16_t events) {
  for (Place* place = first_; place != nullptr; place = place->next) {
    if (!Concerns(*place, events)) continue;
    place->wait->scheduler_.Wake(*place->wait, Woken::kEvent);
  }
}

void WaitQueue::WakeOldest(int16_t events) {
  Wait* oldest = nullptr;
  for (Place* place = first_; place != nullptr; place = place->next) {
    if (!place->wait->blocked_ || !Concerns(*place, events)) continue;
    if (place->exclusive) {
      oldest = place->wait;
    } else {
      place->wait->scheduler_.Wake(*place->wait, Woken::kEvent);
    }
  }
  if (oldest != nullptr) oldest->scheduler_.Wake(*oldest, Woken::kEvent);
}

Wait::~Wait() {
  for (const WaitQueue::Place& place : places_) {
    if (place.previous != nullptr) place.previous->next = place.next;
    if (place.next != nullptr) place.next->previous = place.previous;
    if (place.queue->first_ == &place) place.queue->first_ = place.next;
  }
  if (holds_clock_) scheduler_.ReleaseClock();
}

void Wait::AddPlace(WaitQueue& queue, bool exclusive, int16_t events) {
  WaitQueue::Place& place = places_.emplace_back();
  place = {.wait = this,
           .queue = &queue,
           .previous = nullptr,
           .next = queue.first_,
           .exclusive = exclusive,
           .events = events};
  if (queue.first_ != nullptr) queue.first_->previous = &place;
  queue.first_ = &place;
}

Woken Wait::Block() { return scheduler_.Block(*this); }

void Wait::OnTimer() {
  timer_ = Clock::kNone;
  scheduler_.Wake(*this, Woken::kTimeout);
}

}  // namespace net::fake
