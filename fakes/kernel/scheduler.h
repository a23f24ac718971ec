#ifndef FAKES_KERNEL_SCHEDULER_H_
#define FAKES_KERNEL_SCHEDULER_H_

#include <pthread.h>
#include <sched.h>
#include <sys/types.h>

#include <atomic>
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
#include "fakes/kernel/wait_queue.h"
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
  bool hung = false;  // A deadlock or livelock ended one of its calls.
  WaitQueue end;      // The calls that wait for its end.
  // Its own wait for an object that the kernel does not know (ObjectWait).
  WaitQueue object_wait;

  // The calls that it may still make before the baton is handed on.
  int calls_left = 0;
  // The participants that wait until this one blocks or ends.
  std::vector<ParticipantState*> awaiters;
  Gate gate;  // Opened when it gets the baton.
  // Woken::kSignal or kRestart if a signal has arrived that ends its next wait
  // or the present one; kEvent otherwise. Set by a signal handler, without the
  // mutex.
  std::atomic<Woken> signal = Woken::kEvent;

  int64_t idle_limit_ns = kNoTimeout;  // Of AwaitIdle(), while it waits.
  // From AwaitIdle() to NoteActivity(): Scheduler::activity() when the former
  // returned. If that has changed, what this participant waits for outside of
  // the kernel may have happened, and it must look again before time passes.
  std::optional<uint64_t> saw_activity;

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
// A thread that does not take part never holds the baton. It runs at the same
// time as the holder, so its calls are not part of the schedule. While it waits
// in a call, it holds the clock until the awaited event has come, because it
// may make any call next.
class Scheduler {
 public:
  // `describe` returns the last part of a deadlock's report: the sockets.
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
  // Ends the participation of `state`, and hands the baton on. Called by its
  // thread, or by any thread if its thread has never begun.
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
  // waits until it is back. Returns the place of the call in calls().
  CallLog::Place Enter(const std::string* process, const char* name, int fd) {
    if (live_ > 0) return EnterAmongOthers(process, name, fd);
    return calls_.Begin(/*caller=*/nullptr, process, name, fd);
  }

  // Does the same for a call of a participant that is not a system call. `name`
  // is a literal.
  void EnterModelled(ParticipantState& self, const char* name) {
    if (at_each_call_ || --self.calls_left < 0) HandOnAtEntry(self);
    CountModelled(self, name);
  }
  // Does the same without a hand-over.
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
  // participant has run. If so, the caller must check again everything that
  // others can change.
  //
  // A call of Linux is not atomic: on a busy machine, a thread is often
  // preempted in the middle of one. Each such point multiplies the schedules of
  // a program. Only points are modelled at which programs can see a result that
  // no order of atomic calls gives.
  bool MayBePreempted() { return at_each_call_ && HandOnWithinCall(); }

  // Hands the baton on if another participant can run: sched_yield(2). Does
  // nothing for a thread that does not take part.
  bool Yield();
  // Runs `body` while the calling participant is without the baton. The
  // participant counts as running, so the clock does not jump. Called without
  // the mutex.
  void RunOutside(absl::FunctionRef<void()> body);

  // Waits until all other participants wait, without letting time pass; but not
  // longer than `limit` of real time. Returns the value of activity() then.
  uint64_t AwaitIdle(absl::Duration limit);
  // Returns a number that grows when a participant is woken, joins or leaves,
  // and with NoteActivity(). A participant that waits in AwaitIdle() and finds
  // the number unchanged knows that no other has run since its last call.
  uint64_t activity() const { return activity_; }
  // A wait of `self` by AwaitIdle() has ended with a result.
  void NoteActivity(ParticipantState& self) {
    self.saw_activity.reset();
    ++activity_;
  }

  // Waits until the thread waits in a call (returns true) or has left (returns
  // false). A participant gives the baton away meanwhile, first to that thread,
  // and is the first to get it back.
  bool AwaitBlocked(ParticipantState& state) ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // Interrupts the call in which the thread waits. Returns false if it waits in
  // none.
  bool Interrupt(const ParticipantState& state, bool restart);

  // Ends the waits of the participants whose ParticipantState::signal is set.
  void WakeSignalled();

  // Returns an index into `waiters`, chosen by the policy: the participant that
  // gets a lock. Requires at least one waiter.
  size_t ChooseWaiter(absl::Span<ParticipantState* const> waiters);

  // Begins the default policy again with another seed. Does nothing if the
  // options name another policy, or a schedule to replay.
  void Reseed(uint64_t seed) {
    if (seeded_ != nullptr) *seeded_ = SeededSchedule(seed, at_each_call_);
  }

  // Fires timers if all participants wait, and hands the baton on if no
  // participant has it. Called after FakeKernel has moved the clock.
  void Settle();

