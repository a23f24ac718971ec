#include "fakes/kernel/waiting.h"

#include <poll.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/waiting_test_world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// --- Time --------------------------------------------------------------------

TEST(Waiting, TheClockJumpsWhenTheOnlyOneWaits) {
  World world;
  const Participant self(world);
  EXPECT_EQ(world.Sleep(5 * kSecond), Woken::kTimeout);
  EXPECT_EQ(world.now(), 5 * kSecond);
}

TEST(Waiting, TheClockStandsWhileOneRuns) {
  World world;
  std::optional<Participant> self(world);
  Thread sleeper(world, "sleeper",
                 [&] { EXPECT_EQ(world.Sleep(5 * kSecond), Woken::kTimeout); });
  ASSERT_TRUE(sleeper.AwaitBlocked());
  EXPECT_EQ(world.now(), 0);
  EXPECT_EQ(world.Sleep(3 * kSecond), Woken::kTimeout);
  EXPECT_EQ(world.now(), 3 * kSecond);
  EXPECT_TRUE(sleeper.AwaitBlocked());
  self.reset();
  sleeper.Join();
  EXPECT_EQ(world.now(), 5 * kSecond);
}

TEST(Waiting, AThreadThatHasNotBegunRuns) {
  World world;
  std::optional<Participant> self(world);
  ParticipantState* late = nullptr;
  {
    const KernelMutexLock lock(world.mutex);
    late = world.scheduler.Join("late");
  }
  Thread sleeper(world, "sleeper", [&] { world.Sleep(kSecond); });
  ASSERT_TRUE(sleeper.AwaitBlocked());
  self.reset();
  EXPECT_EQ(world.now(), 0);
  {
    const KernelMutexLock lock(world.mutex);
    world.scheduler.Leave(*late);
  }
  sleeper.Join();
  EXPECT_EQ(world.now(), kSecond);
}

TEST(Waiting, ADeadlineThatHasComeIsNotWaitedFor) {
  World world;
  const Participant self(world);
  EXPECT_EQ(world.Sleep(0), Woken::kTimeout);
  EXPECT_EQ(world.now(), 0);
}

TEST(Waiting, AnEventComesBeforeTheDeadline) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  Thread waiter(world, "waiter", [&] {
    EXPECT_EQ(world.WaitFor(queue, 5 * kSecond), Woken::kEvent);
    EXPECT_EQ(world.now(), 2 * kSecond);
    EXPECT_EQ(world.Sleep(10 * kSecond), Woken::kTimeout);
    EXPECT_EQ(world.now(), 12 * kSecond) << "the deadline was forgotten";
  });
  ASSERT_TRUE(waiter.AwaitBlocked());
  world.Sleep(2 * kSecond);
  world.WakeAll(queue);
  world.Sleep(20 * kSecond);
}

TEST(Waiting, ACallMayWaitAgainAndKeepsItsDeadline) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  std::vector<Woken> woken;
  Thread waiter(world, "waiter", [&] {
    const KernelMutexLock lock(world.mutex);
    Wait wait(world.scheduler, {.process = "p", .call = "poll"}, 3 * kSecond);
    wait.Add(queue);
    while (woken.empty() || woken.back() == Woken::kEvent) {
      woken.push_back(wait.Block());
    }
  });
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(waiter.AwaitBlocked());
    world.Sleep(kSecond);
    world.WakeAll(queue);
  }
  world.Sleep(10 * kSecond);
  EXPECT_THAT(woken,
              ElementsAre(Woken::kEvent, Woken::kEvent, Woken::kTimeout));
}

TEST(Waiting, ThreadsOfTwoKernelsHaveTwoClocks) {
  World one;
  World other;
  const Participant in_one(one);
  const Participant in_other(other);
  EXPECT_EQ(one.Sleep(kSecond), Woken::kTimeout);
  EXPECT_EQ(other.Sleep(2 * kSecond), Woken::kTimeout);
  EXPECT_EQ(one.now(), kSecond);
  EXPECT_EQ(other.now(), 2 * kSecond);
}

// --- Who does not take part --------------------------------------------------

