#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_THREAD_STATUS_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_THREAD_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>

namespace net::conformance {

// What /proc says of a thread (proc(5), /proc/pid/task/tid/status).
struct ThreadStatus {
  std::string name;
  bool sleeps = false;       // in a system call, until something happens
  uint64_t times_slept = 0;  // how often it has gone to sleep so far
  uint64_t pending = 0;      // signals to it that it has not taken, a bit each
  uint64_t blocked = 0;      // signals that it does not take
  uint64_t caught = 0;       // signals for which the process has a handler
};

// `path` is the file's. Nullopt if the thread is gone.
std::optional<ThreadStatus> ReadThreadStatus(const std::string& path);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_THREAD_STATUS_H_
