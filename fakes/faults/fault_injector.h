#ifndef FAKES_FAULTS_FAULT_INJECTOR_H_
#define FAKES_FAULTS_FAULT_INJECTOR_H_

#include <poll.h>

#include <atomic>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/faults/descriptor_table.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/faults.h"
#include "fakes/faults/plan_state.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/invocation.h"
#include "syscalls/complete_syscalls.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"
#include "syscalls/syscalls.h"

namespace net {

// A Syscalls in front of another one, the target, that carries out a fault
// plan. Calls without a fault pass unchanged. In front of LinuxSyscalls it can
// do what a mock cannot: it shows the state of the real kernel after the
// failure of a call that does not fail on demand.
//
//   FaultInjector sys(DefaultSyscalls());
//   sys.Arm(ParseFaultPlan("accept4#2=EMFILE; close=EIO").value());
//   ... code that takes a Syscalls is run with `sys` ...
//   EXPECT_THAT(sys.Unmatched(), IsEmpty());
//   EXPECT_THAT(sys.OpenDescriptors(), IsEmpty());
//
// The plan belongs to the object. Any number of injectors can be used in one
// process at the same time, also one in front of another. Without a plan, an
// injector only counts: at most 10 ns a call, 40 ns for calls that make or
// close a descriptor.
//
// The injector knows the sockets that were made through it, and their
// duplicates. When it first sees another descriptor, it queries the target
// (getsockopt with SO_DOMAIN, SO_TYPE and SO_ACCEPTCONN, getpeername).
// Descriptors that were received in messages (SCM_RIGHTS) are among these. If a
// rule of the plan has an address, the injector queries the names of the
// sockets before each call.
//
// The actions are carried out by calls on the target:
//
//   errno before     No call is made.
//   errno after      The call is made. Whatever it returns is replaced. A
//                    descriptor that it made is closed, and the addresses,
//                    lengths and option values that it wrote are discarded.
//                    connect(2) with EINTR or EINPROGRESS does not wait: the
//                    attempt continues.
//   errno partial(N) The call is made with N bytes, then it fails.
//   short(N)         The call is made with at most N bytes.
//   delay(D)         nanosleep(2) first: virtual time on a FakeKernel, where
//                    the thread must be a participant.
//   fd0, reuse       The new descriptor is moved to 0, or to the number that
//                    was closed last, by fcntl(F_DUPFD). The number must be
//                    free.
//   truncated(N)     The call is made with an address length of N.
//   consumed         SO_ERROR is read twice; the caller gets the second value.
//   reset            connect(2) to AF_UNSPEC on the accepted connection: the
//                    peer gets a RST, SO_ERROR is ECONNRESET. See
//                    ResetConnection() in fakes/faults/carry_out.h.
//
// If fd0, reuse, truncated, consumed or reset cannot be carried out (because
// the number is in use, the caller's pointer to the address is null, or the
// call itself fails), the call is made as usual, and the rule has not applied.
//
// By default, a close(2) that fails releases the descriptor, as on Linux. With
// "before", the descriptor stays open in the kernel. OpenDescriptors()
// nevertheless omits it, because the caller has closed it.
//
// Limits: "after" does not restore the descriptor that a dup3 replaced.
//
// Thread-safety: any method may be called from any thread. No lock is held
// while a call is made. Of concurrent calls of one name, exactly one is the
// nth. Which one, depends on the threads.
class FaultInjector final : public CompleteSyscalls, public Faults {
 public:
  struct Options {
    // Keeps Trace(). Costs about 1 us a call.
    bool trace = false;
  };

  // A call that a rule applied to.
  struct Hit {
    int position = 0;  // In the whole trace, from 1; 0 if the call has none.
    size_t rule = 0;   // The index in the plan.

    friend std::ostream& operator<<(std::ostream& os, const Hit& hit) {
      return os << "rule " << hit.rule << " at @" << hit.position;
    }
  };

  // `target` must outlive the injector.
  explicit FaultInjector(Syscalls& target);
  FaultInjector(Syscalls& target, const Options& options);

  void Arm(const FaultPlan& plan) override;
  std::vector<FaultRule> Unmatched() const override;
  // Returns the calls since Arm() that a rule applied to, in their order.
  std::vector<Hit> Hits() const;
  int Count(absl::string_view calls) const override;
  int Count(SyscallId call) const { return state_.Count(call); }
  int Count(Call call) const { return Count(IdOf(call)); }
  // Empty unless Options::trace.
  std::vector<std::string> Trace() const override;
  std::vector<int> OpenDescriptors() const override;
  int StrayCloses() const override;

// Every method of Syscalls.
#define NET_SYSCALL(method, name, result, ...) \
  SysResult method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) override;
#include "syscalls/syscall_table.inc"

 private:
  // A call before it is made, and the rule that applies to it.
  struct Entered {
    bool counts = false;
    std::optional<Decision> decision;
    int position = 0;
    int last_closed = -1;
  };

  // Take the fast path, which needs neither rules nor a trace. Return true if
  // the call has been counted and the caller shall make it directly. Otherwise
  // Intercept() makes it.
  template <Call kCall>
  bool Enter(const Arguments<kCall>& arguments);
  bool EnterPoll(SyscallId id, const pollfd* fds, nfds_t count);
  // The same for other calls on several descriptors.
  bool EnterAny(SyscallId id, const DescriptorList& fds);
  // `at` returns the descriptor of an index.
  template <typename DescriptorAt>
  bool EnterSeveral(SyscallId id, size_t count, DescriptorAt at);
  bool EnterClose(int fd);
  // Records what a call changed.
  template <Call kCall>
  void Leave(const Arguments<kCall>& arguments, SysResult result);
  template <Call kCall>
  void LeaveMade(const Arguments<kCall>& arguments, int made);

  // Make all other calls.
  SysResult Intercept(const Invocation& invocation);
  Entered EnterSlowly(const Invocation& invocation);
  static bool Counts(const Invocation& invocation, const SocketList& sockets);
  SysResult Make(const Invocation& invocation);
  SysResult MakeWithError(const Invocation& invocation,
                          const FaultAction& action);
  // Set `applied` to false if the action could not be carried out.
  SysResult MakeHostile(const Invocation& invocation, const Entered& entered,
                        bool& applied);
  SysResult CarryOut(const Invocation& invocation, const Entered& entered,
                     bool& applied);

  // Returns the descriptors that the call is about.
  DescriptorList DescriptorsOf(const Invocation& invocation) const;
  // Queries the target about a descriptor, unless it is known. `closes`: for
  // close(2).
  void LearnDescriptor(int fd, bool closes);
  void LearnNames(int fd);
  void NoteRole(int fd, SocketRole role);
  void NoteClose(int fd) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Syscalls& target_;
  const bool traces_;
  // True if there are neither rules nor a trace.
  std::atomic<bool> is_plain_;

  mutable Mutex mutex_;
  // The methods that the caller must serialise are called under mutex_.
  PlanState state_;
  DescriptorTable table_;
  std::vector<std::string> trace_ ABSL_GUARDED_BY(mutex_);
  std::vector<Hit> hits_ ABSL_GUARDED_BY(mutex_);
  int stray_closes_ ABSL_GUARDED_BY(mutex_) = 0;
  int last_closed_ ABSL_GUARDED_BY(mutex_) = -1;
};

}  // namespace net

#endif  // FAKES_FAULTS_FAULT_INJECTOR_H_