  // Returns the report of the deadlock or livelock; nullopt if there was none.
  const std::optional<std::string>& deadlock() const { return deadlock_; }
  // Makes a deadlock or livelock expected: it is not printed, and fails no
  // test.
  void ExpectDeadlock() { expects_deadlock_ = true; }
  // Returns the report if a deadlock ended a call of the participant, it was
  // not expected, and this is called for the first time.
  std::optional<std::string> FailureOf(const ParticipantState& state);
  // Returns whether calls fail with EDEADLK even if they would not block.
  bool refuses_calls() const { return refuses_calls_; }
  void SetStallLimit(absl::Duration limit);
  void SetDeadlockLimit(absl::Duration limit) { limits_.deadlock = limit; }

  // Returns the number of participants that have not ended.
  int live() const { return live_; }

  CallLog& calls() { return calls_; }
  const CallLog& calls() const { return calls_; }

  std::vector<std::string> ParticipantNames() const;

  // The choices so far.
  const Schedule& schedule() const { return schedule_; }
  // The reason why another run with the same schedule may differ; "" if it
  // cannot.
  const std::string& not_replayable() const { return not_replayable_; }

  Clock& clock() { return clock_; }
  KernelMutex& mutex() { return mutex_; }

 private:
  friend class InvariantWalk;
  friend class Wait;
  friend class WaitQueue;

  // Watches whether the other threads make progress. Used by a thread that
  // waits in real time.
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
  // Ends the wait of the participant if a signal has arrived.
  void WakeIfSignalled(ParticipantState& state);
  // Runs the handlers of the signals that have arrived.
  void RunSignalHandlers() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Fires timers while all participants wait.
  void FireTimers();
  // Ends the wait of a participant that must look again before time passes
  // (ParticipantState::saw_activity). Returns false if there is none.
  bool MakeOneLookAgain();
  // Called when all wait and no timer is left.
  void SuspectDeadlock();
  // Called while it is suspected, when some real time has passed.
  void ConfirmDeadlock();
  void DeclareDeadlock();
  void DeclareLivelock(absl::string_view what);
  // Ends all calls that are blocked now, or would block later.
  void EndBlockedCalls(std::string report);
  // Returns whether there are timeouts without end. If so, has ended all calls.
  bool TimeoutsAreEndless();
  // `which`: the kind of calls, for the report.
  void OnTooManyCalls(ParticipantState& caller, int64_t limit,
                      absl::string_view which);
  // Ends a series of calls without an effect.
  void ForgetCallsAtInstant() {
    calls_at_instant_ = 0;
    modelled_at_instant_ = 0;
  }
  [[noreturn]] void ReportStall();
  // Returns a line for each participant, and for each call of a thread that
  // does not take part.
  std::string DescribeAll() const;
  // Returns the threads of the process that do not take part, with advice.
  std::string DescribeOutsiders() const;
  std::string Describe(const ParticipantState& state) const;
  // Returns a number that grows while threads make progress.
  uint64_t Progress() const { return calls_.count() + hand_overs_; }
  std::string DescribeHolder(const CallSite& site) const;
  // Called when a call of a thread that does not take part no longer waits.
  void ReleaseClock();

  void MakeReady(ParticipantState& state);
  void RemoveFromReady(ParticipantState& state);
  // Makes the participants that await `state` get the baton next.
  void ResumeAwaiters(ParticipantState& state);
  // Chooses one of the participants that can run. Returns null if none can.
  ParticipantState* ChooseNext(HandOver why, const ParticipantState* current);
  size_t Choose(HandOver why, const ParticipantState* current,
                absl::Span<ParticipantState* const> among);
  // Gives the baton to `next`, or to no participant if that is null. Does not
  // wake `next`.
  void Give(ParticipantState* next);
  // Gives the baton to one of the participants that can run, and wakes it.
  void HandOn(HandOver why);
  // Gives the baton to `next`, and waits until the caller has it again.
  void GiveAndAwait(ParticipantState& self,
                    ParticipantState* next) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Wakes `woken`, unless that is null, and waits until the caller has the
  // baton.
  void AwaitBaton(ParticipantState& self,
                  ParticipantState* woken) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Implements Enter() while there are participants.
  CallLog::Place EnterAmongOthers(const std::string* process, const char* name,
                                  int fd);
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
  WaitQueue idle_;  // Those in AwaitIdle().
  uint64_t activity_ = 0;
  int running_ = 0;        // Participants that do not wait.
  int clock_holders_ = 0;  // Waits of threads that do not take part.
  bool settling_ = false;  // The baton is handed on later.
  // Since when all wait, if that was for less than HangLimits::deadlock.
  std::optional<absl::Time> suspects_deadlock_;
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
