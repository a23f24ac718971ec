#ifndef CONFORMANCE_DRIVER_HOST_OPERATIONS_H_
#define CONFORMANCE_DRIVER_HOST_OPERATIONS_H_

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "conformance/environments/linux/blocked_call.h"
#include "syscalls/mutex.h"

namespace net::conformance {

// A command that a driver was sent and has not answered.
struct Operation {
  // The operation that may block; nullopt if the command does not block.
  std::optional<SocketOperation> blocks_in = std::nullopt;
  // Of its socket, in the driver; nullopt if it is not known, as that of a
  // `connect`.
  std::optional<int> descriptor = std::nullopt;

  friend bool operator==(const Operation&, const Operation&) = default;
};

// The operations that a driver holds, by the threads of this process that wait
// for them. Thread-safe.
class Operations {
 public:
  // `limit`: how many the driver can hold, if there is a limit.
  explicit Operations(std::optional<uint64_t> limit) : limit_(limit) {}

  std::optional<uint64_t> limit() const { return limit_; }

  // Begins an operation of the calling thread. False if the driver holds as
  // many as it can, or other threads have waited for longer, for all of
  // `patience`: then the thread keeps its place in the queue, and calls again.
  bool TryBegin(const Operation& operation, std::chrono::microseconds patience);
  void End();

  std::vector<Operation> All() const;
  // The operation that a thread waits for, if any.
  std::optional<Operation> Of(pid_t thread) const;

 private:
  // True if the thread is the next, and there is a place. Requires a limit.
  bool IsTurnOf(pid_t thread) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::optional<uint64_t> limit_;
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::map<pid_t, Operation> by_thread_ ABSL_GUARDED_BY(mutex_);
  std::deque<pid_t> queue_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_OPERATIONS_H_
