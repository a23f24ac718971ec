#ifndef FAKES_TRAP_SYSCALL_TRAP_H_
#define FAKES_TRAP_SYSCALL_TRAP_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/trap_state.h"

namespace net {

struct TrapOptions {
  // The calls that are trapped, in addition to those that the plan needs. Other
  // calls are not counted, not traced and cannot fail. A trapped call costs
  // about 5 us, and a signal can end it before it has begun (see SyscallTrap).
  SyscallSet calls;
  // Whether to keep a trace of all trapped calls.
  bool keep_trace = false;
  // Whether to make each call in the program's place where possible, so that
  // the trace has results. If false, the kernel makes all calls that no rule
  // applies to, and their result in the trace is "?".
  bool knows_results = false;
  // Whether to record the sockets that are open when the program exits.
  bool notes_exit = false;
  // Whether the program's standard input and outputs are /dev/null.
  bool is_quiet = false;
  // Gets the lines of the trace, in a thread of the trap. Keeps a trace.
  std::function<void(absl::string_view)> sink;
};

// Returns all calls that a plan can be about, except close(2): the calls of a
// trap whose plan is not known yet. A signal can make a trapped close(2) fail
// with EINTR without closing the descriptor.
SyscallSet CallsForAnyPlan();

// Carries out a fault plan in another process: a program in any language,
// dynamically or statically linked, and its child processes. Needs no
// privileges. If a filter with a listener cannot be installed, Start() fails
// with FAILED_PRECONDITION and the reason: a sandbox forbids it, or this
// process already has such a filter.
//
//   FaultPlan plan = *ParseFaultPlan("accept4#2=EMFILE");
//   auto trap = SyscallTrap::Start({}, plan, {"python3", "server.py"});
//   TrapEnd end = *(*trap)->Wait();
//   EXPECT_THAT((*trap)->Unmatched(), IsEmpty());
//
// A seccomp filter in the program notifies this process of chosen system calls
// (seccomp_unotify(2)). A thread of this process receives them, lets them fail,
// lets the kernel make them, or makes them in the program's place: on a
// duplicate of the descriptor (pidfd_getfd(2)), with copies of the program's
// memory. All processes of the program count together.
//
// Limits:
//
// - A call that the kernel makes reads the program's memory again. Another
//   thread of the program can change an address or an option after the plan
//   was asked about it. A fault plan is no protection against the program.
// - A signal without SA_RESTART that arrives before a call was received makes
//   the call fail with EINTR without having run. A close(2) then leaves the
//   descriptor open. This cannot be avoided, so few calls should be trapped,
//   and close(2) only if no signals are sent. PhantomInterruptions() counts
//   these calls, and those that the kernel restarted.
// - A call that was received is interrupted by fatal signals only (Linux 5.19).
//   Before 5.19 a restarted call is received twice. It is counted once: same
//   thread, number, arguments and instruction. If the program repeats an
//   interrupted call by itself, the repetition is not counted either.
// - If the kernel makes a call that waits, and restarts it after a signal
//   handler, the trap counts it as a new call.
// - Calls in the program's place have this process's credentials, limits and
//   network: bind(2) to a privileged port succeeds if this process may do it.
//   socket(2) is made in the program's place only if both processes have the
//   same network namespace.
// - After close(2) that fails with its effect, the number stays taken by a
//   tombstone: a descriptor of /dev/null, on which socket calls fail with
//   ENOTSOCK. (Linux cannot close a descriptor of another process, only
//   replace it.)
// - fd0 and reuse apply only while that number is free.
// - A result that no rule made is known only with knows_results.
// - The kernel always makes the calls below. An effect after such a call cannot
//   be carried out: see failure(), which says why.
//     ppoll, pselect6, epoll_pwait and epoll_pwait2 with a signal mask: the
//       mask is the caller's, and nobody else can set it.
//     epoll_ctl, if the descriptor's number is beyond RLIMIT_NOFILE of this
//       process: an epoll knows its entries by number, so this process must
//       take the same one.
//     fcntl with a command for locks or leases: locks are the process's.
//     setsockopt with an option that has a pointer inside (SO_ATTACH_FILTER),
//       and ioctl except FIONBIO, FIONREAD, SIOCOUTQ and SIOCOUTQNSD.
// - fcntl(F_SETFD) that fails with its effect installs the open file again, so
//   locks that the process has on it end.
// - Calls through io_uring would go around the filter, so io_uring_setup(2)
//   fails with ENOSYS. A 32-bit program is refused: see failure(). Clocks that
//   the vDSO reads make no system call.
// - The program cannot gain privileges by exec (no_new_privs), and cannot
//   install a filter with a listener of its own.
// - The trap does not see close_range(2), nor descriptors that exec closes.
// - The trap uses the signal SIGRTMAX of this process.
//
// If this process dies first, the program's process group is killed: without a
// supervisor, trapped calls fail with ENOSYS. When the program ends, the rest
// of its process group is killed.
//
// Thread-safe. Start() forks, so other threads of this process should not be
// running (see WatchedChild). The program is killed when the thread that called
// Start() ends.
class SyscallTrap final : public Faults {
 public:
  // Starts a program, which is found as execvp(3) does. It leads a process
  // group of its own.
  static absl::StatusOr<std::unique_ptr<SyscallTrap>> Start(
      const TrapOptions& options, const FaultPlan& plan,
      absl::Span<const std::string> command);
  // Runs `body` in a forked child, which then exits with status 0. `report` is
  // a pipe: see Report().
  static absl::StatusOr<std::unique_ptr<SyscallTrap>> StartBody(
      const TrapOptions& options, const FaultPlan& plan,
      absl::FunctionRef<void(int report)> body);

