#ifndef FAKES_TRAP_TRAP_STATE_H_
#define FAKES_TRAP_TRAP_STATE_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/plan_state.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/job.h"
#include "fakes/trap/process.h"
#include "fakes/trap/socket_table.h"
#include "fakes/trap/trapped_call.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"

namespace net::trap {

// A call in the trace.
struct TracedCall {
  SyscallId call = SyscallId::kClose;
  pid_t thread = 0;
  int fd = -1;  // The first argument, if that is a descriptor.
  bool injected = false;
  std::string text;  // "close(3) = 0"
};

// The state of a trap: the processes and sockets of the target, the state of
// the plan, the trace, and the first failure. Thread-safe.
class TrapState {
 public:
  // If `sink` is not null, a trace is kept, and `sink` gets its lines, in the
  // thread that completes them, one at a time.
  explicit TrapState(bool keep_trace,
                     std::function<void(absl::string_view)> sink)
      : keep_trace_(keep_trace), sink_(std::move(sink)) {}

  // Arms a plan. The present sockets of the known processes count as made
  // before.
  void Arm(const FaultPlan& plan);
  // Adds the process, with the sockets that it has inherited.
  void AddProcess(pid_t pid);

  std::vector<FaultRule> Unmatched() const;
  int Count(absl::string_view calls) const;
  int Count(SyscallId call) const;
  std::vector<TracedCall> Trace() const;
  std::vector<int> OpenDescriptors() const;
  int StrayCloses() const;
  int PhantomInterruptions() const;
  int UnseenFaults() const;
  std::string failure() const;

  // ---- For the supervisor. ----

  // Returns whether a rule selects the nth socket. If so, sockets must be made
  // in this process, so that their order is known.
  bool needs_order() const;

  // Returns the process of a thread, or -1 if it has ended.
  pid_t ProcessOf(pid_t thread);

  // Begins a call. Returns false if it does not count, because it is not about
  // a TCP socket or its process has ended. Otherwise sets the job's decision,
  // and the beginning of its line of the trace.
  bool Begin(Job& job);
  // End a call. `result` is its value or -errno, or nullopt if only the kernel
  // knows it. Read() reads the out-parameters for the trace, so the target must
  // still wait for the reply. Write() adds the line.
  static void Read(Job& job, std::optional<int64_t> result);
  void Write(Job& job, std::optional<int64_t> result);

  // Records that the call was interrupted. If the kernel restarts it, it is the
  // same call.
  void Interrupt(Job& job);
  // Records that the rule of the job could not be carried out: it has not
  // applied to the call.
  void TakeBack(Job& job);
  // Counts a signal that ended a call before its notification was received.
  void CountPhantom();
  // Returns the number of the socket that the process closed last, or -1. Needs
  // close(2) trapped.
  int LastClosed(const Process& process) const;
  // Adds a new socket. `fd` is a descriptor of this process.
  void AddSocket(int fd);
  // Records that the supervision cannot go on as planned. Keeps the first
  // reason only.
  void Fail(absl::string_view why);

 private:
  void FindSockets(Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds the socket to the job if it is a TCP socket.
  void AddTo(Job& job, int fd) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddPolledTo(Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns whether the call is one that a plan can be about.
  static bool Counts(const Job& job);
  void Decide(Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int NumberOfThread(pid_t thread) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const bool keep_trace_;
  const std::function<void(absl::string_view)> sink_;

  mutable Mutex mutex_;
  Processes processes_ ABSL_GUARDED_BY(mutex_);
  mutable SocketTable sockets_ ABSL_GUARDED_BY(mutex_);
  PlanState plan_ ABSL_GUARDED_BY(mutex_);
  bool needs_order_ ABSL_GUARDED_BY(mutex_) = false;
  // True if a rule asks for roles or addresses.
  bool needs_facts_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<TracedCall> trace_ ABSL_GUARDED_BY(mutex_);
  std::map<pid_t, int> threads_ ABSL_GUARDED_BY(mutex_);
  // By thread: the call, and what was decided for it.
  struct Interrupted {
    TrappedCall call;
    std::optional<Decision> decision;
  };
  std::map<pid_t, Interrupted> interrupted_ ABSL_GUARDED_BY(mutex_);
  std::map<pid_t, int> last_closed_ ABSL_GUARDED_BY(mutex_);  // By process.
  // The number of rules without a call when Unmatched() was last read.
  mutable size_t unmatched_when_read_ ABSL_GUARDED_BY(mutex_) = 0;
  int unseen_faults_ ABSL_GUARDED_BY(mutex_) = 0;
  int stray_closes_ ABSL_GUARDED_BY(mutex_) = 0;
  int phantoms_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::trap

#endif  // FAKES_TRAP_TRAP_STATE_H_
