#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_THREAD_STATUS_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_THREAD_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>

namespace net::conformance {

// The state of a thread, from /proc/pid/task/tid/status (proc(5)).
struct ThreadStatus {
  std::string name;
  bool sleeps = false;       // in interruptible sleep, state S
  uint64_t times_slept = 0;  // its voluntary context switches
  uint64_t pending = 0;      // signals pending for it, a bit each
  uint64_t blocked = 0;      // signals that it blocks
  uint64_t caught = 0;       // signals for which the process has a handler
};

// Reads the file `path`. Returns nullopt if the thread has ended.
std::optional<ThreadStatus> ReadThreadStatus(const std::string& path);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_THREAD_STATUS_H_
