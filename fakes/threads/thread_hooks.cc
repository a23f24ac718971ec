#include "fakes/threads/thread_hooks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>

#include "fakes/kernel/participant.h"
#include "fakes/threads/next.h"

NET_NEXT_FUNCTION(sched_yield)

namespace net {

bool ThreadHooksAreInCharge() {
  return dlsym(RTLD_DEFAULT, "sched_yield") ==
         reinterpret_cast<void*>(&sched_yield);
}

}  // namespace net

extern "C" int sched_yield() noexcept {
  net::fake::ParticipantState* const self = net::fake::CurrentParticipant();
  if (self == nullptr) return net::threads::next::sched_yield();
  net::fake::CountCall(*self, "sched_yield");
  net::fake::YieldBaton(*self);
  return 0;
}
