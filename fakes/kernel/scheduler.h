#ifndef FAKES_KERNEL_SCHEDULER_H_
#define FAKES_KERNEL_SCHEDULER_H_

#include <pthread.h>
#include <sched.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/kernel/call_log.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/gate.h"
#include "fakes/kernel/hangs.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/waiting.h"
#include "fakes/schedule/schedule.h"

// The scheduler chooses which participant runs, and moves virtual time on when
// all wait. Everything here is guarded by the kernel's mutex, unless stated
// otherwise.

namespace net::fake {

// The state of a participant.
enum class Stand : uint8_t {
  kReady,    // Can run when it gets the baton.
  kRuns,     // Holds the baton.
  kBlocked,  // Waits in a Wait.
  kAwaits,   // Waits until another participant blocks or ends.
  kOutside,  // Runs without the baton (Scheduler::RunOutside()).
  kEnded,
};

struct SchedulerOptions {
  uint64_t seed = 1;  // Of the default policy.
  ScheduleOptions schedule;
  HangLimits hangs;
};

// A thread that takes part in virtual time: a participant. Lives as long as
// the scheduler.
struct ParticipantState {
  std::string name;
  int number = 0;  // In the order of joining.
  Stand stand = Stand::kReady;
  Wait* waits_in = nullptr;
  bool ended = false;
  bool hung = false;  // A deadlock or livelock ended a call of its.
  WaitQueue end;      // Who waits for its end.

  // The calls that it may still make before the baton is handed on.
  int calls_left = 0;
  // The participants that wait until this one blocks or ends.
  std::vector<ParticipantState*> awaiters;
  Gate gate;  // Opened when it gets the baton.

  Scheduler* scheduler = nullptr;
  // The state of the same thread in the kernel that it joined before.
  ParticipantState* outer = nullptr;
  pid_t thread_id = 0;                  // 0: its thread has not begun.
  std::optional<pthread_t> thread;      // Nullopt: not begun, or joined.
  std::optional<cpu_set_t> processors;  // Its own, while it is bound to one.
};

// The innermost kernel that the calling thread takes part in; the others follow
// as `outer`.
inline constinit thread_local ParticipantState* innermost_of_thread = nullptr;

// Lets exactly one participant run at a time: the one that holds the baton. It
// hands the baton on when it blocks, ends, or has made many calls; a
// SchedulePolicy chooses to whom. A participant that is woken can run, but it
// runs only when it gets the baton.
//
// When all participants wait, the clock jumps to the next timer. If there is
// none, that is a deadlock.
//
// A thread that does not take part never holds the baton: it runs beside it, so
// its calls are not part of the schedule. It holds the clock from when it waits
// in a call until the event that it waits for has come, because it may make any
// call next.
class Scheduler {
 public:
  // `describe` is what a deadlock's report says beside who waits: the sockets.
  Scheduler(KernelMutex& mutex, Clock& clock,
            std::function<std::string()> describe,
            const SchedulerOptions& options = {});
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler() = default;

  // Adds a participant that can run. Its thread calls Begin().
  ParticipantState* Join(absl::string_view name);
  // Makes `state` the calling thread's, and waits until it has the baton.
  void Begin(ParticipantState& state) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Ends the part of `state` and hands the baton on. Called by its thread, or
  // by any thread if its thread has never begun.
  void Leave(ParticipantState& state);

  // Returns the calling thread's state, or null if it does not take part or
  // runs outside. The thread then holds the baton. Needs no mutex.
  ParticipantState* Current() const {
    ParticipantState* one = innermost_of_thread;
    while (one != nullptr && one->scheduler != this) one = one->outer;
    return one == nullptr || one->stand == Stand::kOutside ? nullptr : one;
  }
  // Returns the state of the calling thread in the kernel that it joined last,
  // or null if it does not take part or runs outside. Needs no mutex.
  static ParticipantState* Innermost();

  // Returns the participant that has not ended and whose thread has this ID
  // (gettid(2)), or null.
  ParticipantState* FindByThreadId(pid_t thread_id);
  // Returns the participant whose thread this is, until the thread is joined,
  // or null.
  ParticipantState* FindByThread(pthread_t thread);

