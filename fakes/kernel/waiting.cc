#include "fakes/kernel/waiting.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net::fake {
namespace {

// The kernels that the calling thread takes part in.
struct Membership {
  const Scheduler* scheduler;
  ParticipantState* state;
};
thread_local std::vector<Membership> memberships;

ParticipantState* CurrentParticipant(const Scheduler& scheduler) {
  for (const Membership& one : memberships) {
    if (one.scheduler == &scheduler) return one.state;
  }
  return nullptr;
}

std::string Describe(const ParticipantState& state) {
  if (state.waits_in == nullptr) return absl::StrCat(state.name, ": runs\n");
  const CallSite& site = state.waits_in->site();
  return absl::StrCat(state.name, ": waits in ", site.call, "(",
                      site.fd < 0 ? "" : absl::StrCat(site.fd), ")",
                      site.process.empty() ? "" : " of process ", site.process,
                      "\n");
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

void WaitQueue::WakeEach() {
  for (Place* place = first_; place != nullptr; place = place->next) {
    place->wait->scheduler_.Wake(*place->wait, Woken::kEvent);
  }
}

void WaitQueue::WakeOldest() {
  Wait* oldest = nullptr;
  for (Place* place = first_; place != nullptr; place = place->next) {
    if (!place->wait->blocked_) continue;
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

void Wait::AddPlace(WaitQueue& queue, bool exclusive) {
  WaitQueue::Place& place = places_.emplace_back();
  place = {.wait = this,
           .queue = &queue,
           .previous = nullptr,
           .next = queue.first_,
           .exclusive = exclusive};
  if (queue.first_ != nullptr) queue.first_->previous = &place;
  queue.first_ = &place;
}

Woken Wait::Block() { return scheduler_.Block(*this); }

void Wait::OnTimer() {
  timer_ = Clock::kNone;
  scheduler_.Wake(*this, Woken::kTimeout);
}

ParticipantState* Scheduler::Join(absl::string_view name) {
  ++running_;
  ParticipantState& state = participants_.emplace_back();
  state.name = std::string(name);
  return &state;
}

void Scheduler::Leave(ParticipantState& state) {
  state.ended = true;
  // Who waited for the end goes on before this thread counts as gone: else all
  // would seem to wait.
  state.end.WakeAll();
  --running_;
  changed_.NotifyAll();
  Settle();
}

void Scheduler::SetCurrent(ParticipantState* state) {
  memberships.erase(std::remove_if(memberships.begin(), memberships.end(),
                                   [this](const Membership& m) {
                                     return m.scheduler == this;
                                   }),
                    memberships.end());
  if (state != nullptr) memberships.push_back({this, state});
}

bool Scheduler::HasCurrent() const {
  return CurrentParticipant(*this) != nullptr;
}

bool Scheduler::AwaitBlocked(const ParticipantState& state) {
  while (state.waits_in == nullptr && !state.ended) changed_.Wait(mutex_);
  return !state.ended;
}

bool Scheduler::Interrupt(const ParticipantState& state, bool restart) {
  if (state.waits_in == nullptr) return false;
  Wake(*state.waits_in, restart ? Woken::kRestart : Woken::kSignal);
  return true;
}

Woken Scheduler::Block(Wait& wait) {
  if (deadlock_.has_value()) return Woken::kDeadlock;
  if (wait.deadline_ <= clock_.now()) return Woken::kTimeout;
  if (wait.deadline_ != kForever) {
    wait.timer_ = clock_.Set(wait.deadline_, wait);
  }
  wait.woken_.reset();
  wait.blocked_ = true;
  wait.participant_ = CurrentParticipant(*this);
  blocked_.push_back(&wait);
  if (wait.participant_ != nullptr) {
    wait.participant_->waits_in = &wait;
    --running_;
  } else if (!wait.holds_clock_) {
    wait.holds_clock_ = true;
    ++clock_holders_;
  }
  changed_.NotifyAll();
  Settle();
  while (!wait.woken_.has_value()) wait.changed_.Wait(mutex_);
  return *wait.woken_;
}

void Scheduler::Wake(Wait& wait, Woken why) {
  if (!wait.blocked_) return;
  wait.blocked_ = false;
  wait.woken_ = why;
  clock_.Clear(wait.timer_);
  blocked_.erase(std::find(blocked_.begin(), blocked_.end(), &wait));
  if (wait.participant_ != nullptr) {
    wait.participant_->waits_in = nullptr;
    ++running_;
  }
  wait.changed_.NotifyAll();
}

void Scheduler::Settle() {
  while (running_ == 0 && clock_holders_ == 0 && !blocked_.empty()) {
    if (!clock_.FireNext()) DeclareDeadlock();
  }
}

void Scheduler::ReleaseClock() {
  --clock_holders_;
  // All that take part may wait already, and nobody else would tell the clock.
  Settle();
}

void Scheduler::DeclareDeadlock() {
  std::string report = "deadlock: every thread that takes part waits\n";
  for (const ParticipantState& state : participants_) {
    if (!state.ended) absl::StrAppend(&report, "  ", Describe(state));
  }
  deadlock_ = absl::StrCat(report, describe_());
  while (!blocked_.empty()) Wake(*blocked_.back(), Woken::kDeadlock);
}

}  // namespace net::fake
