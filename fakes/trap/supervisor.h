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

// Receives the notifications of a listener and replies to them, as the state of
// the plan decides.
//
// One thread receives. It must be quick, because a signal can end a call until
// it is received. Work that may block is therefore done by other threads
// (Waiter).
class Supervisor {
 public:
  struct Options {
    // Makes each call in the target's place where that is possible, to know its
    // result.
    bool knows_results = false;
    // Is called when a thread of the target calls exit_group(2), if that is
    // trapped.
    std::function<void(pid_t thread)> on_exit;
    // Is called if the supervision cannot go on.
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

  // Carries the call out as it was decided.
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
  // Does what the call does to the target's numbers, and replies with the
  // rule's error.
  void ReplyAboutNumber(Job& job);
  // Lets the kernel make the call.
  void Continue(Job& job);
  // The call cannot be made in the target's place: lets the kernel make it. If
  // a rule applies to it, the supervision has failed.
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
