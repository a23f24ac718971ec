#include "conformance/driver_host/operations.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <vector>

#include "syscalls/mutex.h"

namespace net::conformance {

bool Operations::TryBegin(const Operation& operation,
                          std::chrono::microseconds timeout) {
  const pid_t thread = gettid();
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const MutexLock lock(mutex_);
  if (!limit_.has_value()) {
    by_thread_[thread] = operation;
    return true;
  }
  if (std::find(queue_.begin(), queue_.end(), thread) == queue_.end()) {
    queue_.push_back(thread);
  }
  while (!IsTurnOf(thread)) {
    if (changed_.wait_until(mutex_, deadline) == std::cv_status::timeout) break;
  }
  if (!IsTurnOf(thread)) return false;
  queue_.pop_front();
  by_thread_[thread] = operation;
  changed_.notify_all();
  return true;
}

void Operations::End() {
  const MutexLock lock(mutex_);
  by_thread_.erase(gettid());
  changed_.notify_all();
}

bool Operations::IsTurnOf(pid_t thread) const {
  return queue_.front() == thread && by_thread_.size() < *limit_;
}

std::vector<Operation> Operations::All() const {
  const MutexLock lock(mutex_);
  std::vector<Operation> all;
  for (const auto& [thread, operation] : by_thread_) all.push_back(operation);
  return all;
}

std::optional<Operation> Operations::Of(pid_t thread) const {
  const MutexLock lock(mutex_);
  const auto found = by_thread_.find(thread);
  if (found == by_thread_.end()) return std::nullopt;
  return found->second;
}

}  // namespace net::conformance
