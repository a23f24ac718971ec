#ifndef FAKES_KERNEL_WAITING_H_
#define FAKES_KERNEL_WAITING_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "fakes/kernel/clock.h"
#include "syscalls/mutex.h"

// How threads wait in the kernel, and how virtual time moves on when all do.
// Everything here is guarded by the kernel's mutex.

namespace net::fake {

class Scheduler;
class Wait;

// The calls that wait for something of one file, or for the end of one thread.
// Eight bytes, because every socket has one.
class WaitQueue {
 public:
  // A call's place in a queue.
  struct Place {
    Wait* wait = nullptr;
    WaitQueue* queue = nullptr;
    Place* previous = nullptr;
    Place* next = nullptr;
    bool exclusive = false;
  };

  bool empty() const { return first_ == nullptr; }

  // Lets all of them look again at what they wait for.
  void WakeAll() {
    if (first_ != nullptr) WakeEach();
  }
  // The same, but of the exclusive waits only the one that has waited longest.
  void WakeOne() {
    if (first_ != nullptr) WakeOldest();
  }

 private:
  friend class Wait;
  void WakeEach();
  void WakeOldest();

  Place* first_ = nullptr;
};

// Why a wait ended.
enum class Woken : uint8_t {
  kEvent,     // something has changed: look again
  kTimeout,   // the time is up
  kSignal,    // a signal, whose handler does not restart system calls
  kRestart,   // a signal, whose handler does (SA_RESTART)
  kDeadlock,  // nothing will ever happen
};

// What a call says that did not get what it waited for: EAGAIN, EINTR or
// EDEADLK.
int ErrnoFor(Woken woken);

// A thread that takes part in virtual time.
struct ParticipantState {
  std::string name;
  Wait* waits_in = nullptr;
  bool ended = false;
  WaitQueue end;  // who waits for its end
};

// What a call waits in, for people: "server: recv(3)".
struct CallSite {
  absl::string_view process;
  absl::string_view call;
  int fd = -1;
};

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
  // The same for an event that is for one call only: a connection.
  void AddExclusive(WaitQueue& queue) { AddPlace(queue, /*exclusive=*/true); }

  // Waits until one of the queues is woken, the deadline has come, the thread
  // is interrupted, or nothing can happen any more. Gives the mutex away
  // meanwhile.
  Woken Block();

  const CallSite& site() const { return site_; }

 private:
  friend class Scheduler;
  friend class WaitQueue;

  void AddPlace(WaitQueue& queue, bool exclusive);
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
  CondVar changed_;
};

// Who takes part, who waits, and what happens when all wait: the clock jumps to
// the next timer; if there is none, that is a deadlock.
//
// A thread that does not take part holds the clock from when it waits in a call
// until the call has got what it waited for: nobody knows what it would do
// next.
class Scheduler {
 public:
  // `describe` is what a deadlock's report says beside who waits: the sockets.
  Scheduler(Mutex& mutex, Clock& clock, std::function<std::string()> describe)
      : mutex_(mutex), clock_(clock), describe_(std::move(describe)) {}

  // A new thread takes part from now on; it need not have begun.
  ParticipantState* Join(absl::string_view name);
  // It takes part no longer. `state` lives on as long as the scheduler.
  void Leave(ParticipantState& state);

  // Makes `state` the calling thread's, until that gives it up (null).
  void SetCurrent(ParticipantState* state);

  // Whether the calling thread takes part.
  bool HasCurrent() const;

  // Waits, from outside of virtual time, until the thread waits in a call
  // (true) or has left (false).
  bool AwaitBlocked(const ParticipantState& state)
      ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // Interrupts the call in which the thread waits. False: it waits in none.
  bool Interrupt(const ParticipantState& state, bool restart);

  // Tells where all stand when there is a deadlock; nullopt before.
  const std::optional<std::string>& deadlock() const { return deadlock_; }

  Clock& clock() { return clock_; }

 private:
  friend class Wait;
  friend class WaitQueue;

  Woken Block(Wait& wait) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void Wake(Wait& wait, Woken why);
  // Lets time go on while all that take part wait.
  void Settle();
  void DeclareDeadlock();
  // A call of a thread that does not take part waits no more.
  void ReleaseClock();

  Mutex& mutex_;
  Clock& clock_;
  const std::function<std::string()> describe_;
  std::list<ParticipantState> participants_;
  std::vector<Wait*> blocked_;
  int running_ = 0;        // participants that do not wait
  int clock_holders_ = 0;  // waits of threads that do not take part
  std::optional<std::string> deadlock_;
  CondVar changed_;  // somebody waits, or has left
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_WAITING_H_
