#ifndef FAKES_KERNEL_GATE_H_
#define FAKES_KERNEL_GATE_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>

namespace net::fake {

// Places at which threads wait in real time (futex(2)). Not condition
// variables, because those of pthread are modelled (//fakes:thread_hooks).
namespace internal_gate {

inline void FutexWait(std::atomic<uint32_t>& word, uint32_t while_it_is,
                      int64_t timeout_ns) {
  const timespec timeout = {.tv_sec = timeout_ns / 1'000'000'000,
                            .tv_nsec = timeout_ns % 1'000'000'000};
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, while_it_is,
          timeout_ns < 0 ? nullptr : &timeout, nullptr, 0);
}

inline void FutexWake(std::atomic<uint32_t>& word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace internal_gate

inline constexpr int64_t kNoTimeout = -1;

// Lets one thread pass each time it was opened. Opening an open gate does
// nothing.
class Gate {
 public:
  void Open() {
    if (open_.exchange(1) == 0) internal_gate::FutexWake(open_, 1);
  }
  // Waits until the gate is open, passes and closes it. Returns false if it
  // was still closed after about `timeout_ns` nanoseconds; it may return false
  // earlier.
  bool Pass(int64_t timeout_ns) {
    if (open_.exchange(0) != 0) return true;
    internal_gate::FutexWait(open_, 0, timeout_ns);
    return open_.exchange(0) != 0;
  }

 private:
  std::atomic<uint32_t> open_{0};
};

// Counts events. Any number of threads wait for the next one.
class EventCount {
 public:
  uint32_t value() const { return value_.load(); }
  void Notify() {
    value_.fetch_add(1);
    if (waiters_.load() > 0) internal_gate::FutexWake(value_, 1 << 30);
  }
  // Waits until value() is not `seen`. Returns false if it still is after about
  // `timeout_ns` nanoseconds; it may return false earlier.
  bool Await(uint32_t seen, int64_t timeout_ns) {
    waiters_.fetch_add(1);
    internal_gate::FutexWait(value_, seen, timeout_ns);
    waiters_.fetch_sub(1);
    return value_.load() != seen;
  }

 private:
  std::atomic<uint32_t> value_{0};
  std::atomic<uint32_t> waiters_{0};
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_GATE_H_
