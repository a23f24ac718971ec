// Participants that wait for ever, for a lock or for another object: the
// FakeKernel reports a deadlock at once, and the wait fails.

#include <pthread.h>
#include <semaphore.h>

#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;

// The line of the report about a thread that waits for an object.
std::string Waits(absl::string_view name, absl::string_view call,
                  const void* object, absl::string_view holder = "") {
  return absl::StrCat("  ", name, ": waits in ", call, " of 0x",
                      absl::Hex(reinterpret_cast<uintptr_t>(object)),
                      holder.empty() ? "" : ", held by ", holder, "\n");
}

// Returns the errno of the exception that `body` ends with, or 0.
int ErrnoOfException(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

class ThreadHooksDeadlockTest : public testing::Test {
 protected:
  void SetUp() override { kernel_.ExpectDeadlock(); }

  FakeKernel kernel_;
};

// Issue: a participant waits on a condition variable that nobody notifies.
TEST_F(ThreadHooksDeadlockTest, ConditionVariableThatNobodyNotifies) {
  const FakeKernel::Participant self(kernel_, "main");
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_lock<std::mutex> lock(mutex);
  EXPECT_EQ(ErrnoOfException([&] { changed.wait(lock, [] { return false; }); }),
            EDEADLK);
  EXPECT_TRUE(lock.owns_lock());
  EXPECT_THAT(kernel_.Deadlock(),
              Optional(HasSubstr(Waits("main", "pthread_cond_wait",
                                       changed.native_handle()))));
}

// It is notified before it waits.
TEST_F(ThreadHooksDeadlockTest, MissedWakeUp) {
  std::mutex mutex;
  std::condition_variable changed;
  int error = 0;
  {
    const FakeKernel::Participant self(kernel_, "main");
    changed.notify_one();
    const FakeKernel::Thread late(kernel_, "late", [&] {
      std::unique_lock<std::mutex> lock(mutex);
      error = ErrnoOfException([&] { changed.wait(lock); });
    });
  }
  EXPECT_EQ(error, EDEADLK);
  EXPECT_THAT(kernel_.Deadlock(),
              Optional(AllOf(HasSubstr("  main: waits in join()\n"),
                             HasSubstr(Waits("late", "pthread_cond_wait",
                                             changed.native_handle())))));
}

TEST_F(ThreadHooksDeadlockTest, LockThatIsNeverUnlocked) {
  const FakeKernel::Participant self(kernel_, "main");
  std::mutex mutex;
  mutex.lock();
  int error = 0;
  FakeKernel::Thread other(kernel_, "other", [&] {
    error = ErrnoOfException([&] { mutex.lock(); });
  });
  other.Join();
  EXPECT_EQ(error, EDEADLK);
  EXPECT_THAT(kernel_.Deadlock(),
              Optional(HasSubstr(Waits("other", "pthread_mutex_lock",
                                       mutex.native_handle(), "main"))));
  mutex.unlock();
}

TEST_F(ThreadHooksDeadlockTest, LockThatItsHolderLocksAgain) {
  const FakeKernel::Participant self(kernel_, "main");
  std::mutex mutex;
  mutex.lock();
  EXPECT_EQ(ErrnoOfException([&] { mutex.lock(); }), EDEADLK);
  EXPECT_THAT(kernel_.Deadlock(),
              Optional(HasSubstr(Waits("main", "pthread_mutex_lock",
                                       mutex.native_handle(), "main"))));
  mutex.unlock();
}

TEST_F(ThreadHooksDeadlockTest, TwoLocksInOppositeOrders) {
  std::mutex a;
  std::mutex b;
  int errors[2] = {};
  const auto lock_both = [](std::mutex& first, std::mutex& second) {
    const std::lock_guard<std::mutex> outer(first);
    std::this_thread::yield();
    const std::lock_guard<std::mutex> inner(second);
  };
  {
    const FakeKernel::Participant self(kernel_, "main");
    const FakeKernel::Thread one(kernel_, "one", [&] {
      errors[0] = ErrnoOfException([&] { lock_both(a, b); });
    });
    const FakeKernel::Thread two(kernel_, "two", [&] {
      errors[1] = ErrnoOfException([&] { lock_both(b, a); });
    });
  }
  EXPECT_TRUE(errors[0] == EDEADLK || errors[1] == EDEADLK);
  EXPECT_THAT(kernel_.Deadlock(),
              Optional(AllOf(HasSubstr(Waits("one", "pthread_mutex_lock",
                                             b.native_handle(), "two")),
                             HasSubstr(Waits("two", "pthread_mutex_lock",
                                             a.native_handle(), "one")))));
}

TEST_F(ThreadHooksDeadlockTest, ReadersThatKeepTheirLock) {
  const FakeKernel::Participant self(kernel_, "main");
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  EXPECT_EQ(pthread_rwlock_rdlock(&lock), 0);
  int error = 0;
  FakeKernel::Thread other(kernel_, "other",
                           [&] { error = pthread_rwlock_wrlock(&lock); });
  other.Join();
  EXPECT_EQ(error, EDEADLK);
  EXPECT_THAT(
      kernel_.Deadlock(),
      Optional(HasSubstr(Waits("other", "pthread_rwlock_wrlock", &lock))));
  EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
}

TEST_F(ThreadHooksDeadlockTest, Semaphore) {
  const FakeKernel::Participant self(kernel_, "main");
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  EXPECT_EQ(sem_wait(&semaphore), -1);
  EXPECT_EQ(errno, EDEADLK);
  EXPECT_THAT(kernel_.Deadlock(),
              Optional(HasSubstr(Waits("main", "sem_wait", &semaphore))));
  sem_destroy(&semaphore);
}

TEST_F(ThreadHooksDeadlockTest, BarrierWithOneThreadTooFew) {
  const FakeKernel::Participant self(kernel_, "main");
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 2);
  EXPECT_EQ(pthread_barrier_wait(&barrier), EDEADLK);
  EXPECT_THAT(
      kernel_.Deadlock(),
      Optional(HasSubstr(Waits("main", "pthread_barrier_wait", &barrier))));
  pthread_barrier_destroy(&barrier);
}

// A test can release and clean up after the deadlock.
TEST_F(ThreadHooksDeadlockTest, LocksThatAreFreedCanBeTakenAfterwards) {
  const FakeKernel::Participant self(kernel_, "main");
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  EXPECT_EQ(sem_wait(&semaphore), -1);
  std::mutex mutex;
  mutex.lock();
  bool locked = false;
  FakeKernel::Thread other(kernel_, "other", [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    locked = true;
  });
  std::this_thread::yield();
  EXPECT_FALSE(locked);
  mutex.unlock();
  other.Join();
  EXPECT_TRUE(locked);
  sem_destroy(&semaphore);
}

}  // namespace
}  // namespace net
