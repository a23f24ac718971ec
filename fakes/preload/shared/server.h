#ifndef FAKES_PRELOAD_SHARED_SERVER_H_
#define FAKES_PRELOAD_SHARED_SERVER_H_

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/participant.h"
#include "fakes/preload/machine.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/options.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "fakes/preload/syscall_stack.h"
#include "fakes/preload/transit_store.h"

// The server of a shared FakeKernel: see fakes/preload/shared/protocol.h.

namespace net::preload {

class Proxy;

// The native descriptors of the process whose proxy makes a call in the calling
// thread.
class RemoteDescriptors final : public NativeDescriptors {
 public:
  SysResult Make(const PlaceholderSpec& spec) override;
  // Fails with ENOSYS: the pipes of programs are native.
  SysResult MakePipe(int* fds, int flags) override;
  void Close(int fd) override;
  void Duplicate(int old_fd, int new_fd, int flags) override;
};

// A connection that a proxy is to take over.
struct Arrival {
  std::unique_ptr<MessageChannel> channel;
  std::string program;  // Its name.
  pid_t thread = 0;     // gettid(2) of the client.
};

// A process of the tree. The fields after `parent` are guarded by the server's
// mutex. Lives as long as the server.
struct ServedProcess {
  ServedProcess(FakeKernel& kernel, FakeProcess& on_kernel,
                NativeDescriptors& natives, const Options& options,
                TraceFile& trace, int its_number, ServedProcess* its_parent)
      : number(its_number),
        process(on_kernel),
        own_stack(std::make_unique<SyscallStack>(kernel, on_kernel, natives,
                                                 options, trace, "")),
        stack(*own_stack),
        parent(its_parent) {}
  // Of a process that had its FakeKernel to itself.
  ServedProcess(FakeProcess& on_kernel, SyscallStack& existing_stack)
      : number(1), process(on_kernel), stack(existing_stack), parent(nullptr) {}

  const int number;  // In the tree, from 1.
  FakeProcess& process;
  const std::unique_ptr<SyscallStack> own_stack;
  SyscallStack& stack;
  ServedProcess* const parent;  // Null: the first one, or an orphan.

  std::string program;  // The name of what it executes, for reports.
  pid_t pid = 0;        // 0: Linux has not made it yet.
  int pidfd = -1;
  bool dead = false;            // Linux says so.
  bool ended = false;           // The FakeKernel and the parent know it, too.
  std::vector<Proxy*> proxies;  // Of its threads, as long as they run.
  // The program that it executes now; a proxy of the process takes it over.
  Arrival arrival;
  int executions = 0;

  // SignalReports of the process: all, and those of SIGCHLD.
  uint64_t signals = 0;
  uint64_t child_signals = 0;
  // The parent's `child_signals` when this process was last known to be alive.
  uint64_t child_signals_before = 0;

  // For the next program that it executes.
  AlarmTimer alarm;

  uint64_t ended_children = 0;
  std::vector<fake::ObjectWait*> child_waits;

  // Returns what the trace and reports call it: "curl[2]".
  std::string Name() const;
};

// HangLimits::deadlock of a FakeKernel that is served: a process that was sent
// a signal takes some real time to end.
inline constexpr absl::Duration kDeadlockOfTree = absl::Seconds(2);

// Serves the FakeKernel of a tree of processes.
//
// Threads: one that accepts connections, one for each process that waits for
// its end (pidfd_open(2)), and the proxies. They run until the program ends.
class SharedServer {
 public:
  // The arguments must live as long as the program.
  SharedServer(Options options, FakeKernel& kernel, TraceFile& trace,
               TransitStore& transit);
  SharedServer(const SharedServer&) = delete;
  SharedServer& operator=(const SharedServer&) = delete;
  // The threads use it.
  ~SharedServer() = delete;

  // Makes the socket with the name of kServerVariable.
  absl::Status Listen(absl::string_view name);
  int listener() const { return listener_; }

  // Serves the tree whose first process is `command`, a child of this one.
  void Start(pid_t command);
  // Serves a tree whose first process has had the FakeKernel to itself. `state`
  // is its only thread, which has the baton. No thread has the state any more.
  void StartWith(pid_t pid, FakeProcess& process, SyscallStack& stack,
                 fake::ParticipantState& state);
  // Waits until all processes of the tree have ended.
  void AwaitEnd();

  // Ends the processes that are left with SIGKILL.
  void KillAll();

 private:
  friend class Proxy;

  void KillEach() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Called when the kernel is about to abort this process: a stall. The others
  // would wait for it.
  void OnHang() ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // Serves the tree of `process`.
  void StartTree(ServedProcess& process, pid_t pid,
                 fake::ParticipantState* state) ABSL_LOCKS_EXCLUDED(mutex_);
  // Adds a process. A child gets its parent's descriptors as they are now.
  ServedProcess& AddProcess(ServedProcess* parent) ABSL_LOCKS_EXCLUDED(mutex_);
  // Adds a proxy and starts its thread. It takes part as `state`; if that is
  // null, as a new participant, unless it is an outsider. Its connection can
  // come later.
  Proxy& AddProxy(ServedProcess& process, fake::ParticipantState* state,
                  bool is_outsider, Arrival arrival)
      ABSL_LOCKS_EXCLUDED(mutex_);
  Proxy* FindProxy(int number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  ServedProcess* FindProcess(pid_t pid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The process has this ID from now on. Waits for its end in a new thread.
  void SetPid(ServedProcess& process, pid_t pid) ABSL_LOCKS_EXCLUDED(mutex_);
  void AwaitDeath(ServedProcess& process) ABSL_LOCKS_EXCLUDED(mutex_);
  // Lets the proxies of a process return from their calls and look at its
  // state, except `self`.
  void InterruptProxies(ServedProcess& process, const Proxy* self)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Receives the SignalReports of a process.
  void ServeSignals(ServedProcess& process, MessageChannel& channel)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until the parent of a dead process has got its SIGCHLD, if it has a
  // handler for that.
  void AwaitChildSignal(const ServedProcess& process)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // If the process is dead, closes its descriptors and tells its parent, once.
  void EndIfDead(ServedProcess& process) ABSL_LOCKS_EXCLUDED(mutex_);

  void AcceptConnections();
  void Receive(Arrival arrival, const Hello& hello, pid_t pid)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Returns the process with this ID, which may be new: a child that was
  // announced without an ID, or one that was not announced.
  ServedProcess& ProcessOf(pid_t pid) ABSL_LOCKS_EXCLUDED(mutex_);

  const Options options_;
  int listener_ = -1;
  FakeKernel& kernel_;
  TraceFile& trace_;
  TransitStore& transit_;
  RemoteDescriptors natives_;

  absl::Mutex mutex_;  // May be held when the kernel's mutex is taken.
  std::list<ServedProcess> processes_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Proxy>> proxies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_SERVER_H_