  // Called at the entry of each system call. May hand the baton on, and then
  // waits until it is back. Returns the number of the call in calls().
  uint64_t Enter(const std::string* process, const char* name, int fd);

  // The same for another call than a system call, of a participant. `name` is a
  // literal.
  void EnterModelled(ParticipantState& self, const char* name) {
    if (at_each_call_ || --self.calls_left < 0) HandOnAtEntry(self);
    CountModelled(self, name);
  }
  // The same without a hand-over.
  void CountModelled(ParticipantState& self, const char* name) {
    if (++modelled_at_instant_ > limits_.hooked_calls_at_one_instant) {
      OnTooManyCalls(self, limits_.hooked_calls_at_one_instant,
                     " of //fakes:thread_hooks");
    }
    calls_.BeginModelled(&self, name);
  }

  // Called within a call, at a point where Linux lets other threads run
  // although the call does not sleep. Like the entry of a call, it may hand the
  // baton on if the policy chooses at each call. Returns whether another
  // participant has run. The caller must then look again at all that others can
  // change.
  //
  // A call of Linux is not atomic: on a busy machine, a thread is often
  // preempted in the middle of one. Each such point multiplies the schedules of
  // a program. Only those are modelled at which programs see a difference that
  // no order of atomic calls makes.
  bool MayBePreempted() { return at_each_call_ && HandOnWithinCall(); }

  // Hands the baton on if another participant can run: sched_yield(2). Does
  // nothing for a thread that does not take part.
  bool Yield();
  // Runs `body` while the calling participant is without the baton, but counts
  // as running: the clock does not jump. Called without the mutex.
  void RunOutside(absl::FunctionRef<void()> body);

  // Waits until the thread waits in a call (true) or has left (false). A
  // participant gives the baton away meanwhile, first to that thread, and is
  // the first to get it back.
  bool AwaitBlocked(ParticipantState& state) ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // Interrupts the call in which the thread waits. False: it waits in none.
  bool Interrupt(const ParticipantState& state, bool restart);

  // Returns an index into `waiters`, which is not empty, as the policy chooses:
  // who of several participants that wait for a lock gets it.
  size_t ChooseWaiter(absl::Span<ParticipantState* const> waiters);

  // Begins the default policy again with another seed. Does nothing if the
  // options name another policy, or a schedule to replay.
  void Reseed(uint64_t seed) {
    if (seeded_ != nullptr) *seeded_ = SeededSchedule(seed, at_each_call_);
  }

  // Lets time go on if all that take part wait, and hands the baton on if
  // nobody has it. Called after the clock was moved by hand.
  void Settle();

  // Tells where all stand when there is a deadlock or livelock; nullopt before.
  const std::optional<std::string>& deadlock() const { return deadlock_; }
  // It is not printed, and fails no test.
  void ExpectDeadlock() { expects_deadlock_ = true; }
  // Returns the report if a deadlock ended a call of the participant, it was
  // not expected, and this is called for the first time.
  std::optional<std::string> FailureOf(const ParticipantState& state);
  // Whether calls fail with EDEADLK even if they would not block.
  bool refuses_calls() const { return refuses_calls_; }
  void SetStallLimit(absl::Duration limit);

  CallLog& calls() { return calls_; }
  const CallLog& calls() const { return calls_; }

  std::vector<std::string> ParticipantNames() const;

  // The choices that were made.
  const Schedule& schedule() const { return schedule_; }
  // Why another run with the same schedule may differ; empty if it cannot.
  const std::string& not_replayable() const { return not_replayable_; }

  Clock& clock() { return clock_; }
  KernelMutex& mutex() { return mutex_; }

 private:
  friend class InvariantWalk;
  friend class Wait;
  friend class WaitQueue;

  // Watches, in a thread that waits in real time, whether the others go on.
  class StallWatch {
   public:
    // Called about every stall_poll_ns_ while the thread waits.
    void Check(Scheduler& scheduler);

   private:
    uint64_t seen_ = 0;
    int idle_ = 0;  // Checks in a row without progress.
  };

