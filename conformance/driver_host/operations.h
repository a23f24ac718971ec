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
  // Its socket's descriptor in the driver; nullopt if unknown, as that of a
  // `connect`.
  std::optional<int> descriptor = std::nullopt;

  friend bool operator==(const Operation&, const Operation&) = default;
};

// The operations that a driver holds, by the thread of this process that waits
// for the answer. Thread-safe.
class Operations {
 public:
  // `limit` is the number of operations that the driver can hold, if limited.
  explicit Operations(std::optional<uint64_t> limit) : limit_(limit) {}

  std::optional<uint64_t> limit() const { return limit_; }

  // Begins an operation of the calling thread. Waits for at most `timeout`
  // while the driver holds as many operations as it can, or while other threads
  // have waited longer. Returns false after the timeout. The thread then keeps
  // its place in the queue and must call again.
  bool TryBegin(const Operation& operation, std::chrono::microseconds timeout);
  void End();

  std::vector<Operation> All() const;
  // Returns the operation that a thread waits for, if any.
  std::optional<Operation> Of(pid_t thread) const;

 private:
  // Returns true if the thread is first in the queue and there is a free place.
  // Requires a limit.
  bool IsTurnOf(pid_t thread) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::optional<uint64_t> limit_;
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::map<pid_t, Operation> by_thread_ ABSL_GUARDED_BY(mutex_);
  std::deque<pid_t> queue_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_OPERATIONS_H_
