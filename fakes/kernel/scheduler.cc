#include "fakes/kernel/scheduler.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
#include "fakes/kernel/hang_failure.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/race_detector.h"
#include "fakes/kernel/trace_mark.h"
#include "fakes/kernel/waiting.h"
#include "fakes/schedule/schedule.h"

namespace net::fake {
namespace {

void Enroll(ParticipantState& state) {
  state.outer = innermost_of_thread;
  innermost_of_thread = &state;
}

// Does nothing if the calling thread is another.
void Withdraw(const ParticipantState& state) {
  for (ParticipantState** one = &innermost_of_thread; *one != nullptr;
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
    EndProcess(absl::StrCat(schedule.status().message(), "\n"));
  }
  return std::make_unique<ReplayedSchedule>(*std::move(schedule));
}

int CallsWithoutBlocking(const ScheduleOptions& options) {
  const absl::StatusOr<Schedule> replayed = ParseSchedule(options.replay);
  return std::max(1, replayed.ok() ? replayed->calls_without_blocking
                                   : options.calls_without_blocking);
}

}  // namespace

Scheduler::Scheduler(KernelMutex& mutex, Clock& clock,
                     std::function<std::string()> describe,
                     const SchedulerOptions& options)
    : mutex_(mutex),
      clock_(clock),
      describe_(std::move(describe)),
      own_policy_(NewPolicy(options.schedule, options.seed)),
      seeded_(dynamic_cast<SeededSchedule*>(own_policy_.get())),
      policy_(options.schedule.policy != nullptr ? *options.schedule.policy
                                                 : *own_policy_),
      at_each_call_(policy_.ChoosesAtEachCall()),
      pins_threads_(options.schedule.pins_threads),
      schedule_(
          {.at_each_call = at_each_call_,
           .calls_without_blocking = CallsWithoutBlocking(options.schedule),
           .choices = {}}),
      limits_(options.hangs) {
  SetStallLimit(limits_.real_time);
  PendingTraceMark().clear();  // Of another kernel.
}

// --- Joining and leaving -----------------------------------------------------

ParticipantState* Scheduler::Innermost() {
  return innermost_of_thread != nullptr &&
                 innermost_of_thread->stand == Stand::kOutside
             ? nullptr
             : innermost_of_thread;
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
  ++activity_;
  ++running_;
  ++live_;
  suspects_deadlock_.reset();
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
  ++activity_;
  ShowRelease(&state);
  if (state.processors.has_value()) {
    sched_setaffinity(state.thread_id, sizeof(cpu_set_t), &*state.processors);
    state.processors.reset();
  }
  RemoveFromReady(state);
  state.stand = Stand::kEnded;
  state.ended = true;
  // Threads that waited for the end continue before this thread counts as
  // ended. Otherwise all threads would seem to wait.
  state.end.WakeAll();
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
  ++hand_overs_;
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
  StallWatch watch;
  while (baton_ != &self) {
    const bool awaits_idle =
        self.idle_limit_ns != kNoTimeout && self.waits_in != nullptr;
    const int64_t limit = awaits_idle ? self.idle_limit_ns
                          : suspects_deadlock_.has_value()
                              ? absl::ToInt64Nanoseconds(limits_.deadlock)
                              : stall_poll_ns_;
    mutex_.unlock();
    // Without the mutex, for which it would have to wait at once.
    if (woken != nullptr) std::exchange(woken, nullptr)->gate.Open();
    const bool passed = self.gate.Pass(limit);
    mutex_.lock();
    WakeIfSignalled(self);
    if (passed) continue;
    if (awaits_idle) {
      if (self.waits_in != nullptr) Wake(*self.waits_in, Woken::kEvent);
      continue;
    }
    if (suspects_deadlock_.has_value()) {
      ConfirmDeadlock();
    } else {
      watch.Check(*this);
    }
  }
}

CallLog::Place Scheduler::EnterAmongOthers(const std::string* process,
                                           const char* name, int fd) {
  ParticipantState* const self = Current();
  if (self == nullptr) {
    NoteOutsider({process, name, fd});
  } else {
    if (at_each_call_ || --self->calls_left < 0) HandOnAtEntry(*self);
    if (++calls_at_instant_ > limits_.calls_at_one_instant) {
      OnTooManyCalls(*self, limits_.calls_at_one_instant, "");
    }
  }
  return calls_.Begin(self, process, name, fd);
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

bool Scheduler::HandOnWithinCall() {
  ParticipantState* const self = Current();
  if (self == nullptr || ready_.empty()) return false;
  MakeReady(*self);
  ParticipantState* const next = ChooseNext(HandOver::kCall, self);
  GiveAndAwait(*self, next);
  return next != self;
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
    const KernelMutexLock lock(mutex_);
    MarkNotReplayable(absl::StrCat(self->name, " ran outside"));
    self->stand = Stand::kOutside;
    baton_ = nullptr;
    HandOn(HandOver::kEnd);
  }
  body();
  const KernelSection section;
  const KernelMutexLock lock(mutex_);
  MakeReady(*self);
  if (baton_ == nullptr) HandOn(HandOver::kEnd);
  AwaitBaton(*self, nullptr);
}

void Scheduler::NoteOutsider(LoggedCall call) {
  outsiders_made_calls_ = true;
  if (!not_replayable_.empty()) return;  // The text would cost time.
  MarkNotReplayable(absl::StrCat(
      "a thread that does not take part called ",
      fake::Describe(CallSite{
          .process = *call.process, .call = call.name, .fd = call.fd})));
}

void Scheduler::MarkNotReplayable(absl::string_view why) {
  if (!not_replayable_.empty()) return;
  not_replayable_ = std::string(why);
  PendingTraceMark() = absl::StrCat("# not replayable: ", why);
}

}  // namespace net::fake
