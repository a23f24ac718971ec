// Time-outs and kinds of locks: participants wait in virtual time, and every
// function returns what pthread's returns.

#include <pthread.h>
#include <semaphore.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <future>
#include <limits>
#include <mutex>
#include <optional>
#include <semaphore>
#include <shared_mutex>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

// ThreadSanitizer reports a wrong unlock.
#if defined(__SANITIZE_THREAD__)
constexpr bool kUnderThreadSanitizer = true;
#elif defined(__has_feature)
constexpr bool kUnderThreadSanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool kUnderThreadSanitizer = false;
#endif

using std::chrono::hours;
using std::chrono::steady_clock;
using std::chrono::system_clock;

// The calling thread is a participant.
class ThreadHooksTimeTest : public testing::Test {
 protected:
  // The time in an hour, for functions with an absolute time.
  static timespec InAnHour(clockid_t clock) {
    timespec time = {};
    clock_gettime(clock, &time);
    time.tv_sec += 3600;
    return time;
  }

  // Runs `body` in another participant, until it ends.
  void RunBeside(const std::function<void()>& body) {
    FakeKernel::Thread thread(kernel_, "beside", body);
  }

  void ExpectAnHourHasPassed() {
    EXPECT_EQ(kernel_.Now(), absl::Hours(1));
    EXPECT_EQ(kernel_.Deadlock(), std::nullopt);
    EXPECT_EQ(kernel_.NotReplayable(), "");
  }

  FakeKernel kernel_;
  FakeKernel::Participant self_{kernel_, "main"};
};

TEST_F(ThreadHooksTimeTest, ClocksShowVirtualTime) {
  FakeProcess& process = kernel_.NewProcess();
  const steady_clock::time_point start = steady_clock::now();
  std::this_thread::sleep_for(hours(1));
  EXPECT_EQ(steady_clock::now() - start, hours(1));
  for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
    timespec time = {};
    timespec of_process = {};
    EXPECT_EQ(clock_gettime(clock, &time), 0);
    EXPECT_THAT(process.ClockGetTime(clock, &of_process), IsOk());
    EXPECT_EQ(time.tv_sec, of_process.tv_sec);
    EXPECT_EQ(time.tv_nsec, of_process.tv_nsec);
  }
  const time_t seconds = absl::ToTimeT(absl::Now());
  EXPECT_EQ(system_clock::to_time_t(system_clock::now()), seconds);
  EXPECT_EQ(time(nullptr), seconds);
  timeval of_day = {};
  EXPECT_EQ(gettimeofday(&of_day, nullptr), 0);
  EXPECT_EQ(of_day.tv_sec, seconds);
  timespec of_c = {};
  EXPECT_EQ(timespec_get(&of_c, TIME_UTC), TIME_UTC);
  EXPECT_EQ(of_c.tv_sec, seconds);
  ExpectAnHourHasPassed();
}

TEST_F(ThreadHooksTimeTest, SleepsTakeVirtualTime) {
  EXPECT_EQ(sleep(1000), 0U);
  EXPECT_EQ(usleep(600'000'000), 0);
  const timespec duration = {.tv_sec = 1000, .tv_nsec = 0};
  EXPECT_EQ(nanosleep(&duration, nullptr), 0);
  EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &duration, nullptr), 0);
  EXPECT_EQ(kernel_.Now(), absl::Hours(1));
  const timespec end = InAnHour(CLOCK_REALTIME);
  EXPECT_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, nullptr), 0);
  EXPECT_EQ(kernel_.Now(), absl::Hours(2));
  const timespec bad = {.tv_sec = 0, .tv_nsec = 1'000'000'000};
  EXPECT_EQ(nanosleep(&bad, nullptr), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(ThreadHooksTimeTest, AnInterruptedSleepReportsTheRest) {
  timespec left = {};
  FakeKernel::Thread thread(kernel_, "sleeper", [&] {
    const timespec duration = {.tv_sec = 3600, .tv_nsec = 0};
    EXPECT_EQ(nanosleep(&duration, &left), -1);
    EXPECT_EQ(errno, EINTR);
  });
  ASSERT_TRUE(thread.AwaitBlocked());
  kernel_.Advance(absl::Seconds(600));
  EXPECT_TRUE(thread.Interrupt());
  thread.Join();
  EXPECT_EQ(left.tv_sec, 3000);
}

TEST_F(ThreadHooksTimeTest, ConditionVariable) {
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_lock<std::mutex> lock(mutex);
  EXPECT_FALSE(changed.wait_for(lock, hours(1), [] { return false; }));
  EXPECT_TRUE(lock.owns_lock());
  ExpectAnHourHasPassed();
  EXPECT_FALSE(changed.wait_until(lock, system_clock::now() + hours(1),
                                  [] { return false; }));
  EXPECT_EQ(kernel_.Now(), absl::Hours(2));
}

// The time is up, and then a notification comes before the thread can run. A
// thread that reported the time-out would swallow it.
TEST_F(ThreadHooksTimeTest, ANotificationCountsMoreThanTheTimeout) {
  std::mutex mutex;
  std::condition_variable changed;
  int error = -1;
  FakeKernel::Thread waiter(kernel_, "waiter", [&] {
    std::unique_lock<std::mutex> lock(mutex);
    pthread_cond_t* const condition = changed.native_handle();
    const timespec end = InAnHour(CLOCK_MONOTONIC);
    error = pthread_cond_clockwait(condition, mutex.native_handle(),
                                   CLOCK_MONOTONIC, &end);
  });
  ASSERT_TRUE(waiter.AwaitBlocked());
  kernel_.Advance(absl::Hours(1));
  changed.notify_one();
  waiter.Join();
  EXPECT_EQ(error, 0);
}

TEST_F(ThreadHooksTimeTest, PthreadConditionVariableOfEachClock) {
  for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
    const absl::Duration start = kernel_.Now();
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, clock);
    pthread_cond_t condition;
    pthread_cond_init(&condition, &attributes);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    const timespec end = InAnHour(clock);
    EXPECT_EQ(pthread_cond_timedwait(&condition, &mutex, &end), ETIMEDOUT);
    EXPECT_EQ(kernel_.Now() - start, absl::Hours(1));
    const timespec bad = {.tv_sec = 0, .tv_nsec = -1};
    EXPECT_EQ(pthread_cond_timedwait(&condition, &mutex, &bad), EINVAL);
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&condition);
    pthread_condattr_destroy(&attributes);
  }
}

