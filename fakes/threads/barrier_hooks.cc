#include <pthread.h>

#include <cerrno>
#include <map>

#include "absl/base/thread_annotations.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/race_detector.h"
#include "fakes/kernel/wait_queue.h"
#include "fakes/threads/next.h"
#include "fakes/threads/waiter.h"
#include "syscalls/mutex.h"

NET_NEXT_FUNCTION(pthread_barrier_init)
NET_NEXT_FUNCTION(pthread_barrier_destroy)
NET_NEXT_FUNCTION(pthread_barrier_wait)

namespace net::threads {
namespace {

// The state of a barrier for participants. The real one only counts outsiders.
struct Barrier {
  unsigned count = 0;
  unsigned arrived = 0;
  unsigned round = 0;
};

// All barriers of the program, by address. Never destroyed: threads may outlive
// main(). Used in a KernelSection only.
class Barriers {
 public:
  static Barriers& Get() {
    static auto& barriers = *new Barriers;
    return barriers;
  }

  void Add(const pthread_barrier_t* barrier, unsigned count) {
    const MutexLock lock(mutex_);
    barriers_[barrier] = {.count = count};
  }
  void Remove(const pthread_barrier_t* barrier) {
    const MutexLock lock(mutex_);
    barriers_.erase(barrier);
  }
  // Returns null if there is no such barrier.
  Barrier* Find(const pthread_barrier_t* barrier) {
    const MutexLock lock(mutex_);
    const auto found = barriers_.find(barrier);
    return found == barriers_.end() ? nullptr : &found->second;
  }

 private:
  Mutex mutex_;
  std::map<const pthread_barrier_t*, Barrier> barriers_ ABSL_GUARDED_BY(mutex_);
};

// Arrives at the barrier. Returns whether the caller is the last one.
bool Arrive(Barrier& barrier) {
  const fake::KernelSection section;
  if (++barrier.arrived < barrier.count) return false;
  barrier.arrived = 0;
  ++barrier.round;
  return true;
}

Barrier* FindBarrier(const pthread_barrier_t* object) {
  const fake::KernelSection section;
  return Barriers::Get().Find(object);
}

unsigned RoundOf(const Barrier& barrier) {
  const fake::KernelSection section;
  return barrier.round;
}

void GoBack(Barrier& barrier) {
  const fake::KernelSection section;
  --barrier.arrived;
}

// For ThreadSanitizer: what a thread did before the barrier comes before what
// another one does after it.
void ShowArrival(const pthread_barrier_t* object) {
  const fake::KernelSection section;
  fake::ShowRelease(object);
}
void ShowDeparture(const pthread_barrier_t* object) {
  const fake::KernelSection section;
  fake::ShowAcquire(object);
}

int WaitAt(ParticipantState& self, pthread_barrier_t* object) {
  fake::EnterCall(self, "pthread_barrier_wait");
  Barrier* const barrier = FindBarrier(object);
  if (barrier == nullptr) return EINVAL;
  ShowArrival(object);
  const unsigned round = RoundOf(*barrier);
  if (Arrive(*barrier)) {
    Wake(object, kAll);
    ShowDeparture(object);
    return PTHREAD_BARRIER_SERIAL_THREAD;
  }
  while (RoundOf(*barrier) == round) {
    Waiter waiter(
        {.self = self, .object = object, .call = "pthread_barrier_wait"});
    if (waiter.BlockOverSignals() == Woken::kDeadlock) {
      GoBack(*barrier);
      return EDEADLK;
    }
  }
  ShowDeparture(object);
  return 0;
}

}  // namespace
}  // namespace net::threads

using net::fake::CurrentParticipant;
using net::fake::KernelSection;
using net::fake::ParticipantState;
using net::threads::Barriers;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int pthread_barrier_init(pthread_barrier_t* barrier,
                         const pthread_barrierattr_t* attributes,
                         unsigned count) noexcept {
  const int error =
      net::threads::next::pthread_barrier_init(barrier, attributes, count);
  const KernelSection section;
  if (error == 0) Barriers::Get().Add(barrier, count);
  return error;
}

int pthread_barrier_destroy(pthread_barrier_t* barrier) noexcept {
  {
    const KernelSection section;
    Barriers::Get().Remove(barrier);
  }
  return net::threads::next::pthread_barrier_destroy(barrier);
}

int pthread_barrier_wait(pthread_barrier_t* barrier) noexcept {
  ParticipantState* const self = CurrentParticipant();
  if (self == nullptr) return net::threads::next::pthread_barrier_wait(barrier);
  return net::threads::WaitAt(*self, barrier);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
