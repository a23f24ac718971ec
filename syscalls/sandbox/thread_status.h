#ifndef SYSCALLS_SANDBOX_THREAD_STATUS_H_
#define SYSCALLS_SANDBOX_THREAD_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>

namespace net::sandbox {

// The state of a thread (proc(5), /proc/pid/task/tid/status). In a set of
// signals, signal 1 is the lowest bit.
struct ThreadStatus {
  std::string name;
  bool sleeps = false;       // in interruptible sleep, state S
  uint64_t times_slept = 0;  // its voluntary context switches
  uint64_t pending = 0;      // signals pending for it
  uint64_t blocked = 0;      // signals that it blocks
  uint64_t caught = 0;       // signals for which the process has a handler
};

// Reads the file `path`. Returns nullopt if the thread has ended.
std::optional<ThreadStatus> ReadThreadStatus(const std::string& path);

}  // namespace net::sandbox

#endif  // SYSCALLS_SANDBOX_THREAD_STATUS_H_
