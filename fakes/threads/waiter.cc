#include "fakes/threads/waiter.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/wait_queue.h"
#include "syscalls/mutex.h"

namespace net::threads {
namespace {

// Guards the list. A thread that holds it is in a KernelSection, and may take a
// kernel's mutex. Never the other way round.
constinit Mutex list_mutex;

// In the order of arrival. Never destroyed: threads may outlive main().
std::vector<Waiter*>& List() {
  static auto& list = *new std::vector<Waiter*>;
  return list;
}

}  // namespace

constinit std::atomic<int> waiter_count{0};

Waiter::Waiter(const Site& site)
    : object_(site.object),
      bits_(site.bits),
      wait_(site.self, site.call, site.object, site.holder, site.deadline) {
  const fake::KernelSection section;
  const MutexLock lock(list_mutex);
  List().push_back(this);
  waiter_count.fetch_add(1, std::memory_order_seq_cst);
}

Waiter::~Waiter() { Leave(); }

bool Waiter::Leave() {
  const fake::KernelSection section;
  const MutexLock lock(list_mutex);
  if (!listed_) return false;
  listed_ = false;
  List().erase(std::find(List().begin(), List().end(), this));
  waiter_count.fetch_sub(1, std::memory_order_seq_cst);
  return true;
}

Woken Waiter::Block() {
  const Woken woken = wait_.Block();
  switch (woken) {
    case Woken::kEvent:
    case Woken::kSignal:
    case Woken::kRestart:
      return woken;
    case Woken::kTimeout:
    case Woken::kDeadlock:
      break;
  }
  // An outsider may have chosen this one meanwhile: its wake-up is not lost.
  return Leave() ? woken : Woken::kEvent;
}

Woken Waiter::BlockOverSignals() {
  for (;;) {
    const Woken woken = Block();
    if (woken != Woken::kSignal && woken != Woken::kRestart) return woken;
  }
}

namespace {

// Blocked calls fail after a deadlock, so that a test can end. Locks that
// another participant will release can still be taken meanwhile.
int AttemptAfterDeadlock(ParticipantState& self,
                         absl::FunctionRef<int()> attempt) {
  constexpr int kAttempts = 1000;
  for (int i = 0; i < kAttempts && fake::YieldBaton(self); ++i) {
    const int error = attempt();
    if (error != EBUSY) return error;
  }
  return EDEADLK;
}

// Returns the error of a call that has waited, or 0 if it is to go on.
int ErrorFor(Woken woken, Signals signals) {
  switch (woken) {
    case Woken::kEvent:
    case Woken::kRestart:
      return 0;
    case Woken::kSignal:
      return signals == Signals::kEndWait ? EINTR : 0;
    case Woken::kTimeout:
      return ETIMEDOUT;
    case Woken::kDeadlock:
      return EDEADLK;
  }
  return EINVAL;
}

}  // namespace

int AwaitSuccess(const Waiter::Site& site, absl::FunctionRef<int()> attempt,
                 Signals signals) {
  for (;;) {
    Waiter waiter(site);
    int error = attempt();
    if (error != EBUSY) return error;
    if (fake::HasDeadlock(site.self)) {
      return AttemptAfterDeadlock(site.self, attempt);
    }
    const int ended = ErrorFor(waiter.Block(), signals);
    if (ended == 0) continue;
    // Whoever wakes this participant when it has already given up relies on
    // another attempt.
    error = attempt();
    return error == EBUSY ? ended : error;
  }
}

void ForgetWaiters() {
  const fake::KernelSection section;
  // Another thread of the parent may have held it.
  new (&list_mutex) Mutex;
  const MutexLock lock(list_mutex);
  List().clear();
  waiter_count.store(0, std::memory_order_seq_cst);
}

int WakeListed(const void* object, int count, uint32_t bits) {
  const fake::KernelSection section;
  const MutexLock lock(list_mutex);
  std::vector<Waiter*> waiters;
  std::vector<ParticipantState*> participants;
  for (Waiter* const waiter : List()) {
    if (waiter->object_ != object || (waiter->bits_ & bits) == 0) continue;
    waiters.push_back(waiter);
    participants.push_back(&waiter->wait_.participant());
  }
  int woken = 0;
  while (woken < count && !waiters.empty()) {
    // When all are woken, nothing is to be chosen.
    const bool chooses = waiters.size() > static_cast<size_t>(count - woken);
    const auto index = static_cast<std::ptrdiff_t>(
        chooses ? fake::ChooseWaiter(participants) : 0);
    Waiter* const waiter = waiters[static_cast<size_t>(index)];
    waiters.erase(waiters.begin() + index);
    participants.erase(participants.begin() + index);
    List().erase(std::find(List().begin(), List().end(), waiter));
    waiter_count.fetch_sub(1, std::memory_order_seq_cst);
    waiter->listed_ = false;
    waiter->wait_.Wake();
    ++woken;
  }
  return woken;
}

}  // namespace net::threads