TEST(Waiting, AnOutsiderThatWaitsHoldsTheClock) {
  World world;
  WaitQueue queue;
  std::optional<Participant> self(world);
  Thread sleeper(world, "sleeper",
                 [&] { EXPECT_EQ(world.Sleep(kSecond), Woken::kTimeout); });
  Outsider outsider(world, queue);
  self.reset();
  ASSERT_TRUE(sleeper.AwaitBlocked());
  EXPECT_EQ(world.now(), 0);
  world.WakeAll(queue);
  EXPECT_EQ(outsider.Join(), Woken::kEvent);
  sleeper.Join();
  EXPECT_EQ(world.now(), kSecond);
}

TEST(Waiting, AnOutsiderThatWaitsIsNoDeadlock) {
  World world;
  WaitQueue queue;
  WaitQueue nothing;
  std::optional<Participant> self(world);
  Thread waiter(world, "waiter",
                [&] { EXPECT_EQ(world.WaitFor(nothing), Woken::kDeadlock); });
  Outsider outsider(world, queue);
  self.reset();
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_EQ(world.deadlock(), std::nullopt);
  world.WakeAll(queue);
  EXPECT_EQ(outsider.Join(), Woken::kEvent);
  waiter.Join();
  EXPECT_NE(world.deadlock(), std::nullopt);
}

TEST(Waiting, AdvanceEndsAnOutsidersTimeout) {
  World world;
  WaitQueue queue;
  Woken woken = Woken::kEvent;
  std::thread outsider([&] { woken = world.WaitFor(queue, 5 * kSecond); });
  for (bool waits = false; !waits; std::this_thread::yield()) {
    const KernelMutexLock lock(world.mutex);
    waits = !queue.empty();
  }
  EXPECT_EQ(world.now(), 0);
  {
    const KernelMutexLock lock(world.mutex);
    world.clock.Advance(5 * kSecond);
  }
  outsider.join();
  EXPECT_EQ(woken, Woken::kTimeout);
}

// --- Events ------------------------------------------------------------------

TEST(Waiting, WakeAllWakesAll) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  std::vector<Woken> woken;
  const auto body = [&] {
    const Woken why = world.WaitFor(queue);
    const KernelMutexLock lock(world.mutex);
    woken.push_back(why);
  };
  Thread a(world, "a", body);
  Thread b(world, "b", body);
  ASSERT_TRUE(a.AwaitBlocked());
  ASSERT_TRUE(b.AwaitBlocked());
  world.WakeAll(queue);
  a.Join();
  b.Join();
  EXPECT_THAT(woken, ElementsAre(Woken::kEvent, Woken::kEvent));
  EXPECT_TRUE(queue.empty());
}

// A connection is for one accept4(2) only: the one that has waited longest.
TEST(Waiting, OfThoseThatWaitExclusivelyTheOldestIsWoken) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  std::string order;
  const auto waits_as = [&](char name) {
    return [&world, &queue, &order, name] {
      EXPECT_EQ(world.WaitExclusively(queue), Woken::kEvent);
      const KernelMutexLock lock(world.mutex);
      order += name;
    };
  };
  Thread a(world, "a", waits_as('a'));
  ASSERT_TRUE(a.AwaitBlocked());
  Thread b(world, "b", waits_as('b'));
  ASSERT_TRUE(b.AwaitBlocked());
  Thread c(world, "c", waits_as('c'));
  ASSERT_TRUE(c.AwaitBlocked());
  for (Thread* one : {&a, &b, &c}) {
    world.WakeOne(queue);
    EXPECT_FALSE(one->AwaitBlocked());
  }
  EXPECT_EQ(order, "abc");
}

TEST(Waiting, TwoEventsInARowWakeTwo) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  Thread a(world, "a",
           [&] { EXPECT_EQ(world.WaitExclusively(queue), Woken::kEvent); });
  Thread b(world, "b",
           [&] { EXPECT_EQ(world.WaitExclusively(queue), Woken::kEvent); });
  ASSERT_TRUE(a.AwaitBlocked());
  ASSERT_TRUE(b.AwaitBlocked());
  {
    // Before the first has run.
    const KernelMutexLock lock(world.mutex);
    queue.WakeOne();
    queue.WakeOne();
  }
  EXPECT_FALSE(a.AwaitBlocked());
  EXPECT_FALSE(b.AwaitBlocked());
}

