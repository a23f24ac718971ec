#ifndef FAKES_KERNEL_KERNEL_H_
#define FAKES_KERNEL_KERNEL_H_

#include <cstdint>
#include <list>
#include <string>

#include "absl/base/thread_annotations.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/tcp/byte_queue.h"
#include "fakes/kernel/tcp/listeners.h"
#include "fakes/schedule/schedule.h"
#include "syscalls/mutex.h"

namespace net::fake {

class TcpSocket;
class TimeWait;

// The state that all processes of a FakeKernel share. One mutex guards it and
// everything that it refers to. Each system call holds the mutex: calls take
// nanoseconds, and executing one at a time makes them deterministic.
struct Kernel {
  Kernel(const FakeSysctls& sysctls, uint64_t seed,
         const ScheduleOptions& schedule);
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel();

  // Frees the closed sockets without references. Called at the end of a system
  // call, because code that is still running may use them until then.
  void FreeDead();

  // Returns a list of the sockets in the format of ss(8).
  std::string Dump() const;

  Mutex mutex;
  Clock clock;
  Scheduler scheduler;
  Machine machine;
  PortTable ports;
  ListenerTable listeners;
  ConnectionTable connections;
  ChunkPool chunks;
  int64_t open_files = 0;
  uint64_t last_cookie = 0;
  const uint64_t seed;

  TcpSocket* first_socket = nullptr;    // List of all sockets.
  TimeWait* first_time_wait = nullptr;  // List of all TIME-WAIT entries.
  TcpSocket* first_dead = nullptr;      // List of sockets to be freed.
};

// Holds the kernel's mutex in a KernelSection.
class ABSL_SCOPED_LOCKABLE KernelLock {
 public:
  explicit KernelLock(Kernel& kernel) ABSL_EXCLUSIVE_LOCK_FUNCTION(kernel.mutex)
      : lock_(kernel.mutex) {}
  KernelLock(const KernelLock&) = delete;
  KernelLock& operator=(const KernelLock&) = delete;
  ~KernelLock() ABSL_UNLOCK_FUNCTION() = default;

 private:
  const KernelSection section_;
  const MutexLock lock_;
};

// Holds the kernel's mutex during a system call. Waits before the call until
// the calling participant may run.
class SystemCall {
 public:
  explicit SystemCall(Kernel& kernel) : kernel_(kernel), lock_(kernel) {
    kernel.scheduler.Enter();
  }
  SystemCall(const SystemCall&) = delete;
  SystemCall& operator=(const SystemCall&) = delete;
  ~SystemCall() {
    if (kernel_.first_dead != nullptr) kernel_.FreeDead();
  }

 private:
  Kernel& kernel_;
  const KernelLock lock_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_KERNEL_H_
