#ifndef FAKES_TRAP_PROCESS_H_
#define FAKES_TRAP_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "fakes/trap/owned_fd.h"

namespace net::trap {

// Copy memory from and to the process of a thread (process_vm_readv(2)). Return
// false if a page is not mapped, if it must not be read or written, or if the
// process has ended.
bool ReadMemory(pid_t thread, uint64_t address, void* to, size_t size);
bool WriteMemory(pid_t thread, uint64_t address, const void* from, size_t size);

// Returns whether a signal is pending that `thread` does not block. Such a
// signal interrupts a call that waits in the kernel.
bool HasPendingSignal(pid_t thread);

// A process of the target.
class Process {
 public:
  Process(pid_t pid, OwnedFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid() const { return pid_; }

  // Returns a duplicate of a descriptor, or -errno: EBADF if it is not open,
  // ESRCH if the process has ended. Never change file status flags, timeouts or
  // options of the duplicate, because the target's descriptor shares them.
  int Duplicate(int fd) const;

  // Returns its open descriptors.
  std::vector<int> Descriptors() const;

 private:
  const pid_t pid_;
  const OwnedFd pidfd_;
};

// The processes of the target, by their threads. Not thread-safe.
class Processes {
 public:
  // Returns the process of a thread, or null if it has ended.
  std::shared_ptr<const Process> Of(pid_t thread);

  // Forgets a thread whose process has ended.
  void Forget(pid_t thread) { by_thread_.erase(thread); }

  // Returns all known processes.
  std::vector<std::shared_ptr<const Process>> All() const;

 private:
  std::map<pid_t, std::shared_ptr<const Process>> by_thread_;
};

}  // namespace net::trap

#endif  // FAKES_TRAP_PROCESS_H_
