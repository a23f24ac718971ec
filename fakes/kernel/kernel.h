#ifndef FAKES_KERNEL_KERNEL_H_
#define FAKES_KERNEL_KERNEL_H_

#include <cstdint>
#include <list>
#include <string>

#include "fakes/kernel/clock.h"
#include "fakes/kernel/deviation.h"
#include "fakes/kernel/ports/connections.h"
#include "fakes/kernel/ports/machine.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/tcp/byte_queue.h"
#include "fakes/kernel/tcp/listeners.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/mutex.h"

namespace net::fake {

class TcpSocket;
class TimeWait;

// Everything that the processes of a FakeKernel share. All of it, and all that
// hangs on it, is guarded by one mutex, which each system call holds: calls
// take nanoseconds, and one at a time is what makes them deterministic.
struct Kernel {
  Kernel(const FakeSysctls& sysctls, uint64_t seed, Deviation wrong);
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel();

  bool Deviates(Deviation one) const { return deviation == one; }

  // Frees the sockets that nobody refers to any more. Done when a call ends:
  // until then, code that is under way may still use them.
  void FreeDead();

  // The sockets, as ss(8) shows them.
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
  const Deviation deviation;

  TcpSocket* first_socket = nullptr;    // all that there are
  TimeWait* first_time_wait = nullptr;  // all that there are
  TcpSocket* first_dead = nullptr;      // to be freed
};

// Holds the kernel while a system call is carried out.
class SystemCall {
 public:
  explicit SystemCall(Kernel& kernel) : kernel_(kernel), lock_(kernel.mutex) {}
  SystemCall(const SystemCall&) = delete;
  SystemCall& operator=(const SystemCall&) = delete;
  ~SystemCall() {
    if (kernel_.first_dead != nullptr) kernel_.FreeDead();
  }

 private:
  Kernel& kernel_;
  const MutexLock lock_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_KERNEL_H_
