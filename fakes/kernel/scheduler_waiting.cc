#include <algorithm>
#include <cstdint>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/race_detector.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting.h"

// The parts of Scheduler that block and wake calls, and move virtual time on.

namespace net::fake {

bool Scheduler::AwaitBlocked(ParticipantState& state) {
  StallWatch watch;
  while (state.waits_in == nullptr && !state.ended) {
    ParticipantState* const self = Current();
    if (self == nullptr) {
      const uint32_t seen = changed_.value();
      mutex_.unlock();
      const bool changed = changed_.Await(seen, stall_poll_ns_);
      mutex_.lock();
      if (!changed) watch.Check(*this);
      continue;
    }
    self->stand = Stand::kAwaits;
    state.awaiters.push_back(self);
    // It goes first, so that a test that starts a thread and awaits it gets the
    // same order with every seed.
    GiveAndAwait(*self, state.stand == Stand::kReady
                            ? &state
                            : ChooseNext(HandOver::kBlock, self));
  }
  // A test that awaits a thread sees what that has done before.
  ShowAcquire(&state);
  return !state.ended;
}

bool Scheduler::Interrupt(const ParticipantState& state, bool restart) {
  if (state.waits_in == nullptr) return false;
  ShowRelease(&state.gate);
  Wake(*state.waits_in, restart ? Woken::kRestart : Woken::kSignal);
  return true;
}

void Scheduler::WakeIfSignalled(ParticipantState& state) {
  if (state.waits_in == nullptr) return;
  const Woken why = state.signal.exchange(Woken::kEvent);
  if (why != Woken::kEvent) Wake(*state.waits_in, why);
}

void Scheduler::WakeSignalled() {
  for (ParticipantState& state : participants_) WakeIfSignalled(state);
}

void Scheduler::RunSignalHandlers() {
  mutex_.unlock();
  KernelSection::RunDeferred();
  mutex_.lock();
}

Woken Scheduler::Block(Wait& wait) {
  if (deadlock_.has_value()) return Woken::kDeadlock;
  if (wait.deadline_ <= clock_.now()) return Woken::kTimeout;
  ParticipantState* const self = Current();
  if (self != nullptr) {
    const Woken signal = self->signal.exchange(Woken::kEvent);
    if (signal == Woken::kRestart) RunSignalHandlers();
    if (signal != Woken::kEvent) return signal;
  }
  if (wait.deadline_ != kForever) {
    wait.timer_ = clock_.Set(wait.deadline_, wait);
  }
  wait.woken_.reset();
  wait.blocked_ = true;
  wait.participant_ = self;
  blocked_.push_back(&wait);
  changed_.Notify();
  if (self == nullptr) {
    BlockOutsider(wait);
  } else {
    ShowRelease(self);
    self->waits_in = &wait;
    self->stand = Stand::kBlocked;
    --running_;
    ResumeAwaiters(*self);
    FireTimers();
    GiveAndAwait(*self, ChooseNext(HandOver::kBlock, self));
  }
  const Woken woken = *wait.woken_;
  if (woken == Woken::kSignal || woken == Woken::kRestart) {
    ShowAcquire(&self->gate);
  }
  // The call goes on after the handler.
  if (woken == Woken::kRestart) RunSignalHandlers();
  return woken;
}

void Scheduler::BlockOutsider(Wait& wait) {
  if (!wait.holds_clock_) {
    wait.holds_clock_ = true;
    ++clock_holders_;
  }
  StallWatch watch;
  while (!wait.woken_.has_value()) {
    mutex_.unlock();
    const bool passed = wait.gate_.Pass(stall_poll_ns_);
    mutex_.lock();
    if (!passed) watch.Check(*this);
  }
}

uint64_t Scheduler::AwaitIdle(absl::Duration limit) {
  const CallSite site = {.process = "", .call = "a native descriptor"};
  Wait wait(*this, site);
  wait.Add(idle_);
  ParticipantState* const self = Current();
  if (self != nullptr) self->idle_limit_ns = absl::ToInt64Nanoseconds(limit);
  wait.Block();
  if (self != nullptr) {
    self->idle_limit_ns = kNoTimeout;
    self->saw_activity = activity_;
  }
  return activity_;
}

void Scheduler::Wake(Wait& wait, Woken why) {
  if (!wait.blocked_) return;
  ++activity_;
  suspects_deadlock_.reset();
  if (why == Woken::kTimeout) {
    ++timeouts_in_a_row_;
  } else {
    timeouts_in_a_row_ = 0;
    ForgetCallsAtInstant();
  }
  wait.blocked_ = false;
  wait.woken_ = why;
  clock_.Clear(wait.timer_);
  blocked_.erase(std::find(blocked_.begin(), blocked_.end(), &wait));
  if (wait.participant_ == nullptr) {
    wait.gate_.Open();
    return;
  }
  wait.participant_->waits_in = nullptr;
  ++running_;
  MakeReady(*wait.participant_);
  if (baton_ == nullptr && !settling_) HandOn(HandOver::kBlock);
}

void Scheduler::FireTimers() {
  // Keepalive and the probes of a closed window go on for ever while the peer
  // answers. No other timer lasts for so long, not even a keepalive of 127
  // probes with the longest interval (tcp(7)).
  constexpr Nanoseconds kOnlyProbes = kSecond * 60 * 24 * 3600;
  const Nanoseconds start = clock_.now();
  while (running_ == 0 && clock_holders_ == 0 && !blocked_.empty()) {
    if (!idle_.empty()) {
      const uint64_t activity = activity_;
      idle_.WakeAll();
      activity_ = activity;
      return;
    }
    if (MakeOneLookAgain()) return;
    if (TimeoutsAreEndless()) return;
    const Nanoseconds before = clock_.now();
    if (clock_.now() - start > kOnlyProbes) {
      jumped_ -= clock_.now() - start;
      return DeclareDeadlock();
    }
    if (!clock_.FireNext()) return SuspectDeadlock();
    if (clock_.now() == before) continue;
    jumped_ += clock_.now() - before;
    ForgetCallsAtInstant();
  }
}

// One at a time: while it looks, the others wait, so that it sees no more
// activity.
bool Scheduler::MakeOneLookAgain() {
  const auto one =
      std::find_if(blocked_.begin(), blocked_.end(), [this](const Wait* wait) {
        return wait->participant_ != nullptr &&
               wait->participant_->saw_activity.value_or(activity_) !=
                   activity_;
      });
  if (one == blocked_.end()) return false;
  const uint64_t activity = activity_;
  Wake(**one, Woken::kTimeout);
  activity_ = activity;
  return true;
}

void Scheduler::Settle() {
  settling_ = true;
  FireTimers();
  settling_ = false;
  if (baton_ == nullptr) HandOn(HandOver::kEnd);
}

void Scheduler::ReleaseClock() {
  --clock_holders_;
  // All that take part may wait already, and nobody else would tell the clock.
  Settle();
}

}  // namespace net::fake
