#ifndef SYSCALLS_MUTEX_H_
#define SYSCALLS_MUTEX_H_

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace net {

// std::mutex with the annotations that clang's -Wthread-safety checks.
//
// Not absl::Mutex: Debian's abseil is prebuilt without ThreadSanitizer's
// instrumentation. ThreadSanitizer therefore reports accesses that absl::Mutex
// guards as races.
//
// The methods are named lock() and unlock() so that std::condition_variable_any
// and the standard guards accept a Mutex.
class ABSL_LOCKABLE Mutex {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds a Mutex from construction to destruction.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(mutex) {
    mutex_.lock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

// A condition variable for a Mutex that the caller holds. Wait() can return
// without a notification, as with std::condition_variable. Call it in a loop
// that checks the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    variable_.wait(lock);
    lock.release();  // The caller still holds it.
  }
  void NotifyAll() { variable_.notify_all(); }

 private:
  std::condition_variable variable_;
};

}  // namespace net

#endif  // SYSCALLS_MUTEX_H_
