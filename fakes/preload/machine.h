#ifndef FAKES_PRELOAD_MACHINE_H_
#define FAKES_PRELOAD_MACHINE_H_

#include <sys/types.h>

#include <cstdint>

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

// The timer of ITIMER_REAL (setitimer(2)), in the virtual time since the
// FakeKernel began.
struct AlarmTimer {
  absl::Duration deadline = absl::InfiniteDuration();  // Infinite: not armed.
  absl::Duration interval;                             // 0: it expires once.
};

// Why a wait for a child has ended.
enum class ChildWait : unsigned char {
  kEnded,     // A child has ended since the last call: call wait4(2) again.
  kUnknown,   // None of the children runs on this FakeKernel.
  kDeadlock,  // No child can ever end.
  kSignal,    // A signal has arrived, whose handler does not restart calls.
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
  // Called before and after the calling thread sends a signal to processes, as
  // kill(2) names them, or to the thread with this ID if that is not 0.
  // AwaitSignal() returns when the handlers have been called, as far as threads
  // of the tree handle the signal now, and when processes that it ends have
  // ended.
  virtual void ExpectSignal(pid_t pid, pid_t thread, int signal) = 0;
  virtual void AwaitSignal() = 0;
  // Called before execve(2), and by the new program, which gets the timer.
  virtual void KeepAlarm(const AlarmTimer& alarm) = 0;
  virtual AlarmTimer TakeAlarm() = 0;
  // Called before the first handler of this process is installed: the signals
  // that arrive are to interrupt its calls.
  virtual void ReportSignals() = 0;

 protected:
  ProcessTree() = default;
  ProcessTree(const ProcessTree&) = default;
  ProcessTree& operator=(const ProcessTree&) = default;
  ~ProcessTree() = default;
};

// Open files of the FakeKernel on their way to another process, in messages
// that carry their placeholders (SCM_RIGHTS, unix(7)).
class Transit {
 public:
  // How many bytes have been written to a connected socket and read from it.
  struct Position {
    uint64_t written = 0;
    uint64_t read = 0;
  };
  virtual Position PositionOf(int fd) = 0;

  // Keeps the file of a descriptor open until Install() or Discard(). Returns a
  // number for it; -1: the descriptor is not open. `inode` is that of its
  // placeholder, or 0 if others have the same.
  virtual int Hold(int fd, uint64_t inode) = 0;
  // Returns the number of the file that is held longest of those with this
  // inode, or -1.
  virtual int Find(uint64_t inode) = 0;
  // Opens the file at the number of a new placeholder.
  virtual void Install(int held, int fd, bool close_on_exec) = 0;
  virtual void Discard(int held) = 0;

 protected:
  Transit() = default;
  Transit(const Transit&) = default;
  Transit& operator=(const Transit&) = default;
  ~Transit() = default;
};

// A FakeKernel that a process has to itself.
class OwnKernel {
 public:
  // Moves the FakeKernel to a server, to which the process is a client from now
  // on. Returns the tree of the process, or null if that is not possible:
  // another thread takes part, whose calls cannot move.
  virtual ProcessTree* Share() = 0;
  // Called before execve(2). Does the same if the new program is to find
  // something of the FakeKernel. Ends the process if that is not possible.
  virtual void ShareForExec() = 0;

 protected:
  OwnKernel() = default;
  OwnKernel(const OwnKernel&) = default;
  OwnKernel& operator=(const OwnKernel&) = default;
  ~OwnKernel() = default;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_MACHINE_H_
