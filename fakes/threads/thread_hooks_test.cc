// Participants that wait for each other by objects of pthread and of the
// standard library: one order for each seed, in virtual time.

#include "fakes/threads/thread_hooks.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "fakes/fake_kernel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using ::testing::Gt;
using ::testing::SizeIs;

TEST(ThreadHooks, AreInCharge) { EXPECT_TRUE(ThreadHooksAreInCharge()); }

// The events of a run, in order.
class Log {
 public:
  void Add(absl::string_view event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    absl::StrAppend(&text_, event, " ");
  }
  std::string text() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

// A thread's part in a scenario: it is called with the number of the thread.
using Part = std::function<void(int number, Log& log)>;

// Runs three participants that do `part`. Returns the log, with the virtual
// time at the end.
std::string RunThree(uint64_t seed, const Part& part) {
  FakeKernel kernel({.seed = seed});
  Log log;
  {
    const FakeKernel::Participant self(kernel, "main");
    FakeKernel::Thread a(kernel, "a", [&] { part(0, log); });
    FakeKernel::Thread b(kernel, "b", [&] { part(1, log); });
    FakeKernel::Thread c(kernel, "c", [&] { part(2, log); });
    a.Join();
    b.Join();
    c.Join();
  }
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
  EXPECT_EQ(kernel.NotReplayable(), "");
  return absl::StrCat(log.text(), "at ", absl::FormatDuration(kernel.Now()));
}

std::string Name(int number, absl::string_view what) {
  return absl::StrCat(number, what);
}

// Makes the parts of one scenario, which share an object.
using Scenario = Part (*)();

Part Mutexes() {
  return [mutex = std::make_shared<std::mutex>()](int number, Log& log) {
    for (int i = 0; i < 3; ++i) {
      const std::lock_guard<std::mutex> lock(*mutex);
      log.Add(Name(number, "locked"));
      std::this_thread::yield();
      log.Add(Name(number, "unlocks"));
    }
  };
}

Part TimedMutexes() {
  return [mutex = std::make_shared<std::timed_mutex>()](int number, Log& log) {
    const std::unique_lock<std::timed_mutex> lock(*mutex,
                                                  std::chrono::seconds(3));
    log.Add(Name(number, lock.owns_lock() ? "locked" : "late"));
    std::this_thread::sleep_for(std::chrono::seconds(2));
  };
}

Part RecursiveMutexes() {
  return
      [mutex = std::make_shared<std::recursive_mutex>()](int number, Log& log) {
        const std::lock_guard<std::recursive_mutex> outer(*mutex);
        std::this_thread::yield();
        const std::lock_guard<std::recursive_mutex> inner(*mutex);
        log.Add(Name(number, "has it twice"));
      };
}

struct Turns {
  std::mutex mutex;
  std::condition_variable changed;
  int ready = 0;
};

Part ConditionVariables() {
  return [turns = std::make_shared<Turns>()](int number, Log& log) {
    std::unique_lock<std::mutex> lock(turns->mutex);
    ++turns->ready;
    turns->changed.notify_all();
    while (turns->ready < 3) turns->changed.wait(lock);
    log.Add(Name(number, "woken"));
  };
}

// Each wakes one other.
Part Signals() {
  return [turns = std::make_shared<Turns>()](int number, Log& log) {
    std::unique_lock<std::mutex> lock(turns->mutex);
    if (++turns->ready < 3) turns->changed.wait(lock);
    log.Add(Name(number, "woken"));
    turns->changed.notify_one();
  };
}

Part SharedMutexes() {
  return [mutex = std::make_shared<std::shared_mutex>()](int number, Log& log) {
    for (int i = 0; i < 2; ++i) {
      {
        const std::shared_lock<std::shared_mutex> lock(*mutex);
        log.Add(Name(number, "reads"));
        std::this_thread::yield();
      }
      const std::lock_guard<std::shared_mutex> lock(*mutex);
      log.Add(Name(number, "writes"));
      std::this_thread::yield();
      log.Add(Name(number, "wrote"));
    }
  };
}

class PthreadBarrier {
 public:
  PthreadBarrier() { pthread_barrier_init(&barrier_, nullptr, 3); }
  PthreadBarrier(const PthreadBarrier&) = delete;
  PthreadBarrier& operator=(const PthreadBarrier&) = delete;
  ~PthreadBarrier() { pthread_barrier_destroy(&barrier_); }

