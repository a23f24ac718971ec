#ifndef FAKES_KERNEL_KERNEL_H_
#define FAKES_KERNEL_KERNEL_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "fakes/kernel/call_log.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/kernel_observer.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/strict_options.h"
#include "fakes/kernel/tcp/byte_queue.h"
#include "fakes/kernel/tcp/host.h"
#include "fakes/kernel/tcp/network.h"
#include "fakes/kernel/tcp/socket_pool.h"
#include "syscalls/sys_result.h"

namespace net::fake {

class TcpSocket;
class TimeWait;

// The state that all processes of a FakeKernel share. One mutex guards it and
// everything that it refers to. Each system call holds the mutex: calls take
// nanoseconds, and executing one at a time makes them deterministic.
struct Kernel {
  Kernel(const FakeSysctls& sysctls, const SchedulerOptions& scheduling);
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel();

  // Frees the closed sockets without references. Called at the end of a system
  // call, because code that is still running may use them until then.
  void FreeDead();

  // Closes all connections of `host` without sending a segment.
  void ForgetConnections(const Host& host) const;

  // The machine that exists from the start.
  Host& first_host() { return hosts.front(); }

  // Returns a list of the sockets in the format of ss(8).
  std::string Dump() const;

  KernelMutex mutex;
  Clock clock;
  Scheduler scheduler;
  std::deque<Host> hosts;  // At least one.
  ChunkPool chunks;
  SocketPool sockets;
  Network network;
  StrictOptions strict_options;
  std::unique_ptr<KernelObserver> observer;  // Null: none.
  int64_t open_files = 0;
  int64_t set_timer_files = 0;  // Timerfds that have a timer of the clock.
  uint64_t last_cookie = 0;
  uint64_t last_connection = 0;  // Segment::connection
  const uint64_t seed;

  TcpSocket* first_socket = nullptr;    // List of all sockets.
  TimeWait* first_time_wait = nullptr;  // List of all TIME-WAIT entries.
  TcpSocket* first_dead = nullptr;      // List of sockets to be freed.
};

// Holds the kernel's mutex in a KernelSection. The destructor delivers the
// segments that were sent meanwhile, frees dead sockets and, in a debug build,
// checks the invariants.
class ABSL_SCOPED_LOCKABLE KernelLock {
 public:
  // `disturbs`: see KernelMutex::LockQuietly().
  explicit KernelLock(Kernel& kernel, bool disturbs = true)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(kernel.mutex)
      : kernel_(kernel) {
    disturbs ? kernel.mutex.lock() : kernel.mutex.LockQuietly();
    if constexpr (kChecksInvariants) {
      if (kernel.observer != nullptr) kernel.observer->OnCall();
    }
  }
  KernelLock(const KernelLock&) = delete;
  KernelLock& operator=(const KernelLock&) = delete;
  ~KernelLock() ABSL_UNLOCK_FUNCTION() {
    kernel_.network.Deliver();
    if (kernel_.first_dead != nullptr) kernel_.FreeDead();
    if constexpr (kChecksInvariants) {
      if (kernel_.observer != nullptr) kernel_.observer->OnReturn();
    }
    kernel_.mutex.unlock();
  }

  Kernel& kernel() const { return kernel_; }

 private:
  const KernelSection section_;
  Kernel& kernel_;
};

// A system call. Holds the kernel's mutex. The constructor waits until the
// calling participant may run.
class SystemCall {
 public:
  // `process` is the name of the process; the string must outlive the kernel's
  // calls. `name` is the name of the call, a literal. `fd` is -1 if the call
  // has no descriptor. `disturbs`: see KernelMutex::LockQuietly().
  SystemCall(Kernel& kernel, const std::string* process, const char* name,
             int fd, bool disturbs)
      : lock_(kernel, disturbs),
        logged_(kernel.scheduler.Enter(process, name, fd)) {}
  SystemCall(const SystemCall&) = delete;
  SystemCall& operator=(const SystemCall&) = delete;
  ~SystemCall() = default;

  // Returns whether the call must fail with EDEADLK, because there was a
  // livelock.
  bool refused() const { return scheduler().refuses_calls(); }

  // Notes the call's result, and returns it.
  SysResult Return(SysResult result) {
    CallLog::End(logged_, result);
    return result;
  }

 private:
  Scheduler& scheduler() const { return lock_.kernel().scheduler; }

  const KernelLock lock_;
  const CallLog::Place logged_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_KERNEL_H_
