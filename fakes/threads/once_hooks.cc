#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/wait_queue.h"
#include "fakes/threads/next.h"
#include "fakes/threads/waiter.h"
#include "syscalls/mutex.h"

NET_NEXT_FUNCTION(pthread_once)

namespace net::threads {
namespace {

constinit Mutex mutex;

// The calls of pthread_once(3) that participants are in. Never destroyed.
std::vector<const pthread_once_t*>& Running() {
  static auto& running = *new std::vector<const pthread_once_t*>;
  return running;
}

bool Runs(const pthread_once_t* control) {
  const fake::KernelSection section;
  const MutexLock lock(mutex);
  return std::find(Running().begin(), Running().end(), control) !=
         Running().end();
}

// A participant's call. Its destructor wakes those who wait for its end, also
// after an exception.
class Call {
 public:
  explicit Call(const pthread_once_t* control) : control_(control) {
    const fake::KernelSection section;
    const MutexLock lock(mutex);
    Running().push_back(control);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    {
      const fake::KernelSection section;
      const MutexLock lock(mutex);
      Running().erase(std::find(Running().begin(), Running().end(), control_));
    }
    Wake(control_, kAll);
  }

 private:
  const pthread_once_t* const control_;
};

int Once(ParticipantState& self, pthread_once_t* control, void (*routine)()) {
  while (Runs(control)) {
    Waiter waiter({.self = self, .object = control, .call = "pthread_once"});
    if (waiter.BlockOverSignals() == Woken::kDeadlock) return EDEADLK;
  }
  const Call call(control);
  return next::pthread_once(control, routine);
}

}  // namespace
}  // namespace net::threads

// Not noexcept: an exception of the routine goes through.
extern "C" int pthread_once(pthread_once_t* control, void (*routine)()) {
  net::fake::ParticipantState* const self = net::fake::CurrentParticipant();
  if (self == nullptr) {
    return net::threads::next::pthread_once(control, routine);
  }
  return net::threads::Once(*self, control, routine);
}
