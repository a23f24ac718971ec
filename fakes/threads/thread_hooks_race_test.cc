// ThreadSanitizer and participants with modelled locks: it reports a data race
// although the participants never run at the same time, and reports nothing for
// memory that a lock guards.

#include <pthread.h>

#include <barrier>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>

#include "fakes/fake_kernel.h"
#include "gtest/gtest.h"

#if defined(__SANITIZE_THREAD__)
#define NET_UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NET_UNDER_THREAD_SANITIZER 1
#endif
#endif

namespace {

int reports = 0;

#ifdef NET_UNDER_THREAD_SANITIZER
constexpr int kReportsOfARace = 1;
#else
constexpr int kReportsOfARace = 0;
#endif

}  // namespace

// ThreadSanitizer calls these.
extern "C" {
// NOLINTNEXTLINE(bugprone-reserved-identifier)
void __tsan_on_report(void* /*report*/) { ++reports; }
// The planted race is not this program's failure.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
const char* __tsan_default_options() { return "exitcode=0"; }
}

namespace net {
namespace {

// Runs `body` in two participants and returns how many races were reported.
int ReportsOf(const std::function<void(int number)>& body) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel);
  const int before = reports;
  {
    FakeKernel::Thread one(kernel, "one", [&] { body(0); });
    FakeKernel::Thread two(kernel, "two", [&] { body(1); });
  }
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
  return reports - before;
}

TEST(ThreadHooksRace, OfMemoryThatNothingGuardsIsReported) {
  int counter = 0;
  EXPECT_EQ(ReportsOf([&](int) {
              ++counter;
              std::this_thread::yield();
            }),
            kReportsOfARace);
  EXPECT_EQ(counter, 2);
}

TEST(ThreadHooksRace, IsNoneUnderAMutex) {
  std::mutex mutex;
  int counter = 0;
  EXPECT_EQ(ReportsOf([&](int) {
              for (int i = 0; i < 10; ++i) {
                const std::lock_guard<std::mutex> lock(mutex);
                ++counter;
                std::this_thread::yield();
              }
            }),
            0);
  EXPECT_EQ(counter, 20);
}

TEST(ThreadHooksRace, IsNoneUnderATimedMutex) {
  std::timed_mutex mutex;
  int counter = 0;
  EXPECT_EQ(ReportsOf([&](int) {
              for (int i = 0; i < 10; ++i) {
                const std::unique_lock<std::timed_mutex> lock(
                    mutex, std::chrono::hours(1));
                ++counter;
                std::this_thread::yield();
              }
            }),
            0);
  EXPECT_EQ(counter, 20);
}

TEST(ThreadHooksRace, IsNoneUnderASharedMutex) {
  std::shared_mutex mutex;
  int counter = 0;
  EXPECT_EQ(ReportsOf([&](int) {
              for (int i = 0; i < 10; ++i) {
                {
                  const std::shared_lock<std::shared_mutex> lock(mutex);
                  std::this_thread::yield();
                  EXPECT_GE(counter, i);
                }
                const std::lock_guard<std::shared_mutex> lock(mutex);
                ++counter;
                std::this_thread::yield();
              }
            }),
            0);
  EXPECT_EQ(counter, 20);
}

TEST(ThreadHooksRace, IsNoneAfterAConditionVariable) {
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  int value = 0;
  EXPECT_EQ(ReportsOf([&](int number) {
              if (number == 0) {
                value = 7;
                const std::lock_guard<std::mutex> lock(mutex);
                ready = true;
                changed.notify_one();
              } else {
                std::unique_lock<std::mutex> lock(mutex);
                changed.wait(lock, [&] { return ready; });
                lock.unlock();
                EXPECT_EQ(value, 7);
              }
            }),
            0);
}

TEST(ThreadHooksRace, IsNoneAfterABarrier) {
  pthread_barrier_t barrier;
  ASSERT_EQ(pthread_barrier_init(&barrier, nullptr, 2), 0);
  int values[2] = {};
  EXPECT_EQ(ReportsOf([&](int number) {
              values[number] = number + 1;
              pthread_barrier_wait(&barrier);
              EXPECT_EQ(values[0] + values[1], 3);
            }),
            0);
  EXPECT_EQ(pthread_barrier_destroy(&barrier), 0);
}

TEST(ThreadHooksRace, IsNoneAfterASemaphore) {
  std::binary_semaphore semaphore(0);
  int value = 0;
  EXPECT_EQ(ReportsOf([&](int number) {
              if (number == 0) {
                value = 7;
                semaphore.release();
              } else {
                semaphore.acquire();
                EXPECT_EQ(value, 7);
              }
            }),
            0);
}

TEST(ThreadHooksRace, IsNoneUnderAOnce) {
  std::once_flag flag;
  int value = 0;
  EXPECT_EQ(ReportsOf([&](int) {
              std::call_once(flag, [&] {
                std::this_thread::sleep_for(std::chrono::seconds(1));
                value = 7;
              });
              EXPECT_EQ(value, 7);
            }),
            0);
}

}  // namespace
}  // namespace net