  SyscallTrap(const SyscallTrap&) = delete;
  SyscallTrap& operator=(const SyscallTrap&) = delete;
  // Kills the program if it has not ended.
  ~SyscallTrap() override;

  // Faults. Arm() is called by Start(), too. A rule about a call that is not
  // trapped applies to nothing: see CheckTrapped().
  void Arm(const FaultPlan& plan) override;
  std::vector<FaultRule> Unmatched() const override;
  int Count(absl::string_view calls) const override;
  std::vector<std::string> Trace() const override;
  // TCP sockets only: language runtimes make epolls, pipes and eventfds of
  // their own at any time.
  std::vector<int> OpenDescriptors() const override;
  // Needs close(2) trapped.
  int StrayCloses() const override;

  // Counts one call. (Count("recv") counts a family.)
  int Count(SyscallId call) const;

  // Returns an error if the plan has a rule about calls that are not trapped.
  absl::Status CheckTrapped(const FaultPlan& plan) const;

  // Returns the number of signals that ended a call before its notification was
  // received.
  int PhantomInterruptions() const;
  // Returns the number of replaced plans with an unseen fault: a rule that
  // first applied to a call after the last Unmatched(). The caller does not
  // know of such a fault, which may have hit a background thread.
  int UnseenFaults() const;
  // Returns the calls since Arm(), with more than their text.
  std::vector<trap::TracedCall> Calls() const;
  // Returns OpenDescriptors() as it was when the program exited. Returns
  // nullopt if the program has not exited, or was killed. Needs
  // TrapOptions::notes_exit.
  std::optional<std::vector<int>> OpenAtExit() const;
  // Returns the reason why the plan could not be carried out; "" if it was.
  std::string failure() const;

  pid_t pid() const;
  // Returns a descriptor that poll(2) reports readable once the program has
  // ended.
  int pidfd() const;

  // Waits for the program to end. Returns its wait status. Fails with NOT_FOUND
  // or the errno of execve(2) if the program could not be started, and with
  // INTERNAL if the canary was not answered.
  absl::StatusOr<int> Wait();
  // Waits for the end of the program for at most `timeout`. Returns nullopt if
  // the program has not ended.
  absl::StatusOr<std::optional<int>> WaitFor(absl::Duration timeout);
  // Kills the program and its process group.
  absl::StatusOr<int> Kill();

  // Returns the text that the body has written to its pipe. Call it once the
  // body has ended.
  const std::string& Report() const;

 private:
  struct Parts;
  explicit SyscallTrap(std::unique_ptr<Parts> parts);
  static absl::StatusOr<std::unique_ptr<SyscallTrap>> StartChild(
      const TrapOptions& options, const FaultPlan& plan,
      absl::FunctionRef<int(int report)> body);
  // Returns the wait status, or why the program did not start.
  absl::StatusOr<int> Ended();

  const std::unique_ptr<Parts> parts_;
};

}  // namespace net

#endif  // FAKES_TRAP_SYSCALL_TRAP_H_
