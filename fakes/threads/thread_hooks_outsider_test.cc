// Threads that do not take part: their calls are the real ones, and
// participants meet them in real time.

#include <pthread.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/kernel/race_detector.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using ::testing::HasSubstr;

TEST(ThreadHooksOutsider, WaitsInRealTime) {
  FakeKernel kernel;
  std::mutex mutex;
  std::condition_variable changed;
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock<std::mutex> lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::milliseconds(20)) ==
              std::cv_status::timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - start,
            std::chrono::milliseconds(20));
  EXPECT_EQ(kernel.Now(), absl::ZeroDuration());
}

// Two outsiders use a lock and a condition variable while a participant waits.
TEST(ThreadHooksOutsider, OutsidersWakeEachOther) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  std::condition_variable changed;
  int turn = 0;
  const auto play = [&](int number) {
    for (int i = 0; i < 100; ++i) {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return turn % 2 == number; });
      ++turn;
      changed.notify_all();
    }
  };
  std::thread one(play, 0);
  std::thread two(play, 1);
  kernel.Outside([&] {
    one.join();
    two.join();
  });
  EXPECT_EQ(turn, 200);
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

TEST(ThreadHooksOutsider, AParticipantWaitsForItsLockInRealTime) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  std::promise<void> locked;
  std::promise<void> unlocks;
  std::thread outsider([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    locked.set_value();
    unlocks.get_future().wait();
  });
  kernel.Outside([&] { locked.get_future().wait(); });
  FakeKernel::Thread other(kernel, "other", [&] { unlocks.set_value(); });
  {
    // `other` runs meanwhile.
    const std::lock_guard<std::mutex> lock(mutex);
  }
  other.Join();
  outsider.join();
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
  EXPECT_THAT(kernel.NotReplayable(), HasSubstr("ran outside"));
}

TEST(ThreadHooksOutsider, AParticipantWaitsForItsLockUntilADeadline) {
#ifdef NET_FAKE_THREAD_SANITIZER
  GTEST_SKIP() << "clang 14's ThreadSanitizer misses pthread_mutex_clocklock()";
#endif
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::timed_mutex mutex;
  std::promise<void> locked;
  std::promise<void> unlocks;
  std::thread outsider([&] {
    const std::lock_guard<std::timed_mutex> lock(mutex);
    locked.set_value();
    unlocks.get_future().wait();
  });
  kernel.Outside([&] { locked.get_future().wait(); });
  FakeKernel::Thread other(kernel, "other", [&] { unlocks.set_value(); });
  const bool is_locked = mutex.try_lock_for(std::chrono::hours(1));
  EXPECT_TRUE(is_locked);
  if (is_locked) mutex.unlock();
  other.Join();
  outsider.join();
}

// The deadline is as far away as in virtual time, in which an hour has passed.
TEST(ThreadHooksOutsider, AParticipantGivesUpWaitingForItsLock) {
#ifdef NET_FAKE_THREAD_SANITIZER
  GTEST_SKIP() << "clang 14's ThreadSanitizer misses pthread_mutex_clocklock()";
#endif
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  kernel.Advance(absl::Hours(1));
  std::timed_mutex mutex;
  std::promise<void> locked;
  std::promise<void> unlocks;
  std::thread outsider([&] {
    const std::lock_guard<std::timed_mutex> lock(mutex);
    locked.set_value();
    unlocks.get_future().wait();
  });
  kernel.Outside([&] { locked.get_future().wait(); });
  EXPECT_FALSE(mutex.try_lock_for(std::chrono::milliseconds(20)));
  unlocks.set_value();
  outsider.join();
}

