#ifndef FAKES_TRAP_JOB_H_
#define FAKES_TRAP_JOB_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/plan_state.h"
#include "fakes/trap/local_call.h"
#include "fakes/trap/process.h"
#include "fakes/trap/trapped_call.h"

namespace net::trap {

// A TCP socket that a call is about.
struct JobSocket {
  OwnedFd duplicate;
  const SocketFacts* facts;  // Guarded by the TrapState.
};

// One call of the target from its notification to its reply.
struct Job {
  TrappedCall call;
  std::shared_ptr<const Process> process;
  std::vector<JobSocket> sockets;
  // The rule that applies to it.
  std::optional<Decision> decision;
  // Its line of the trace, if there is one.
  std::optional<CallRecord> record;
  // The call that is made in the target's place; null if none is.
  std::unique_ptr<LocalCall> local;
  // TrapState::Interrupt() was called.
  bool was_interrupted = false;
};

// The reason for which a wait was ended early.
enum class EndOfWait : uint8_t {
  kNone,
  kGone,    // The target no longer waits for the reply.
  kSignal,  // The target has a signal to handle.
  kBegun,   // The attempt of connect(2) continues in the kernel.
};

// A thread that makes a blocking call in the target's place, or waits. It
// blocks all signals but WakeSignal(), which ends the call.
class Waiter {
 public:
  // Runs `run` in a new thread.
  Waiter(Job job, std::function<void(Waiter&)> run);
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  // Waits for the end of the thread.
  ~Waiter();

  Job& job() { return job_; }
  bool done() const { return done_; }
  EndOfWait end() const { return end_; }
  // Returns whether the thread has begun to reply.
  bool replies() const { return replies_; }
  // Called by the thread.
  void BeginReply() { replies_ = true; }

  // Waits for the duration, or until End(). Called by the thread.
  void Sleep(absl::Duration duration) const;
  // Makes the call, which End() can interrupt. Called by the thread. End() does
  // not interrupt the thread's later work, because some of it can be done only
  // once: installing a descriptor in the target, for example.
  int64_t Make() const;

  // Ends a system call that the thread waits in. Repeat it until done(): the
  // thread may be about to wait.
  void End(EndOfWait why);

 private:
  Job job_;
  std::atomic<bool> done_ = false;
  std::atomic<bool> replies_ = false;
  std::atomic<EndOfWait> end_ = EndOfWait::kNone;
  std::thread thread_;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_JOB_H_
