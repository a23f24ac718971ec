#include "fakes/kernel/participant.h"

#include <pthread.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/gate.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting.h"

namespace net::fake {
namespace {

// Restores errno at its end: functions of pthread return errors otherwise.
class ErrnoKeeper {
 public:
  ErrnoKeeper() = default;
  ErrnoKeeper(const ErrnoKeeper&) = delete;
  ErrnoKeeper& operator=(const ErrnoKeeper&) = delete;
  ~ErrnoKeeper() { errno = errno_; }

 private:
  const int errno_ = errno;
};

// Holds the mutex of a participant's kernel.
class ABSL_SCOPED_LOCKABLE Entry {
 public:
  explicit Entry(const ParticipantState& self)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(self.scheduler->mutex())
      : lock_(self.scheduler->mutex()) {}
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() ABSL_UNLOCK_FUNCTION() = default;

 private:
  const ErrnoKeeper errno_;
  const KernelSection section_;
  const KernelMutexLock lock_;
};

constinit RemoteParticipants* remote = nullptr;

}  // namespace

void UseRemoteParticipants(RemoteParticipants& participants) {
  remote = &participants;
}

ParticipantState* CurrentParticipant() {
  if (KernelSection::entered()) return nullptr;
  return remote != nullptr ? remote->Current() : Scheduler::Innermost();
}

ObjectWait::ObjectWait(ParticipantState& self, absl::string_view call,
                       const void* object, pid_t (*holder)(const void* object),
                       Nanoseconds deadline)
    : self_(self),
      site_({.process = "", .call = call, .object = object, .holder = holder}),
      deadline_(deadline) {}

Woken ObjectWait::Block() {
  if (remote != nullptr) {
    return remote->Block(self_, site_, deadline_, woken_);
  }
  const Entry entry(self_);
  Wait wait(*self_.scheduler, site_, deadline_);
  wait.Add(self_.object_wait);
  Woken why = Woken::kEvent;
  while (!woken_ && why == Woken::kEvent) why = wait.Block();
  // Whoever woke this wait chose it among others, so that comes first.
  if (!woken_) return why;
  woken_ = false;
  return Woken::kEvent;
}

void ObjectWait::Wake() {
  if (remote != nullptr) return remote->Wake(self_, woken_);
  const Entry entry(self_);
  woken_ = true;
  self_.object_wait.WakeAll();
}

void CountCall(ParticipantState& self, const char* call) {
  // The limit of a livelock is infinite there: see KernelOptionsOf().
  if (remote != nullptr) return;
  const Entry entry(self);
  self.scheduler->CountModelled(self, call);
}

void EnterCall(ParticipantState& self, const char* call) {
  if (remote != nullptr) return remote->Enter(self, call);
  const Entry entry(self);
  self.scheduler->EnterModelled(self, call);
}

bool YieldBaton(ParticipantState& self) {
  if (remote != nullptr) return remote->Yield();
  const Entry entry(self);
  return self.scheduler->Yield();
}

void RunOutside(ParticipantState& self, absl::FunctionRef<void()> body) {
  if (remote != nullptr) return remote->Outside(self, body);
  self.scheduler->RunOutside(body);
}

bool AwaitIdle(ParticipantState& self, absl::Duration limit, uint64_t& seen) {
  uint64_t activity = 0;
  if (remote != nullptr) {
    activity = remote->AwaitIdle(limit);
  } else {
    const Entry entry(self);
    activity = self.scheduler->AwaitIdle(limit);
  }
  return std::exchange(seen, activity) != activity;
}

void NoteActivity(ParticipantState& self) {
  if (remote != nullptr) return remote->NoteActivity(self);
  const Entry entry(self);
  self.scheduler->NoteActivity(self);
}

bool HasDeadlock(ParticipantState& self) {
  if (remote != nullptr) return remote->HasDeadlock();
  const Entry entry(self);
  return self.scheduler->deadlock().has_value();
}

Nanoseconds VirtualTime(ParticipantState& self) {
  if (remote != nullptr) return remote->Now(self);
  const Entry entry(self);
  return self.scheduler->clock().now();
}

size_t ChooseWaiter(absl::Span<ParticipantState* const> waiters) {
  if (remote != nullptr) return remote->Choose(waiters);
  const Entry entry(*waiters.front());
  std::vector<ParticipantState*> sorted(waiters.begin(), waiters.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const ParticipantState* a, const ParticipantState* b) {
              return a->number < b->number;
            });
  const ParticipantState* const chosen =
      sorted[waiters.front()->scheduler->ChooseWaiter(sorted)];
  return static_cast<size_t>(std::find(waiters.begin(), waiters.end(), chosen) -
                             waiters.begin());
}

