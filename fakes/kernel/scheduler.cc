#include "fakes/kernel/scheduler.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/gate.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/waiting.h"
#include "fakes/schedule/schedule.h"
#include "syscalls/mutex.h"

namespace net::fake {
namespace {

// The innermost kernel that the calling thread takes part in; the others follow
// as `outer`.
thread_local ParticipantState* innermost = nullptr;

void Enroll(ParticipantState& state) {
  state.outer = innermost;
  innermost = &state;
}

// Does nothing if the calling thread is another.
void Withdraw(const ParticipantState& state) {
  for (ParticipantState** one = &innermost; *one != nullptr;
       one = &(*one)->outer) {
    if (*one == &state) {
      *one = state.outer;
      return;
    }
  }
}

// Returns the policy that the kernel makes itself, or null if the options name
// one.
std::unique_ptr<SchedulePolicy> NewPolicy(const ScheduleOptions& options,
                                          uint64_t seed) {
  if (options.policy != nullptr) return nullptr;
  if (options.replay.empty()) {
    return std::make_unique<SeededSchedule>(seed, options.at_each_call);
  }
  absl::StatusOr<Schedule> schedule = ParseSchedule(options.replay);
  if (!schedule.ok()) {
    const std::string text = schedule.status().ToString();
    std::fprintf(stderr, "FakeKernel: %s\n", text.c_str());
    std::abort();
  }
  return std::make_unique<ReplayedSchedule>(*std::move(schedule));
}

int CallsWithoutBlocking(const ScheduleOptions& options) {
  const absl::StatusOr<Schedule> replayed = ParseSchedule(options.replay);
  return std::max(1, replayed.ok() ? replayed->calls_without_blocking
                                   : options.calls_without_blocking);
}

}  // namespace

Scheduler::Scheduler(Mutex& mutex, Clock& clock,
                     std::function<std::string()> describe,
                     const ScheduleOptions& options, uint64_t seed)
    : mutex_(mutex),
      clock_(clock),
      describe_(std::move(describe)),
      own_policy_(NewPolicy(options, seed)),
      seeded_(dynamic_cast<SeededSchedule*>(own_policy_.get())),
      policy_(options.policy != nullptr ? *options.policy : *own_policy_),
      at_each_call_(policy_.ChoosesAtEachCall()),
      pins_threads_(options.pins_threads),
      schedule_({.at_each_call = at_each_call_,
                 .calls_without_blocking = CallsWithoutBlocking(options),
                 .choices = {}}) {}

// --- Joining and leaving -----------------------------------------------------

ParticipantState* Scheduler::Current() const {
  for (ParticipantState* one = innermost; one != nullptr; one = one->outer) {
    if (one->scheduler != this) continue;
    return one->stand == Stand::kOutside ? nullptr : one;
  }
  return nullptr;
}

ParticipantState* Scheduler::Innermost() {
  return innermost != nullptr && innermost->stand == Stand::kOutside
             ? nullptr
             : innermost;
}

ParticipantState* Scheduler::FindByThreadId(pid_t thread_id) {
  for (ParticipantState& one : participants_) {
    if (!one.ended && one.thread_id == thread_id) return &one;
  }
  return nullptr;
}

ParticipantState* Scheduler::FindByThread(pthread_t thread) {
  for (ParticipantState& one : participants_) {
    if (one.thread.has_value() && pthread_equal(*one.thread, thread) != 0) {
      return &one;
    }
  }
  return nullptr;
}

ParticipantState* Scheduler::Join(absl::string_view name) {
  if (live_ > 0 && Current() == nullptr) {
    MarkNotReplayable(absl::StrCat(name,
                                   " joined from a thread that does not "
                                   "take part, while others ran"));
  }
  ParticipantState& state = participants_.emplace_back();
  state.name = std::string(name);
  state.number = static_cast<int>(participants_.size()) - 1;
  state.scheduler = this;
  ++running_;
  ++live_;
  MakeReady(state);
  if (baton_ == nullptr) HandOn(HandOver::kBlock);
  return &state;
}

void Scheduler::Begin(ParticipantState& state) {
  Enroll(state);
  state.thread_id = gettid();
  state.thread = pthread_self();
  if (pins_threads_ && live_ > 1) BindThreads();
  AwaitBaton(state, nullptr);
}

void Scheduler::Leave(ParticipantState& state) {
  Withdraw(state);
  if (state.processors.has_value()) {
    sched_setaffinity(state.thread_id, sizeof(cpu_set_t), &*state.processors);
    state.processors.reset();
  }
  RemoveFromReady(state);
  state.stand = Stand::kEnded;
  state.ended = true;
  // Who waited for the end goes on before this thread counts as gone: else all
  // would seem to wait.
  settling_ = true;
  state.end.WakeAll();
  settling_ = false;
  ResumeAwaiters(state);
  --running_;
  --live_;
  changed_.Notify();
  if (baton_ == &state) baton_ = nullptr;
  Settle();
}

std::vector<std::string> Scheduler::ParticipantNames() const {
  std::vector<std::string> names;
  for (const ParticipantState& state : participants_) {
    names.push_back(state.name);
  }
  return names;
}

void Scheduler::BindThreads() {
  if (!processor_.has_value()) processor_ = sched_getcpu();
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(*processor_, &one);
  for (ParticipantState& state : participants_) {
    if (state.ended || state.thread_id == 0 || state.processors.has_value()) {
      continue;
    }
    cpu_set_t before;
    // Binding makes hand-overs fast; where it is not allowed they are slower.
    if (sched_getaffinity(state.thread_id, sizeof(before), &before) == 0 &&
        sched_setaffinity(state.thread_id, sizeof(one), &one) == 0) {
      state.processors = before;
    }
  }
}

// --- The baton ---------------------------------------------------------------

void Scheduler::MakeReady(ParticipantState& state) {
  state.stand = Stand::kReady;
  ready_.insert(std::upper_bound(
                    ready_.begin(), ready_.end(), &state,
                    [](const ParticipantState* a, const ParticipantState* b) {
                      return a->number < b->number;
                    }),
                &state);
}

void Scheduler::RemoveFromReady(ParticipantState& state) {
  const auto found = std::find(ready_.begin(), ready_.end(), &state);
  if (found != ready_.end()) ready_.erase(found);
  const auto first = std::find(resumed_.begin(), resumed_.end(), &state);
  if (first != resumed_.end()) resumed_.erase(first);
}

void Scheduler::ResumeAwaiters(ParticipantState& state) {
  for (ParticipantState* const one : state.awaiters) {
    one->stand = Stand::kReady;
    resumed_.push_back(one);
  }
  state.awaiters.clear();
}

size_t Scheduler::Choose(HandOver why, const ParticipantState* current,
                         absl::Span<ParticipantState* const> among) {
  if (among.size() == 1) return 0;
  numbers_.clear();
  for (const ParticipantState* one : among) numbers_.push_back(one->number);
  size_t index =
      policy_.Choose({.why = why,
                      .runnable = numbers_,
                      .current = current == nullptr ? -1 : current->number});
  index = std::min(index, among.size() - 1);
  schedule_.choices.push_back(numbers_[index]);
  return index;
}

ParticipantState* Scheduler::ChooseNext(HandOver why,
                                        const ParticipantState* current) {
  if (!resumed_.empty()) return resumed_.front();
  if (ready_.empty()) return nullptr;
  return ready_[Choose(why, current, ready_)];
}

size_t Scheduler::ChooseWaiter(absl::Span<ParticipantState* const> waiters) {
  return Choose(HandOver::kWake, Current(), waiters);
}

void Scheduler::Give(ParticipantState* next) {
  baton_ = next;
  if (next == nullptr) return;
  RemoveFromReady(*next);
  next->stand = Stand::kRuns;
  next->calls_left = schedule_.calls_without_blocking;
}

void Scheduler::HandOn(HandOver why) {
  Give(ChooseNext(why, nullptr));
  if (baton_ != nullptr) baton_->gate.Open();
}

void Scheduler::GiveAndAwait(ParticipantState& self, ParticipantState* next) {
  Give(next);
  AwaitBaton(self, next);
}

void Scheduler::AwaitBaton(ParticipantState& self, ParticipantState* woken) {
  while (baton_ != &self) {
    mutex_.unlock();
    // Without the mutex, for which it would have to wait at once.
    if (woken != nullptr) std::exchange(woken, nullptr)->gate.Open();
    while (!self.gate.Pass(kNoTimeout)) {
    }
    mutex_.lock();
  }
}

void Scheduler::HandOnAtEntry(ParticipantState& self) {
  if (ready_.empty()) {
    self.calls_left = 0;
    return;
  }
  ParticipantState* next = nullptr;
  if (at_each_call_) {
    MakeReady(self);
    next = ChooseNext(HandOver::kCall, &self);
  } else {
    next = ChooseNext(HandOver::kQuota, &self);
    MakeReady(self);
  }
  GiveAndAwait(self, next);
}

bool Scheduler::Yield() {
  ParticipantState* const self = Current();
  if (self == nullptr || ready_.empty()) return false;
  ParticipantState* const next = ChooseNext(HandOver::kYield, self);
  MakeReady(*self);
  GiveAndAwait(*self, next);
  return true;
}

void Scheduler::RunOutside(absl::FunctionRef<void()> body) {
  ParticipantState* const self = Current();
  if (self == nullptr) return body();
  {
    const KernelSection section;
    const MutexLock lock(mutex_);
    MarkNotReplayable(absl::StrCat(self->name, " ran outside"));
    self->stand = Stand::kOutside;
    baton_ = nullptr;
    HandOn(HandOver::kEnd);
  }
  body();
  const KernelSection section;
  const MutexLock lock(mutex_);
  MakeReady(*self);
  if (baton_ == nullptr) HandOn(HandOver::kEnd);
  AwaitBaton(*self, nullptr);
}

void Scheduler::NoteOutsider() {
  MarkNotReplayable("a thread that does not take part made calls");
}

void Scheduler::MarkNotReplayable(absl::string_view why) {
  if (not_replayable_.empty()) not_replayable_ = std::string(why);
}

// --- Waiting -----------------------------------------------------------------

bool Scheduler::AwaitBlocked(ParticipantState& state) {
  while (state.waits_in == nullptr && !state.ended) {
    ParticipantState* const self = Current();
    if (self == nullptr) {
      const uint32_t seen = changed_.value();
      mutex_.unlock();
      changed_.Await(seen, kNoTimeout);
      mutex_.lock();
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
  ParticipantState* const self = Current();
  wait.participant_ = self;
  blocked_.push_back(&wait);
  changed_.Notify();
  if (self == nullptr) {
    BlockOutsider(wait);
  } else {
    self->waits_in = &wait;
    self->stand = Stand::kBlocked;
    --running_;
    ResumeAwaiters(*self);
    FireTimers();
    GiveAndAwait(*self, ChooseNext(HandOver::kBlock, self));
  }
  return *wait.woken_;
}

void Scheduler::BlockOutsider(Wait& wait) {
  if (!wait.holds_clock_) {
    wait.holds_clock_ = true;
    ++clock_holders_;
  }
  while (!wait.woken_.has_value()) {
    mutex_.unlock();
    wait.gate_.Pass(kNoTimeout);
    mutex_.lock();
  }
}

void Scheduler::Wake(Wait& wait, Woken why) {
  if (!wait.blocked_) return;
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
  while (running_ == 0 && clock_holders_ == 0 && !blocked_.empty()) {
    if (!clock_.FireNext()) DeclareDeadlock();
  }
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

std::string Scheduler::DescribeHolder(const CallSite& site) {
  const pid_t holder = site.holder == nullptr ? 0 : site.holder(site.object);
  if (holder == 0) return "";
  const ParticipantState* const state = FindByThreadId(holder);
  return state != nullptr ? absl::StrCat(", held by ", state->name)
                          : absl::StrCat(", held by thread ", holder,
                                         ", which does not take part");
}

std::string Scheduler::Describe(const ParticipantState& state) {
  if (state.waits_in == nullptr) {
    switch (state.stand) {
      case Stand::kAwaits:
        return absl::StrCat(state.name, ": awaits that another is blocked\n");
      case Stand::kOutside:
        return absl::StrCat(state.name, ": runs outside\n");
      default:
        return absl::StrCat(state.name, ": runs\n");
    }
  }
  const CallSite& site = state.waits_in->site();
  if (site.object != nullptr) {
    return absl::StrCat(state.name, ": waits in ", site.call, " of 0x",
                        absl::Hex(reinterpret_cast<uintptr_t>(site.object)),
                        DescribeHolder(site), "\n");
  }
  return absl::StrCat(state.name, ": waits in ", site.call, "(",
                      site.fd < 0 ? "" : absl::StrCat(site.fd), ")",
                      site.process.empty() ? "" : " of process ", site.process,
                      "\n");
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