  Woken Block(Wait& wait) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void BlockOutsider(Wait& wait) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void Wake(Wait& wait, Woken why);
  // Fires timers while all that take part wait.
  void FireTimers();
  void DeclareDeadlock();
  void DeclareLivelock(absl::string_view what);
  // Ends all blocked calls, then and later.
  void EndBlockedCalls(std::string report);
  // Whether timeouts go on without end; then it has ended all calls.
  bool TimeoutsAreEndless();
  // `which`: the kind of calls, for the report.
  void OnTooManyCalls(ParticipantState& caller, int64_t limit,
                      absl::string_view which);
  // An effect ends a series of calls without one.
  void ForgetCallsAtInstant() {
    calls_at_instant_ = 0;
    modelled_at_instant_ = 0;
  }
  [[noreturn]] void ReportStall();
  // Returns a line for each participant, and for each call of a thread that
  // does not take part.
  std::string DescribeAll() const;
  // Returns the threads of the process that do not take part, and advice.
  std::string DescribeOutsiders() const;
  std::string Describe(const ParticipantState& state) const;
  // Counts what shows that threads go on.
  uint64_t Progress() const { return calls_.count() + hand_overs_; }
  std::string DescribeHolder(const CallSite& site) const;
  // A call of a thread that does not take part waits no more.
  void ReleaseClock();

  void MakeReady(ParticipantState& state);
  void RemoveFromReady(ParticipantState& state);
  // The participants that await `state` get the baton next.
  void ResumeAwaiters(ParticipantState& state);
  // Chooses one of those who can run; null: nobody can.
  ParticipantState* ChooseNext(HandOver why, const ParticipantState* current);
  size_t Choose(HandOver why, const ParticipantState* current,
                absl::Span<ParticipantState* const> among);
  // Gives the baton to `next` (null: nobody has it), without waking it.
  void Give(ParticipantState* next);
  // Gives the baton to one of those who can run, and wakes it.
  void HandOn(HandOver why);
  // Gives the baton to `next`, and waits until the caller has it again.
  void GiveAndAwait(ParticipantState& self,
                    ParticipantState* next) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Wakes `woken` (null: nobody), and waits until the caller has the baton.
  void AwaitBaton(ParticipantState& self,
                  ParticipantState* woken) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Enter() while there are participants. `self` is the caller, or null.
  uint64_t EnterAmongOthers(ParticipantState* self, const std::string* process,
                            const char* name, int fd);
  void HandOnAtEntry(ParticipantState& self);
  bool HandOnWithinCall();
  void NoteOutsider(LoggedCall call);
  void MarkNotReplayable(absl::string_view why);
  void BindThreads();

  KernelMutex& mutex_;
  Clock& clock_;
  const std::function<std::string()> describe_;
  const std::unique_ptr<SchedulePolicy> own_policy_;
  SeededSchedule* const seeded_;  // own_policy_, if it is the default one.
  SchedulePolicy& policy_;
  const bool at_each_call_;
  const bool pins_threads_;
  Schedule schedule_;
  std::string not_replayable_;

  std::list<ParticipantState> participants_;
  int live_ = 0;                           // Participants that have not ended.
  ParticipantState* baton_ = nullptr;      // Who holds it; null: nobody.
  std::vector<ParticipantState*> ready_;   // By number.
  std::deque<ParticipantState*> resumed_;  // Get the baton before those.
  std::vector<int> numbers_;               // Of a choice.
  std::optional<int> processor_;           // To which the threads are bound.

  std::vector<Wait*> blocked_;
  int running_ = 0;        // Participants that do not wait.
  int clock_holders_ = 0;  // Waits of threads that do not take part.
  bool settling_ = false;  // The baton is handed on later.
  std::optional<std::string> deadlock_;

  CallLog calls_;
  HangLimits limits_;
  uint64_t hand_overs_ = 0;
  // Calls of participants without an effect.
  int64_t calls_at_instant_ = 0;
  int64_t modelled_at_instant_ = 0;
  int64_t timeouts_in_a_row_ = 0;  // Nothing else ended a wait.
  Nanoseconds jumped_ = 0;         // By how much the clock has jumped.
  int64_t stall_poll_ns_ = kNoTimeout;
  bool outsiders_made_calls_ = false;  // While others took part.
  bool expects_deadlock_ = false;
  bool refuses_calls_ = false;
  bool failed_ = false;

  EventCount changed_;  // Somebody waits, or has left.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_SCHEDULER_H_
