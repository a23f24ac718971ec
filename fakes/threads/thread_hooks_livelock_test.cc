// Participants that call the replaced functions without end, while nothing
// changes: the FakeKernel reports a livelock. See fakes/kernel/hangs.h.

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include <condition_variable>
#include <cstdint>
#include <ctime>
#include <functional>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fakes/fake_kernel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

constexpr int64_t kLimit = 1000;

// A call that a participant repeats while it waits for another one.
struct Poll {
  std::string name;
  std::function<void()> call;
};

std::ostream& operator<<(std::ostream& os, const Poll& poll) {
  return os << poll.name;
}

pthread_mutex_t* NewLockedMutex() {
  auto* const mutex = new pthread_mutex_t(PTHREAD_MUTEX_INITIALIZER);
  pthread_mutex_lock(mutex);
  return mutex;
}

sem_t* NewSemaphore() {
  auto* const semaphore = new sem_t;
  sem_init(semaphore, /*pshared=*/0, 0);
  return semaphore;
}

const Poll kPolls[] = {
    {"sched_yield", [] { sched_yield(); }},
    {"pthread_mutex_trylock",
     [mutex = NewLockedMutex()] { pthread_mutex_trylock(mutex); }},
    {"pthread_mutex_lock",
     [] {
       static std::mutex& mutex = *new std::mutex;
       const std::lock_guard<std::mutex> lock(mutex);
     }},
    {"sem_trywait", [semaphore = NewSemaphore()] { sem_trywait(semaphore); }},
    {"clock_gettime",
     [] {
       timespec now = {};
       clock_gettime(CLOCK_MONOTONIC, &now);
     }},
    {"time", [] { static_cast<void>(time(nullptr)); }},
};

class ThreadHooksLivelockTest : public testing::TestWithParam<Poll> {};

TEST_P(ThreadHooksLivelockTest, IsReportedWithTheLastCalls) {
  FakeKernel kernel({.hangs = {.hooked_calls_at_one_instant = kLimit}});
  kernel.ExpectDeadlock();
  const FakeKernel::Participant self(kernel, "main");
  int64_t calls = 0;
  for (; calls < 2 * kLimit && !kernel.Deadlock().has_value(); ++calls) {
    GetParam().call();
  }
  EXPECT_EQ(calls, kLimit + 1);
  EXPECT_THAT(
      kernel.Deadlock(),
      Optional(AllOf(
          StartsWith(absl::StrCat("livelock: ", kLimit,
                                  " calls of //fakes:thread_hooks while the "
                                  "clock stood at 0 and nobody was woken\n")),
          HasSubstr(absl::StrCat("  main: ", GetParam().name, "()\n")))));
}

INSTANTIATE_TEST_SUITE_P(All, ThreadHooksLivelockTest,
                         testing::ValuesIn(kPolls),
                         [](const testing::TestParamInfo<Poll>& one) {
                           return one.param.name;
                         });

// Each hands the baton on to the other, so both go on.
TEST(ThreadHooksLivelock, OfTwoThatYieldToEachOther) {
  FakeKernel kernel({.hangs = {.hooked_calls_at_one_instant = kLimit}});
  kernel.ExpectDeadlock();
  const FakeKernel::Participant self(kernel, "main");
  const auto yield = [&] {
    for (int64_t i = 0; i < 2 * kLimit && !kernel.Deadlock().has_value(); ++i) {
      sched_yield();
    }
  };
  FakeKernel::Thread other(kernel, "other", yield);
  yield();
  other.Join();
  EXPECT_THAT(kernel.Deadlock(),
              Optional(AllOf(HasSubstr("  main: sched_yield()\n"),
                             HasSubstr("  other: sched_yield()\n"))));
}

TEST(ThreadHooksLivelock, IsNoneWhereThreadsWakeEachOther) {
  FakeKernel kernel({.hangs = {.hooked_calls_at_one_instant = 100}});
  const FakeKernel::Participant self(kernel, "main");
  std::mutex mutex;
  std::condition_variable changed;
  int turn = 0;
  const auto play = [&](int number) {
    for (int i = 0; i < 1000; ++i) {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return turn % 2 == number; });
      ++turn;
      changed.notify_all();
    }
  };
  FakeKernel::Thread other(kernel, "other", [&] { play(1); });
  play(0);
  other.Join();
  EXPECT_EQ(turn, 2000);
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

TEST(ThreadHooksLivelock, IsNoneWhereTimePasses) {
  FakeKernel kernel({.hangs = {.hooked_calls_at_one_instant = 100}});
  const FakeKernel::Participant self(kernel, "main");
  const timespec second = {.tv_sec = 1, .tv_nsec = 0};
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(nanosleep(&second, nullptr), 0);
  }
  EXPECT_EQ(kernel.Deadlock(), std::nullopt);
}

void YieldForEver() {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel, "main");
  for (;;) sched_yield();
}

TEST(ThreadHooksLivelockDeathTest, AProgramThatGoesOnIsEnded) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(YieldForEver(),
               "livelock: 1000000 calls of //fakes:thread_hooks(.|\n)*"
               "after a deadlock or livelock the program goes on: 1000000 "
               "calls of //fakes:thread_hooks");
}

}  // namespace
}  // namespace net