// poll(2) looks, and takes nothing away from accept4(2).
TEST(Waiting, PollersAreWokenBesideTheConsumer) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  Thread looks(world, "looks",
               [&] { EXPECT_EQ(world.WaitFor(queue), Woken::kEvent); });
  ASSERT_TRUE(looks.AwaitBlocked());
  Thread takes(world, "takes",
               [&] { EXPECT_EQ(world.WaitExclusively(queue), Woken::kEvent); });
  ASSERT_TRUE(takes.AwaitBlocked());
  Thread more(world, "more",
              [&] { EXPECT_EQ(world.WaitExclusively(queue), Woken::kEvent); });
  ASSERT_TRUE(more.AwaitBlocked());
  world.WakeOne(queue);
  EXPECT_FALSE(looks.AwaitBlocked());
  EXPECT_FALSE(takes.AwaitBlocked());
  EXPECT_TRUE(more.AwaitBlocked());
  world.WakeOne(queue);
}

TEST(Waiting, ACallThatPollsForOtherEventsSleepsOn) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  Thread waiter(world, "waiter", [&] {
    const KernelMutexLock lock(world.mutex);
    Wait wait(world.scheduler, {.process = "p", .call = "poll"});
    wait.Add(queue, POLLOUT | POLLERR);
    EXPECT_EQ(wait.Block(), Woken::kEvent);
  });
  ASSERT_TRUE(waiter.AwaitBlocked());
  for (const bool only_one : {false, true}) {
    const KernelMutexLock lock(world.mutex);
    only_one ? queue.WakeOne(POLLIN) : queue.WakeAll(POLLIN);
  }
  EXPECT_TRUE(waiter.AwaitBlocked());
  {
    const KernelMutexLock lock(world.mutex);
    queue.WakeAll(POLLOUT | POLLWRNORM);
  }
  EXPECT_FALSE(waiter.AwaitBlocked());
}

TEST(Waiting, OneOfSeveralQueuesIsEnough) {
  World world;
  const Participant self(world);
  WaitQueue first;
  WaitQueue second;
  Thread waiter(world, "waiter", [&] {
    const KernelMutexLock lock(world.mutex);
    Wait wait(world.scheduler, {.process = "p", .call = "poll"});
    wait.Add(first);
    wait.Add(second);
    EXPECT_EQ(wait.Block(), Woken::kEvent);
  });
  ASSERT_TRUE(waiter.AwaitBlocked());
  world.WakeAll(second);
  waiter.Join();
  EXPECT_TRUE(first.empty());
  EXPECT_TRUE(second.empty());
}

TEST(Waiting, TheEndOfAThreadIsAnEvent) {
  World world;
  const Participant self(world);
  Thread sleeper(world, "sleeper", [&] { world.Sleep(3 * kSecond); });
  EXPECT_EQ(world.WaitFor(sleeper.end()), Woken::kEvent);
  EXPECT_EQ(world.now(), 3 * kSecond);
  EXPECT_FALSE(sleeper.AwaitBlocked());
}

// --- Signals -----------------------------------------------------------------

TEST(Waiting, ASignalEndsTheWait) {
  World world;
  const Participant self(world);
  std::vector<Woken> woken;
  Thread waiter(world, "waiter", [&] {
    WaitQueue nothing;
    woken.push_back(world.WaitFor(nothing, kSecond));
    woken.push_back(world.WaitFor(nothing, kSecond));
  });
  for (const bool restart : {false, true}) {
    ASSERT_TRUE(waiter.AwaitBlocked());
    EXPECT_EQ(waiter.InterruptTwice(restart), std::pair(true, false))
        << "after the first it does not wait any more";
  }
  waiter.Join();
  EXPECT_THAT(woken, ElementsAre(Woken::kSignal, Woken::kRestart));
  EXPECT_EQ(world.now(), 0);
}

TEST(Waiting, WhoRunsIsNotInterrupted) {
  World world;
  Participant self(world);
  EXPECT_FALSE(self.Interrupt());
  EXPECT_EQ(world.Sleep(kSecond), Woken::kTimeout);
}