TEST_F(ThreadHooksTimeTest, TimedMutex) {
  std::timed_mutex mutex;
  mutex.lock();
  RunBeside([&] {
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_lock_for(hours(1)));
  });
  ExpectAnHourHasPassed();
  mutex.unlock();
}

TEST_F(ThreadHooksTimeTest, PthreadMutex) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  RunBeside([&] {
    const timespec end = InAnHour(CLOCK_REALTIME);
    EXPECT_EQ(pthread_mutex_timedlock(&mutex, &end), ETIMEDOUT);
    EXPECT_EQ(pthread_mutex_timedlock(&mutex, &end), ETIMEDOUT) << "at once";
    const timespec bad = {.tv_sec = 0, .tv_nsec = -1};
    EXPECT_EQ(pthread_mutex_timedlock(&mutex, &bad), EINVAL);
    EXPECT_EQ(pthread_mutex_clocklock(&mutex, CLOCK_BOOTTIME, &end), EINVAL);
  });
  ExpectAnHourHasPassed();
  pthread_mutex_unlock(&mutex);
}

TEST_F(ThreadHooksTimeTest, SharedMutex) {
  std::shared_timed_mutex mutex;
  mutex.lock();
  RunBeside([&] {
    EXPECT_FALSE(mutex.try_lock_shared_for(std::chrono::minutes(30)));
    EXPECT_FALSE(mutex.try_lock_for(std::chrono::minutes(30)));
  });
  ExpectAnHourHasPassed();
  mutex.unlock();
}

TEST_F(ThreadHooksTimeTest, PthreadSemaphore) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  EXPECT_EQ(sem_trywait(&semaphore), -1);
  EXPECT_EQ(errno, EAGAIN);
  const timespec end = InAnHour(CLOCK_REALTIME);
  EXPECT_EQ(sem_timedwait(&semaphore, &end), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  ExpectAnHourHasPassed();
  sem_destroy(&semaphore);
}

TEST_F(ThreadHooksTimeTest, EachClockBeginsAtItsTime) {
  kernel_.Advance(absl::Hours(1));
  const auto seconds = [](clockid_t clock) {
    timespec time = {};
    EXPECT_EQ(clock_gettime(clock, &time), 0);
    return time.tv_sec;
  };
  for (const clockid_t clock :
       {CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM, CLOCK_TAI}) {
    EXPECT_EQ(seconds(clock), seconds(CLOCK_REALTIME)) << clock;
  }
  for (const clockid_t clock :
       {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW,
        CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM}) {
    EXPECT_EQ(seconds(clock), 3600) << clock;
  }
  // Processor time is real.
  for (const clockid_t clock :
       {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID}) {
    EXPECT_LT(seconds(clock), 3600) << clock;
  }
}

// glibc: a time before 1970 has passed; a year beyond 2^33 does not come.
TEST_F(ThreadHooksTimeTest, TimesThatAreFarAway) {
  kernel_.Advance(absl::Hours(1));
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  const timespec past = {.tv_sec = -1, .tv_nsec = 0};
  EXPECT_EQ(sem_timedwait(&semaphore, &past), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  const timespec never = {.tv_sec = std::numeric_limits<time_t>::max() / 2,
                          .tv_nsec = 0};
  FakeKernel::Thread waiter(kernel_, "waiter", [&] {
    EXPECT_EQ(sem_timedwait(&semaphore, &never), 0);
  });
  EXPECT_TRUE(waiter.AwaitBlocked());
  kernel_.Advance(absl::Hours(1));
  sem_post(&semaphore);
  waiter.Join();
  EXPECT_EQ(kernel_.Now(), absl::Hours(2));
  sem_destroy(&semaphore);
}

TEST_F(ThreadHooksTimeTest, ASignalEndsNoWaitForACondition) {
  std::mutex mutex;
  std::condition_variable changed;
  FakeKernel::Thread waiter(kernel_, "waiter", [&] {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock);
  });
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_TRUE(waiter.Interrupt());
  EXPECT_TRUE(waiter.AwaitBlocked());
  changed.notify_one();
  waiter.Join();
}

