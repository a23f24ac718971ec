#ifndef FAKES_KERNEL_KERNEL_MUTEX_H_
#define FAKES_KERNEL_KERNEL_MUTEX_H_

#include <sys/single_threaded.h>

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "fakes/kernel/gate.h"

namespace net::fake {

// The kernel's mutex. It counts the sections that may change anything. While
// the count is the same, a predicate of the state need not be evaluated again.
// Every system call pays for it, so it is cheap without contention: one atomic
// instruction to lock and one to unlock, and none in a process with one thread.
// It is not a mutex of pthread, because those are modelled
// (//fakes:thread_hooks).
//
// Like the second mutex of Ulrich Drepper, Futexes Are Tricky (2011).
class ABSL_LOCKABLE KernelMutex {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    LockQuietly();
    Disturb();
  }
  // Locks for a section that calls Disturb() before it changes anything on
  // which TcpSocket::MayPassOn() depends.
  void LockQuietly() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    uint32_t state = kFree;
    // No other thread can lock it meanwhile: see __libc_single_threaded(3).
    if (__libc_single_threaded != 0 &&
        state_.load(std::memory_order_relaxed) == kFree) {
      state_.store(kHeld, std::memory_order_relaxed);
      return;
    }
    if (!state_.compare_exchange_strong(state, kHeld,
                                        std::memory_order_acquire)) {
      LockContended();
    }
  }
  // Require that the mutex is locked.
  void Disturb() { ++disturbances_; }
  uint64_t disturbances() const { return disturbances_; }

  void unlock() ABSL_UNLOCK_FUNCTION() {
    if (__libc_single_threaded != 0) {
      state_.store(kFree, std::memory_order_relaxed);
      return;
    }
    if (state_.exchange(kFree, std::memory_order_release) == kContended) {
      internal_gate::FutexWake(state_, 1);
    }
  }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kContended = 2;  // Held, and somebody may wait.

  [[gnu::noinline]] void LockContended() {
    while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
      internal_gate::FutexWait(state_, kContended, kNoTimeout);
    }
  }

  std::atomic<uint32_t> state_{kFree};
  uint64_t disturbances_ = 1;
};

// Holds a KernelMutex from construction to destruction.
class ABSL_SCOPED_LOCKABLE KernelMutexLock {
 public:
  explicit KernelMutexLock(KernelMutex& mutex)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(mutex) {
    mutex_.lock();
  }
  KernelMutexLock(const KernelMutexLock&) = delete;
  KernelMutexLock& operator=(const KernelMutexLock&) = delete;
  ~KernelMutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  KernelMutex& mutex_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_KERNEL_MUTEX_H_
