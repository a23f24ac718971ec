#ifndef FAKES_TRAP_SUPERVISOR_H_
#define FAKES_TRAP_SUPERVISOR_H_

#include <linux/seccomp.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <thread>

#include "absl/strings/string_view.h"
#include "fakes/trap/job.h"
#include "fakes/trap/process.h"
#include "fakes/trap/seccomp.h"
#include "fakes/trap/trap_state.h"

namespace net::trap {

// Receives the notifications of a listener and replies to them according to the
// plan.
//
// One thread receives. It must be fast, because a signal can end a call before
// it is received. Other threads (Waiter) therefore do the work that may block.
class Supervisor {
 public:
  struct Options {
    // Whether to make each call in the target's place where possible, to learn
    // its result.
    bool knows_results = false;
    // Called when a thread of the target calls exit_group(2), if that is
    // trapped.
    std::function<void(pid_t thread)> on_exit;
    // Called if the supervision cannot continue.
    std::function<void()> kill_target;
  };

  // `state` must outlive the supervisor.
  Supervisor(OwnedFd listener, TrapState& state, Options options);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  // Ends its threads. Calls that wait for a reply, and later ones, fail with
  // ENOSYS.
  ~Supervisor();

 private:
  void Run();
  // Returns false if there was no notification for kCheckInterval.
  bool WaitForNext() const;
  void HandleNext();
  // Returns whether the last process with the filter has ended.
  bool HasEnded() const;
  void HandleCall(const seccomp_notif& notification);
  // Ends the waits for earlier calls of a thread of the target, because the
  // thread makes a new call.
  void EndWaitsOf(pid_t thread);
  void HandleExit(const seccomp_notif& notification);
  void Fail(absl::string_view why);

  // Carries out the call as decided.
  void Perform(Job job);
  // Carries it out by making a call in the target's place.
  void PerformHere(Job job);
  // Makes the call in the target's place, in the thread of a Waiter.
  void Wait(Waiter& waiter);

  // Replies to a call that was made here, with this result.
  void Finish(Job& job, int64_t result);
  // Replies with the result, which is a value or -errno.
  void Reply(Job& job, int64_t result);
  // Replies with a descriptor of this process, which it closes.
  void ReplyWithDescriptor(Job& job, OwnedFd made);
  // Returns the number that the descriptor is to have, or -1 for the lowest
  // that is free.
  int NumberFor(Job& job);
  // Changes the target's descriptor numbers as the call does, and replies with
  // the rule's error.
  void ReplyAboutNumber(Job& job);
  // Lets the kernel make the call.
  void Continue(Job& job);
  // Lets the kernel make a call that cannot be made in the target's place. If a
  // rule applies to the call, the supervision has failed.
  void LetKernelMake(Job& job, absl::string_view obstacle);

  // Ends waits that have lost their purpose.
  void CheckWaiters();

  const Listener listener_;
  TrapState& state_;
  const Options options_;
  std::atomic<bool> stops_ = false;        // The receiver is to end.
  std::atomic<bool> has_stopped_ = false;  // It has no waiters any more.
  std::list<Waiter> waiters_;              // The receiver's.
  std::thread receiver_;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_SUPERVISOR_H_
