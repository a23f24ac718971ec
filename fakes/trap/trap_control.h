#ifndef FAKES_TRAP_TRAP_CONTROL_H_
#define FAKES_TRAP_TRAP_CONTROL_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/faults.h"
#include "fakes/trap/owned_fd.h"
#include "syscalls/mutex.h"

namespace net {

// The faults of a program that runs under `trap --control-fd=N -- COMMAND...`:
// one trapped process serves many plans.
//
//   int ends[2];
//   socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
//   ... start `trap --control-fd=3 -- COMMAND` with ends[1] as descriptor 3,
//   ... and close ends[1] here.
//   TrapControl faults(ends[0]);
//   faults.Arm(*ParseFaultPlan("accept4=EMFILE"));
//   ... let the program do something ...
//   EXPECT_THAT(faults.Unmatched(), IsEmpty());
//   EXPECT_THAT(faults.status(), IsOk());
//
// The channel carries one request and then its answer, each a packet with JSON:
//
//   {"arm": "accept4#2=EMFILE"}  ->  {"ok": true, "unseen_faults": 0}
//   {"report": true}             ->  {"unmatched": ["accept4#2=EMFILE"],
//                                     "counts": {"accept4": 1, ...},
//                                     "trace": ["socket(...) = ?", ...],
//                                     "open": [3, 4], "stray_closes": 0,
//                                     "phantom_eintr": 0, "failure": ""}
//   a request that fails         ->  {"error": "column 9: ..."}
//
// The trap answers as soon as it has started, before COMMAND starts.
//
// The trapped calls are fixed at the start: all calls that a plan can be about,
// except close(2). `--trap-close` adds close(2); the limits of SyscallTrap give
// the reason. A plan that needs other calls is an error.
//
// Differences from FaultInjector:
// - Results in the trace are "?" where no rule made them.
// - OpenDescriptors() are TCP sockets only, of all processes of COMMAND.
//   Descriptors that the program makes for itself while the plan is armed
//   count.
// - StrayCloses() is 0 without `--trap-close`.
// - A long trace is cut: its last line is then "...".
//
// Thread-safe.
class TrapControl final : public Faults {
 public:
  // Takes ownership of the socket.
  explicit TrapControl(int channel) : channel_(channel) {}

  // Returns an error once a request has failed: the trap has ended, or refused
  // a plan. Afterwards the methods do nothing and return empty values. If Arm()
  // fails, Unmatched() is the whole plan.
  absl::Status status() const;
  // Forgets the error of a plan that was refused.
  void ClearStatus();

  void Arm(const FaultPlan& plan) override;
  std::vector<FaultRule> Unmatched() const override;
  int Count(absl::string_view calls) const override;
  std::vector<std::string> Trace() const override;
  std::vector<int> OpenDescriptors() const override;
  int StrayCloses() const override;
  // See SyscallTrap.
  int PhantomInterruptions() const;
  // See SyscallTrap. The number is that at the last Arm(). Every method that
  // reads a report counts as a call of Unmatched().
  int UnseenFaults() const;
  // Returns the reason why a plan could not be carried out; "" if it was.
  std::string failure() const;

 private:
  struct Report;
  Report GetReport() const;
  // Returns the answer, or "" if the channel has failed.
  std::string Ask(const std::string& request) const;
  void Fail(absl::Status status) const;

  mutable Mutex mutex_;
  trap::OwnedFd channel_ ABSL_GUARDED_BY(mutex_);
  mutable absl::Status status_ ABSL_GUARDED_BY(mutex_);
  FaultPlan plan_ ABSL_GUARDED_BY(mutex_);
  int unseen_faults_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace net

#endif  // FAKES_TRAP_TRAP_CONTROL_H_
