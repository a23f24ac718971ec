#ifndef FAKES_THREADS_WAITER_H_
#define FAKES_THREADS_WAITER_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/wait_queue.h"

// Lists the participants that wait for a mutex, a condition variable or another
// object. The object's address identifies it.

namespace net::threads {

using fake::Nanoseconds;
using fake::ParticipantState;
using fake::Woken;

inline constexpr int kAll = std::numeric_limits<int>::max();

// A participant's place in the list of waiters, from construction to
// destruction or until it is woken. A participant enters the list before it
// checks the object for the last time, so no wake-up by another thread is lost:
//
//   Waiter waiter({.self = self, .object = mutex, ...});
//   if (TryLock(mutex)) return 0;
//   waiter.Block();
class Waiter {
 public:
  struct Site {
    ParticipantState& self;  // The calling thread's.
    const void* object;
    absl::string_view call;  // For the deadlock report.
    // Returns the thread that holds the object, or 0. May be null.
    pid_t (*holder)(const void* object) = nullptr;
    Nanoseconds deadline = fake::kForever;  // In virtual time.
    uint32_t bits = ~0U;                    // Those of FUTEX_WAIT_BITSET.
  };

  explicit Waiter(const Site& site);
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter();

  // Hands the baton on until this is woken (kEvent), the deadline has come, the
  // participant is interrupted, or no event is left (kDeadlock). This stays in
  // the list only after a signal.
  Woken Block();
  // Does the same, but continues to wait after a signal.
  Woken BlockOverSignals();

 private:
  friend int WakeListed(const void* object, int count, uint32_t bits);

  // Leaves the list. Returns false if this is not in it.
  bool Leave();

  const void* const object_;
  const uint32_t bits_;
  fake::ObjectWait wait_;
  bool listed_ = true;
};

// Whether a signal ends a wait (FakeKernel::Participant::Interrupt()).
enum class Signals : unsigned char { kEndWait, kDoNot };

// Calls `attempt` until it returns another value than EBUSY, and returns that
// value. Between two attempts, hands the baton on until the object is woken.
// Returns ETIMEDOUT at the deadline, EINTR after a signal that ends the wait,
// and EDEADLK if no event is left.
int AwaitSuccess(const Waiter::Site& site, absl::FunctionRef<int()> attempt,
                 Signals signals = Signals::kDoNot);

// Called in the child of fork(2): empties the list. Those who wait are in the
// parent, and a wake-up must not choose one of them.
void ForgetWaiters();

// The number of waiters in the list.
extern std::atomic<int> waiter_count;

int WakeListed(const void* object, int count, uint32_t bits);

// Wakes at most `count` of the participants that wait for the object. Their
// kernel chooses which. Returns the number of woken participants. May be called
// from any thread. Does nothing in a KernelSection, whose locks are not
// modelled.
inline int Wake(const void* object, int count, uint32_t bits = ~0U) {
  return waiter_count.load(std::memory_order_seq_cst) == 0 ||
                 fake::KernelSection::entered()
             ? 0
             : WakeListed(object, count, bits);
}

}  // namespace net::threads

#endif  // FAKES_THREADS_WAITER_H_