TEST(Waiting, WhatCameFirstCounts) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  Thread waiter(world, "waiter",
                [&] { EXPECT_EQ(world.WaitFor(queue), Woken::kSignal); });
  ASSERT_TRUE(waiter.AwaitBlocked());
  EXPECT_TRUE(waiter.Interrupt(/*restart=*/false));
  world.WakeAll(queue);
}

// --- Deadlocks ---------------------------------------------------------------

TEST(Waiting, WhenAllWaitForNothingThatIsADeadlock) {
  World world;
  std::optional<Participant> self(world);
  WaitQueue nothing;
  Thread reader(world, "reader",
                [&] { EXPECT_EQ(world.WaitFor(nothing), Woken::kDeadlock); });
  ASSERT_TRUE(reader.AwaitBlocked());
  EXPECT_EQ(world.deadlock(), std::nullopt);
  EXPECT_EQ(world.WaitExclusively(nothing), Woken::kDeadlock);
  reader.Join();
  const std::optional<std::string> report = world.deadlock();
  ASSERT_NE(report, std::nullopt);
  EXPECT_THAT(*report,
              AllOf(HasSubstr("reader: waits in read(3) of process p"),
                    HasSubstr("main: waits in accept4(4) of process p"),
                    HasSubstr("sockets")));
}

TEST(Waiting, ThoseThatHaveLeftAreNotInTheReport) {
  World world;
  const Participant self(world);
  Thread gone(world, "gone", [] {});
  gone.Join();
  WaitQueue nothing;
  EXPECT_EQ(world.WaitFor(nothing), Woken::kDeadlock);
  EXPECT_THAT(world.deadlock().value_or(""), Not(HasSubstr("gone")));
}

TEST(Waiting, AfterADeadlockNobodyWaits) {
  World world;
  const Participant self(world);
  WaitQueue nothing;
  EXPECT_EQ(world.WaitFor(nothing), Woken::kDeadlock);
  EXPECT_EQ(world.WaitFor(nothing), Woken::kDeadlock);
  EXPECT_EQ(world.Sleep(kSecond), Woken::kDeadlock);
  EXPECT_EQ(world.now(), 0);
}

TEST(Waiting, WhileATimerIsSetThereIsNoDeadlock) {
  World world;
  const Participant self(world);
  WaitQueue queue;
  struct : TimerTarget {
    void OnTimer() override { queue->WakeAll(); }
    WaitQueue* queue = nullptr;
  } timer;
  timer.queue = &queue;
  {
    const KernelMutexLock lock(world.mutex);
    world.clock.Set(kSecond, timer);
  }
  EXPECT_EQ(world.WaitFor(queue), Woken::kEvent);
  EXPECT_EQ(world.now(), kSecond);
}

// --- What happens outside of the kernel --------------------------------------

// main finds something outside, which the other may have waited for.
TEST(Waiting, TimeDoesNotPassBeforeWhoWaitsOutsideHasLookedAgain) {
  World world;
  const Participant self(world);
  const auto await_idle = [&world] {
    const KernelMutexLock lock(world.mutex);
    world.scheduler.AwaitIdle(absl::Minutes(10));
  };
  std::atomic<bool> found_nothing = false;
  Thread other(world, "other", [&] {
    await_idle();
    found_nothing = true;
    EXPECT_EQ(world.Sleep(5 * kSecond), Woken::kTimeout);
    EXPECT_EQ(world.now(), 0);
  });
  while (!found_nothing) await_idle();
  {
    const KernelMutexLock lock(world.mutex);
    world.scheduler.NoteActivity(*world.scheduler.Current());
  }
  EXPECT_EQ(world.Sleep(kSecond), Woken::kTimeout);
  EXPECT_EQ(world.now(), kSecond);
  other.Join();
}

// --- Errnos ------------------------------------------------------------------

TEST(Waiting, TheErrnosOfCallsThatWaitedInVain) {
  EXPECT_EQ(ErrnoFor(Woken::kTimeout), EAGAIN);
  EXPECT_EQ(ErrnoFor(Woken::kSignal), EINTR);
  EXPECT_EQ(ErrnoFor(Woken::kRestart), EINTR);
  EXPECT_EQ(ErrnoFor(Woken::kDeadlock), EDEADLK);
}

}  // namespace
}  // namespace net::fake
