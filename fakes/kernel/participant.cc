#include "fakes/kernel/participant.h"

#include <pthread.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
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

}  // namespace

ParticipantState* CurrentParticipant() {
  return KernelSection::entered() ? nullptr : Scheduler::Innermost();
}

ObjectWait::ObjectWait(ParticipantState& self, absl::string_view call,
                       const void* object, pid_t (*holder)(const void* object),
                       Nanoseconds deadline)
    : self_(self),
      site_({.process = "", .call = call, .object = object, .holder = holder}),
      deadline_(deadline) {}

Woken ObjectWait::Block() {
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
  const Entry entry(self_);
  woken_ = true;
  self_.object_wait.WakeAll();
}

void CountCall(ParticipantState& self, const char* call) {
  const Entry entry(self);
  self.scheduler->CountModelled(self, call);
}

void EnterCall(ParticipantState& self, const char* call) {
  const Entry entry(self);
  self.scheduler->EnterModelled(self, call);
}

bool YieldBaton(ParticipantState& self) {
  const Entry entry(self);
  return self.scheduler->Yield();
}

void RunOutside(ParticipantState& self, absl::FunctionRef<void()> body) {
  self.scheduler->RunOutside(body);
}

bool HasDeadlock(ParticipantState& self) {
  const Entry entry(self);
  return self.scheduler->deadlock().has_value();
}

Nanoseconds VirtualTime(ParticipantState& self) {
  const Entry entry(self);
  return self.scheduler->clock().now();
}

size_t ChooseWaiter(absl::Span<ParticipantState* const> waiters) {
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
  const Entry entry(self);
  return *self.scheduler->Join(name);
}

void NameThread(ParticipantState& self, ParticipantState& added,
                pthread_t thread) {
  const Entry entry(self);
  added.thread = thread;
}

void BeginParticipant(ParticipantState& added) {
  const Entry entry(added);
  added.scheduler->Begin(added);
}

void EndParticipant(ParticipantState& added) {
  const Entry entry(added);
  added.scheduler->Leave(added);
}

void LeaveAfterFork() { innermost_of_thread = nullptr; }

bool TakesPart(ParticipantState& self, pid_t thread_id) {
  const Entry entry(self);
  return self.scheduler->FindByThreadId(thread_id) != nullptr;
}

Joined AwaitEnd(ParticipantState& self, pthread_t thread,
                absl::string_view call, Nanoseconds deadline) {
  const Entry entry(self);
  ParticipantState* const other = self.scheduler->FindByThread(thread);
  if (other == nullptr) return Joined::kOutsider;
  const CallSite site = {.process = "", .call = call};
  Wait wait(*self.scheduler, site, deadline);
  wait.Add(other->end);
  while (!other->ended) {
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
  return Joined::kEnded;
}

void ForgetThread(ParticipantState& self, pthread_t thread) {
  const Entry entry(self);
  ParticipantState* const other = self.scheduler->FindByThread(thread);
  if (other != nullptr) other->thread.reset();
}

}  // namespace net::fake