  bool Wait() {
    return pthread_barrier_wait(&barrier_) == PTHREAD_BARRIER_SERIAL_THREAD;
  }

 private:
  pthread_barrier_t barrier_;
};

Part PthreadBarriers() {
  return [barrier = std::make_shared<PthreadBarrier>()](int number, Log& log) {
    for (int i = 0; i < 3; ++i) {
      log.Add(Name(number, barrier->Wait() ? "last" : "passes"));
    }
  };
}

Part Barriers() {
  return [barrier = std::make_shared<std::barrier<>>(3)](int number, Log& log) {
    for (int i = 0; i < 3; ++i) {
      log.Add(Name(number, "arrives"));
      barrier->arrive_and_wait();
    }
  };
}

Part Latches() {
  return [latch = std::make_shared<std::latch>(3)](int number, Log& log) {
    log.Add(Name(number, "arrives"));
    latch->arrive_and_wait();
    log.Add(Name(number, "passes"));
  };
}

Part Semaphores() {
  return [semaphore = std::make_shared<std::counting_semaphore<>>(1)](
             int number, Log& log) {
    for (int i = 0; i < 2; ++i) {
      semaphore->acquire();
      log.Add(Name(number, "in"));
      std::this_thread::yield();
      log.Add(Name(number, "out"));
      semaphore->release();
    }
  };
}

class PthreadSemaphore {
 public:
  PthreadSemaphore() { sem_init(&semaphore_, 0, 1); }
  PthreadSemaphore(const PthreadSemaphore&) = delete;
  PthreadSemaphore& operator=(const PthreadSemaphore&) = delete;
  ~PthreadSemaphore() { sem_destroy(&semaphore_); }

  sem_t* get() { return &semaphore_; }

 private:
  sem_t semaphore_;
};

Part PthreadSemaphores() {
  return
      [semaphore = std::make_shared<PthreadSemaphore>()](int number, Log& log) {
        for (int i = 0; i < 2; ++i) {
          EXPECT_EQ(sem_wait(semaphore->get()), 0);
          log.Add(Name(number, "in"));
          sched_yield();
          log.Add(Name(number, "out"));
          EXPECT_EQ(sem_post(semaphore->get()), 0);
        }
      };
}

struct Promised {
  std::promise<int> promise;
  std::shared_future<int> future = promise.get_future().share();
};

Part Futures() {
  return [promised = std::make_shared<Promised>()](int number, Log& log) {
    if (number == 2) {
      promised->promise.set_value(7);
    }
    const std::shared_future<int> future = promised->future;
    log.Add(Name(number, absl::StrCat("gets", future.get())));
  };
}

Part Onces() {
  return [flag = std::make_shared<std::once_flag>()](int number, Log& log) {
    std::call_once(*flag, [&] {
      log.Add(Name(number, "begins"));
      std::this_thread::sleep_for(std::chrono::seconds(1));
      log.Add(Name(number, "ends"));
    });
    log.Add(Name(number, "passes"));
  };
}

Part AbslMutexes() {
  return [mutex = std::make_shared<absl::Mutex>()](int number, Log& log) {
    for (int i = 0; i < 2; ++i) {
      const absl::MutexLock lock(mutex.get());
      log.Add(Name(number, "locked"));
      std::this_thread::sleep_for(std::chrono::seconds(1));
      log.Add(Name(number, "unlocks"));
    }
  };
}

Part AbslNotifications() {
  return [done = std::make_shared<absl::Notification>()](int number, Log& log) {
    if (number == 1) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      done->Notify();
    }
    const bool notified =
        done->WaitForNotificationWithTimeout(absl::Milliseconds(900));
    log.Add(Name(number, notified ? "notified" : "late"));
    done->WaitForNotification();
    log.Add(Name(number, "notified"));
  };
}

