#ifndef FAKES_KERNEL_WAITING_H_
#define FAKES_KERNEL_WAITING_H_

#include <cstdint>
#include <deque>
#include <new>
#include <optional>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/gate.h"
#include "fakes/kernel/wait_queue.h"

// Calls that wait in the kernel. Everything here is guarded by the kernel's
// mutex. scheduler.h chooses the participant that runs meanwhile.

namespace net::fake {

// A call that waits. Lives on the stack of its thread.
//
//   Wait wait(scheduler, {process.name(), "recv", fd}, deadline);
//   wait.Add(socket.waiters());
//   while (socket.empty()) {
//     const Woken woken = wait.Block();
//     if (woken != Woken::kEvent) return ...;
//   }
class Wait final : private TimerTarget {
 public:
  Wait(Scheduler& scheduler, const CallSite& site,
       Nanoseconds deadline = kForever)
      : scheduler_(scheduler), site_(site), deadline_(deadline) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() override;

  // The queue must outlive the wait.
  void Add(WaitQueue& queue) { AddPlace(queue, /*exclusive=*/false); }
  // Does the same for a call that polls for these events only.
  void Add(WaitQueue& queue, int16_t events) {
    AddPlace(queue, /*exclusive=*/false, events);
  }
  // Does the same for an event that only one call can use, such as a
  // connection.
  void AddExclusive(WaitQueue& queue) { AddPlace(queue, /*exclusive=*/true); }

  // Waits until one of the queues is woken, the deadline has come, the thread
  // is interrupted, or no event is left (kDeadlock). Gives the mutex and the
  // baton away meanwhile.
  Woken Block();

  const CallSite& site() const { return site_; }

 private:
  friend class InvariantWalk;
  friend class Scheduler;
  friend class WaitQueue;

  void AddPlace(WaitQueue& queue, bool exclusive, int16_t events = 0);
  void OnTimer() override;

  Scheduler& scheduler_;
  const CallSite site_;
  const Nanoseconds deadline_;
  std::deque<WaitQueue::Place> places_;  // places must not move
  Clock::TimerId timer_ = Clock::kNone;
  ParticipantState* participant_ = nullptr;  // null: does not take part
  std::optional<Woken> woken_;
  bool blocked_ = false;
  bool holds_clock_ = false;  // of a thread that does not take part
  Gate gate_;                 // of a thread that does not take part
};

// A Wait of a call that seldom blocks. (A std::optional would first clear all
// bytes of the Wait, which takes longer than many calls.)
class LazyWait {
 public:
  LazyWait() {}  // NOLINT(modernize-use-equals-default): `wait_` is not made.
  LazyWait(const LazyWait&) = delete;
  LazyWait& operator=(const LazyWait&) = delete;
  ~LazyWait() {
    if (begun_) wait_.~Wait();
  }

  bool begun() const { return begun_; }

  // Requires !begun(). The arguments are those of Wait.
  Wait& Begin(Scheduler& scheduler, const CallSite& site,
              Nanoseconds deadline) {
    ::new (&wait_) Wait(scheduler, site, deadline);
    begun_ = true;
    return wait_;
  }

  // Requires begun().
  Woken Block() { return wait_.Block(); }

 private:
  bool begun_ = false;
  union {
    Wait wait_;  // NOLINT(readability-identifier-naming): private
  };
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_WAITING_H_