TEST(ThreadHooksOutsider, AParticipantWaitsForItsWriteLockInRealTime) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::shared_mutex mutex;
  std::promise<void> locked;
  std::promise<void> unlocks;
  std::thread outsider([&] {
    const std::lock_guard<std::shared_mutex> lock(mutex);
    locked.set_value();
    unlocks.get_future().wait();
  });
  kernel.Outside([&] { locked.get_future().wait(); });
  FakeKernel::Thread other(kernel, "other", [&] { unlocks.set_value(); });
  // `other` runs meanwhile. When it has ended, nobody else takes part.
  mutex.lock_shared();
  mutex.unlock_shared();
  other.Join();
  outsider.join();
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

TEST(ThreadHooksOutsider, IsOneAgainWhenItTakesPartNoLonger) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  std::promise<void> locked;
  std::promise<void> unlocks;
  std::thread thread([&] {
    { const FakeKernel::Participant for_a_while(kernel, "thread"); }
    const std::lock_guard<std::mutex> lock(mutex);
    locked.set_value();
    unlocks.get_future().wait();
  });
  kernel.Outside([&] { locked.get_future().wait(); });
  FakeKernel::Thread other(kernel, "other", [&] { unlocks.set_value(); });
  {
    // `other` runs meanwhile.
    const std::lock_guard<std::mutex> lock(mutex);
  }
  other.Join();
  thread.join();
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

// The C library gives the pthread_t of a thread that was joined to a new one.
TEST(ThreadHooksOutsider, IsNotTakenForAParticipantThatWasJoined) {
  FakeKernel kernel({.hangs = {.real_time = absl::Seconds(2)}});
  const FakeKernel::Participant self(kernel, "main");
  constexpr int kAttempts = 100;
  for (int i = 0; i < kAttempts; ++i) {
    std::thread participant(
        [&] { const FakeKernel::Participant takes_part(kernel, "joined"); });
    while (static_cast<int>(kernel.ParticipantNames().size()) < 2 + 2 * i) {
      kernel.Outside([] { std::this_thread::yield(); });
    }
    const pthread_t old = participant.native_handle();
    participant.join();
    std::promise<void> ends;
    std::thread outsider([&] { ends.get_future().wait(); });
    const bool is_same = pthread_equal(old, outsider.native_handle()) != 0;
    FakeKernel::Thread other(kernel, "other", [&] { ends.set_value(); });
    outsider.join();  // `other` runs meanwhile.
    other.Join();
    if (is_same) return;
  }
  FAIL() << "no pthread_t was used again";
}

TEST(ThreadHooksOutsider, IsNotYetJoinedWhileItRuns) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::promise<void> ends;
  std::thread outsider([&] { ends.get_future().wait(); });
  EXPECT_EQ(pthread_tryjoin_np(outsider.native_handle(), nullptr), EBUSY);
  ends.set_value();
  outsider.join();
}

TEST(ThreadHooksOutsider, IsJoinedInRealTime) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::binary_semaphore started(0);
  bool done = false;
  std::thread outsider([&] {
    started.acquire();
    done = true;
  });
  FakeKernel::Thread other(kernel, "other", [&] { started.release(); });
  outsider.join();  // `other` runs meanwhile.
  EXPECT_TRUE(done);
  other.Join();
}

TEST(ThreadHooksOutsider, WakesAParticipant) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  std::condition_variable changed;
  bool ready = false;
  FakeKernel::Thread waiter(kernel, "waiter", [&] {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return ready; });
  });
  ASSERT_TRUE(waiter.AwaitBlocked());
  std::thread outsider([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    ready = true;
    changed.notify_one();
  });
  outsider.join();
  waiter.Join();
  EXPECT_TRUE(ready);
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

TEST(ThreadHooksOutsider, AParticipantThatRunsOutsideIsOne) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  std::condition_variable changed;
  const auto start = std::chrono::steady_clock::now();
  kernel.Outside([&] {
    std::unique_lock<std::mutex> lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::milliseconds(1)) ==
                std::cv_status::timeout);
  });
  EXPECT_TRUE(std::chrono::steady_clock::now() == start);
  EXPECT_EQ(kernel.Now(), absl::ZeroDuration());
}

}  // namespace
}  // namespace net