Part Futexes() {
  return [word = std::make_shared<std::atomic<uint32_t>>(0)](int number,
                                                             Log& log) {
    if (word->fetch_add(1) < 2) {
      uint32_t seen = word->load();
      while (seen < 3) {
        syscall(SYS_futex, word.get(), FUTEX_WAIT_PRIVATE, seen, nullptr);
        seen = word->load();
      }
    } else {
      syscall(SYS_futex, word.get(), FUTEX_WAKE_PRIVATE, 1);
      syscall(SYS_futex, word.get(), FUTEX_WAKE_PRIVATE, 1);
    }
    log.Add(Name(number, "passes"));
  };
}

Part AtomicWaits() {
  return [word = std::make_shared<std::atomic<int>>(0)](int number, Log& log) {
    if (word->fetch_add(1) == 2) word->notify_all();
    for (int seen = word->load(); seen < 3; seen = word->load()) {
      word->wait(seen);
    }
    log.Add(Name(number, "passes"));
  };
}

// Three wait, in a known order, and one notification is sent. Returns the
// number of the thread that it woke.
int WokenByOneNotification(uint64_t seed) {
  FakeKernel kernel({.seed = seed});
  const FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> woken;
  std::vector<std::unique_ptr<FakeKernel::Thread>> threads;
  for (int number = 0; number < 3; ++number) {
    threads.push_back(std::make_unique<FakeKernel::Thread>(
        kernel, absl::StrCat("waiter", number), [&, number] {
          std::unique_lock<std::mutex> lock(mutex);
          changed.wait(lock);
          woken.push_back(number);
        }));
    EXPECT_TRUE(threads.back()->AwaitBlocked());
  }
  changed.notify_one();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  changed.notify_all();
  for (const auto& thread : threads) thread->Join();
  EXPECT_THAT(woken, SizeIs(3U));
  return woken.front();
}

TEST(ThreadHooks, TheSeedChoosesWhoIsWoken) {
  std::set<int> woken;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    woken.insert(WokenByOneNotification(seed));
    EXPECT_EQ(WokenByOneNotification(seed), WokenByOneNotification(seed));
  }
  EXPECT_THAT(woken, SizeIs(3U));
}

struct NamedScenario {
  absl::string_view name;
  Scenario make;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest finds it by name.
void PrintTo(const NamedScenario& scenario, std::ostream* out) {
  *out << std::string(scenario.name);
}

class ThreadHooksScenarioTest : public testing::TestWithParam<NamedScenario> {};

TEST_P(ThreadHooksScenarioTest, OneSeedIsOneOrder) {
  const std::string first = RunThree(1, GetParam().make());
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(RunThree(1, GetParam().make()), first) << "run " << i;
  }
}

TEST_P(ThreadHooksScenarioTest, OtherSeedsAreOtherOrders) {
  std::set<std::string> orders;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    orders.insert(RunThree(seed, GetParam().make()));
  }
  EXPECT_THAT(orders, SizeIs(Gt(1U)));
}

INSTANTIATE_TEST_SUITE_P(
    , ThreadHooksScenarioTest,
    testing::Values(NamedScenario{"Mutex", Mutexes},
                    NamedScenario{"TimedMutex", TimedMutexes},
                    NamedScenario{"RecursiveMutex", RecursiveMutexes},
                    NamedScenario{"ConditionVariable", ConditionVariables},
                    NamedScenario{"Signal", Signals},
                    NamedScenario{"SharedMutex", SharedMutexes},
                    NamedScenario{"PthreadBarrier", PthreadBarriers},
                    NamedScenario{"Barrier", Barriers},
                    NamedScenario{"Latch", Latches},
                    NamedScenario{"Semaphore", Semaphores},
                    NamedScenario{"PthreadSemaphore", PthreadSemaphores},
                    NamedScenario{"Future", Futures},
                    NamedScenario{"Once", Onces},
                    NamedScenario{"AbslMutex", AbslMutexes},
                    NamedScenario{"AbslNotification", AbslNotifications},
                    NamedScenario{"Futex", Futexes},
                    NamedScenario{"AtomicWait", AtomicWaits}),
    [](const auto& scenario) { return std::string(scenario.param.name); });

}  // namespace
}  // namespace net
