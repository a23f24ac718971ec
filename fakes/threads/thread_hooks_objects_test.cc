// The results of single objects, beyond the order of a run.

#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <mutex>
#include <optional>

#include "fakes/fake_kernel.h"
#include "fakes/kernel/race_detector.h"
#include "fakes/schedule/schedule.h"
#include "gtest/gtest.h"

namespace net {
namespace {

TEST(ThreadHooksObjects, ABarrierHoldsInEachRound) {
  FakeKernel kernel({.schedule = {.at_each_call = true}});
  const FakeKernel::Participant self(kernel, "main");
  pthread_barrier_t barrier;
  ASSERT_EQ(pthread_barrier_init(&barrier, nullptr, 2), 0);
  std::atomic<int> arrived = 0;
  const auto run = [&] {
    for (int round = 1; round <= 3; ++round) {
      ++arrived;
      pthread_barrier_wait(&barrier);
      EXPECT_GE(arrived, 2 * round) << "round " << round;
    }
  };
  FakeKernel::Thread other(kernel, "other", run);
  run();
  other.Join();
  EXPECT_EQ(pthread_barrier_destroy(&barrier), 0);
}

// Both readers are in the lock at the same time.
TEST(ThreadHooksObjects, AWriterThatUnlocksWakesAllReaders) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  pthread_barrier_t barrier;
  ASSERT_EQ(pthread_barrier_init(&barrier, nullptr, 2), 0);
  ASSERT_EQ(pthread_rwlock_wrlock(&lock), 0);
  const auto read = [&] {
    EXPECT_EQ(pthread_rwlock_rdlock(&lock), 0);
    pthread_barrier_wait(&barrier);
    EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
  };
  FakeKernel::Thread one(kernel, "one", read);
  FakeKernel::Thread two(kernel, "two", read);
  ASSERT_TRUE(one.AwaitBlocked());
  ASSERT_TRUE(two.AwaitBlocked());
  EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
  one.Join();
  two.Join();
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
  EXPECT_EQ(pthread_barrier_destroy(&barrier), 0);
}

// An error-checking mutex that the caller has not locked.
TEST(ThreadHooksObjects, AWaitForAConditionReportsThatTheMutexIsNotLocked) {
#ifdef NET_FAKE_THREAD_SANITIZER
  GTEST_SKIP() << "ThreadSanitizer reports the same mistake";
#endif
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  pthread_mutexattr_t attributes;
  ASSERT_EQ(pthread_mutexattr_init(&attributes), 0);
  ASSERT_EQ(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK),
            0);
  pthread_mutex_t mutex;
  ASSERT_EQ(pthread_mutex_init(&mutex, &attributes), 0);
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  EXPECT_EQ(pthread_cond_wait(&condition, &mutex), EPERM);
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
  EXPECT_EQ(pthread_mutex_destroy(&mutex), 0);
  EXPECT_EQ(pthread_mutexattr_destroy(&attributes), 0);
}

TEST(ThreadHooksObjects, AWaitWhoseTimeHasComeDoesNotHandTheBatonOn) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  sem_t semaphore;
  ASSERT_EQ(sem_init(&semaphore, /*pshared=*/0, 0), 0);
  FakeKernel::Thread other(kernel, "other", [&] { sem_post(&semaphore); });
  const timespec now = {};
  EXPECT_EQ(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &now), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  other.Join();
  EXPECT_EQ(sem_destroy(&semaphore), 0);
}

// Locks a mutex, whose function is replaced, too, and changes errno.
class CarelessSchedule final : public SchedulePolicy {
 public:
  size_t Choose(const ScheduleChoice& choice) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    errno = ENOTTY;
    ++choices_;
    return choice.runnable.size() - 1;
  }
  int choices() const { return choices_; }

 private:
  std::mutex mutex_;
  int choices_ = 0;
};

TEST(ThreadHooksObjects, ASchedulePolicyMayLockAndChangeErrno) {
  CarelessSchedule policy;
  FakeKernel kernel({.schedule = {.policy = &policy}});
  const FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  const auto run = [&] {
    for (int i = 0; i < 200; ++i) {
      errno = 0;
      const std::lock_guard<std::mutex> lock(mutex);
      EXPECT_EQ(errno, 0);
    }
  };
  FakeKernel::Thread one(kernel, "one", run);
  FakeKernel::Thread two(kernel, "two", run);
  run();
  one.Join();
  two.Join();
  EXPECT_GT(policy.choices(), 3);
}

}  // namespace
}  // namespace net
