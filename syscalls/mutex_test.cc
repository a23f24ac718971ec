#include "syscalls/mutex.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"

namespace net {
namespace {

// An unsynchronised number behind the lock. If the lock fails, the sum is
// wrong, and ThreadSanitizer reports a race.
class Counter {
 public:
  void Add() {
    MutexLock lock(mutex_);
    ++value_;
  }
  int value() {
    MutexLock lock(mutex_);
    return value_;
  }

 private:
  Mutex mutex_;
  int value_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(MutexTest, ExcludesOtherThreads) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 20000;
  Counter counter;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&counter] {
      for (int j = 0; j < kTimes; ++j) counter.Add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), kThreads * kTimes);
}

// A ball that two threads throw to each other. Neither may have it twice in a
// row.
class Court {
 public:
  // Waits until the ball is at `side`, counts the throw and moves the ball to
  // the other side.
  void Play(int side) {
    MutexLock lock(mutex_);
    while (ball_ != side) moved_.Wait(mutex_);
    ++throws_;
    ball_ = 1 - side;
    moved_.NotifyAll();
  }
  int throws() {
    MutexLock lock(mutex_);
    return throws_;
  }

 private:
  Mutex mutex_;
  CondVar moved_;
  int ball_ ABSL_GUARDED_BY(mutex_) = 0;
  int throws_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(CondVarTest, HandsOverBetweenThreads) {
  constexpr int kTimes = 2000;
  Court court;
  std::thread other([&court] {
    for (int i = 0; i < kTimes; ++i) court.Play(1);
  });
  for (int i = 0; i < kTimes; ++i) court.Play(0);
  other.join();
  EXPECT_EQ(court.throws(), 2 * kTimes);
}

TEST(CondVarTest, WakesEveryWaiter) {
  struct {
    Mutex mutex;
    CondVar changed;
    int waiting ABSL_GUARDED_BY(mutex) = 0;
    bool open ABSL_GUARDED_BY(mutex) = false;
  } gate;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&gate] {
      MutexLock lock(gate.mutex);
      ++gate.waiting;
      gate.changed.NotifyAll();
      while (!gate.open) gate.changed.Wait(gate.mutex);
    });
  }
  {
    MutexLock lock(gate.mutex);
    while (gate.waiting < 4) gate.changed.Wait(gate.mutex);
    gate.open = true;
    gate.changed.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(MutexTest, WorksWithTheStandardsGuards) {
  Mutex mutex;
  std::condition_variable_any changed;
  bool ready = false;
  std::thread other([&] {
    const std::lock_guard<Mutex> lock(mutex);
    ready = true;
    changed.notify_all();
  });
  {
    std::unique_lock<Mutex> lock(mutex);
    changed.wait(lock, [&] { return ready; });
  }
  other.join();
  EXPECT_TRUE(ready);
}

}  // namespace
}  // namespace net
