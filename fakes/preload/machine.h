#ifndef FAKES_PRELOAD_MACHINE_H_
#define FAKES_PRELOAD_MACHINE_H_

#include <sys/types.h>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

// What the hooks need of a FakeKernel besides system calls, whether it is in
// the program's process or in another one.

namespace net::preload {

// The virtual time and the baton.
class Machine {
 public:
  // Returns the virtual time since the FakeKernel began.
  virtual absl::Duration Now() = 0;
  // Fires the timers that are due, and returns the virtual time at which the
  // next one expires; InfiniteDuration() if there is none. A kernel fires one
  // timer at a time, when all participants are blocked. A participant that
  // never blocks would not let those go off that are due at the same time.
  virtual absl::Duration NextTimer() = 0;
  // Runs `body` without the baton (FakeKernel::Outside()).
  virtual void Outside(absl::FunctionRef<void()> body) = 0;

 protected:
  Machine() = default;
  Machine(const Machine&) = default;
  Machine& operator=(const Machine&) = default;
  ~Machine() = default;
};

// Why a wait for a child has ended.
enum class ChildWait : unsigned char {
  kEnded,     // A child has ended since the last call: call wait4(2) again.
  kUnknown,   // None of the children runs on this FakeKernel.
  kDeadlock,  // No child can ever end.
};

// The processes that share a FakeKernel.
class ProcessTree {
 public:
  // Announces a child that the calling thread is about to make. Its
  // descriptors are those that the process has now, and it takes part from now
  // on. Returns its number.
  virtual int Announce() = 0;
  // Called in the parent, after the child was made, with its process ID; or
  // with -1, if it could not be made.
  virtual void Report(int child, pid_t pid) = 0;
  // Called in the child of fork(2), which was announced.
  virtual void Enter(int child) = 0;
  // Waits in virtual time for the end of the child, or of any child if `pid` is
  // not positive.
  virtual ChildWait AwaitChild(pid_t pid) = 0;

 protected:
  ProcessTree() = default;
  ProcessTree(const ProcessTree&) = default;
  ProcessTree& operator=(const ProcessTree&) = default;
  ~ProcessTree() = default;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_MACHINE_H_