TEST_F(ThreadHooksTimeTest, ASignalInterruptsASemaphoreButNoMutex) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  std::mutex mutex;
  mutex.lock();
  bool locked = false;
  FakeKernel::Thread waiter(kernel_, "waiter", [&] {
    EXPECT_EQ(sem_wait(&semaphore), -1);
    EXPECT_EQ(errno, EINTR);
    const std::lock_guard<std::mutex> lock(mutex);
    locked = true;
  });
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_TRUE(waiter.Interrupt(/*restart=*/true));
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_TRUE(waiter.Interrupt());
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_TRUE(waiter.Interrupt());
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_FALSE(locked);
  mutex.unlock();
  waiter.Join();
  EXPECT_TRUE(locked);
  sem_destroy(&semaphore);
}

TEST_F(ThreadHooksTimeTest, Semaphore) {
  std::binary_semaphore semaphore(0);
  EXPECT_FALSE(semaphore.try_acquire_for(hours(1)));
  EXPECT_GE(kernel_.Now(), absl::Hours(1));
  EXPECT_LT(kernel_.Now(), absl::Hours(1) + absl::Milliseconds(1));
}

TEST_F(ThreadHooksTimeTest, Future) {
  std::promise<int> promise;
  EXPECT_TRUE(promise.get_future().wait_for(hours(1)) ==
              std::future_status::timeout);
  ExpectAnHourHasPassed();
}

TEST_F(ThreadHooksTimeTest, JoinOfAParticipant) {
  std::promise<void> takes_part;
  std::thread thread([&] {
    const FakeKernel::Participant self(kernel_, "joined");
    takes_part.set_value();
    std::this_thread::sleep_for(hours(2));
  });
  kernel_.Outside([&] { takes_part.get_future().wait(); });
  const pthread_t handle = thread.native_handle();
  EXPECT_EQ(pthread_tryjoin_np(handle, nullptr), EBUSY);
  const timespec end = InAnHour(CLOCK_REALTIME);
  EXPECT_EQ(pthread_timedjoin_np(handle, nullptr, &end), ETIMEDOUT);
  EXPECT_EQ(kernel_.Now(), absl::Hours(1));
  thread.join();
  EXPECT_EQ(kernel_.Now(), absl::Hours(2));
}

TEST_F(ThreadHooksTimeTest, JoinOfItself) {
  EXPECT_EQ(pthread_join(pthread_self(), nullptr), EDEADLK);
  EXPECT_EQ(kernel_.Deadlock(), std::nullopt);
}

TEST_F(ThreadHooksTimeTest, ARecursiveMutexIsLockedAgain) {
  std::recursive_mutex mutex;
  mutex.lock();
  EXPECT_TRUE(mutex.try_lock());
  RunBeside([&] { EXPECT_FALSE(mutex.try_lock()); });
  mutex.unlock();
  RunBeside([&] { EXPECT_FALSE(mutex.try_lock()); });
  mutex.unlock();
  RunBeside([&] {
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  });
}

TEST_F(ThreadHooksTimeTest, AnErrorCheckingMutexReportsErrors) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  if (!kUnderThreadSanitizer) {
    EXPECT_EQ(pthread_mutex_unlock(&mutex), EPERM);
  }
  EXPECT_EQ(pthread_mutex_lock(&mutex), 0);
  EXPECT_EQ(pthread_mutex_lock(&mutex), EDEADLK);
  const timespec end = InAnHour(CLOCK_REALTIME);
  EXPECT_EQ(pthread_mutex_timedlock(&mutex, &end), EDEADLK);
  EXPECT_EQ(pthread_mutex_trylock(&mutex), EBUSY);
  if (!kUnderThreadSanitizer) {
    RunBeside([&] { EXPECT_EQ(pthread_mutex_unlock(&mutex), EPERM); });
  }
  EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
  EXPECT_EQ(kernel_.Deadlock(), std::nullopt);
  pthread_mutex_destroy(&mutex);
  pthread_mutexattr_destroy(&attributes);
}

TEST_F(ThreadHooksTimeTest, AWriterThatLocksAgainGetsAnError) {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  EXPECT_EQ(pthread_rwlock_wrlock(&lock), 0);
  EXPECT_EQ(pthread_rwlock_wrlock(&lock), EDEADLK);
  EXPECT_EQ(pthread_rwlock_rdlock(&lock), EDEADLK);
  EXPECT_EQ(pthread_rwlock_tryrdlock(&lock), EBUSY);
  EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
  EXPECT_EQ(kernel_.Deadlock(), std::nullopt);
}

}  // namespace
}  // namespace net