ParticipantState& AddParticipant(ParticipantState& self,
                                 absl::string_view name) {
  if (remote != nullptr) return remote->Add(name);
  const Entry entry(self);
  return *self.scheduler->Join(name);
}

void NameThread(ParticipantState& self, ParticipantState& added,
                pthread_t thread) {
  if (remote != nullptr) return remote->Name(added, thread);
  const Entry entry(self);
  added.thread = thread;
}

void BeginParticipant(ParticipantState& added) {
  if (remote != nullptr) return remote->Begin(added);
  const Entry entry(added);
  added.scheduler->Begin(added);
}

void EndParticipant(ParticipantState& added) {
  if (remote != nullptr) return remote->End(added);
  const Entry entry(added);
  added.scheduler->Leave(added);
}

void LeaveAfterFork() { innermost_of_thread = nullptr; }

bool TakesPart(ParticipantState& self, pid_t thread_id) {
  if (remote != nullptr) return remote->TakesPart(thread_id);
  const Entry entry(self);
  return self.scheduler->FindByThreadId(thread_id) != nullptr;
}

Joined AwaitEnd(ParticipantState& self, pthread_t thread,
                absl::string_view call, Nanoseconds deadline) {
  if (remote != nullptr) {
    return remote->AwaitEnd(self, thread, call, deadline);
  }
  for (;;) {
    // Handlers of signals run at its end.
    const Entry entry(self);
    ParticipantState* const other = self.scheduler->FindByThread(thread);
    if (other == nullptr) return Joined::kOutsider;
    if (other->ended) return Joined::kEnded;
    const CallSite site = {.process = "", .call = call};
    Wait wait(*self.scheduler, site, deadline);
    wait.Add(other->end);
    switch (wait.Block()) {
      case Woken::kTimeout:
        return Joined::kTimeout;
      case Woken::kDeadlock:
        return Joined::kDeadlock;
      case Woken::kEvent:
      case Woken::kSignal:
      case Woken::kRestart:
        break;
    }
  }
}

void ForgetThread(ParticipantState& self, pthread_t thread) {
  if (remote != nullptr) return remote->Forget(thread);
  const Entry entry(self);
  ParticipantState* const other = self.scheduler->FindByThread(thread);
  if (other != nullptr) other->thread.reset();
}

namespace {

constinit EventCount signals;

}  // namespace

void NoteSignal(int signal, bool interrupts, bool restarts) {
  const ErrnoKeeper keeper;
  const KernelSection section;
  if (remote != nullptr) {
    return remote->NoteSignal(signal, interrupts, restarts);
  }
  ParticipantState* const self = innermost_of_thread;
  if (interrupts && self != nullptr) {
    // The first one decides whether the call is restarted.
    Woken none = Woken::kEvent;
    self->signal.compare_exchange_strong(
        none, restarts ? Woken::kRestart : Woken::kSignal);
    self->gate.Open();
  }
  signals.Notify();
}

void EndInterruption() {
  if (remote != nullptr) return remote->EndInterruption();
  if (innermost_of_thread != nullptr) {
    innermost_of_thread->signal = Woken::kEvent;
  }
}

uint32_t SignalCount() { return signals.value(); }

void AwaitSignal(ParticipantState& self, uint32_t seen) {
  // It may be blocked in all threads meanwhile.
  constexpr absl::Duration kLongestDelivery = absl::Seconds(1);
  {
    const ErrnoKeeper keeper;
    const KernelSection section;
    const absl::Time end = absl::Now() + kLongestDelivery;
    while (!signals.Await(seen, absl::ToInt64Nanoseconds(kLongestDelivery)) &&
           absl::Now() < end) {
    }
  }
  const Entry entry(self);
  self.scheduler->WakeSignalled();
}

pid_t ThreadIdOf(ParticipantState& self, pthread_t thread) {
  if (remote != nullptr) return remote->ThreadIdOf(thread);
  const Entry entry(self);
  const ParticipantState* const other = self.scheduler->FindByThread(thread);
  return other == nullptr ? 0 : other->thread_id;
}

}  // namespace net::fake
