#include "fakes/run_tasks.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <set>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using testing::ElementsAre;

void MakeCall(FakeProcess& process) {
  timespec now = {};
  static_cast<void>(process.ClockGetTime(CLOCK_MONOTONIC, &now));
}

// Runs two tasks that make calls, and returns the order of the calls.
std::string OrderOf(uint64_t seed,
                    const ScheduleOptions& schedule = {.at_each_call = true}) {
  FakeKernel kernel({.schedule = schedule});
  FakeProcess& process = kernel.NewProcess();
  std::string order(10, '?');
  // Atomic, because hand-overs order nothing for ThreadSanitizer.
  std::atomic<size_t> calls = 0;
  const auto make_calls = [&](char name) {
    return [&, name] {
      for (int i = 0; i < 5; ++i) {
        MakeCall(process);
        order[calls++] = name;
      }
    };
  };
  EXPECT_THAT(
      RunTasks(kernel, seed, {{"a", make_calls('a')}, {"b", make_calls('b')}}),
      IsOk());
  return order;
}

TEST(RunTasksTest, RunsAllTasks) {
  FakeKernel kernel;
  std::atomic<int> sum = 0;
  EXPECT_THAT(RunTasks(kernel, {{"one", [&] { sum += 1; }},
                                {"two",
                                 [&] {
                                   sum += 2;
                                   return absl::OkStatus();
                                 }}}),
              IsOk());
  EXPECT_EQ(sum, 3);
  EXPECT_THAT(RunTasks(kernel, {}), IsOk());
}

TEST(RunTasksTest, EqualSeedsGiveEqualOrders) {
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::string order = OrderOf(seed);
    EXPECT_EQ(OrderOf(seed), order);
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 15U);
}

TEST(RunTasksTest, AScheduleToReplayOutweighsTheSeed) {
  const std::string order = OrderOf(1, {.replay = "call:cbcb9"});
  EXPECT_EQ(OrderOf(2, {.replay = "call:cbcb9"}), order);
}

TEST(RunTasksTest, ReturnsTheStatusOfTheTaskThatFailsFirst) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  const timespec second = {.tv_sec = 1, .tv_nsec = 0};
  EXPECT_EQ(RunTasks(kernel,
                     {{"late",
                       [&] {
                         static_cast<void>(process.NanoSleep(&second, nullptr));
                         return absl::InternalError("late");
                       }},
                      {"early", [] { return absl::InternalError("early"); }}}),
            absl::InternalError("early"));
}

TEST(RunTasksTest, RethrowsAnException) {
  FakeKernel kernel;
  EXPECT_THROW(
      static_cast<void>(RunTasks(
          kernel, {{"throws", [] { throw std::runtime_error("a task"); }},
                   {"other", [] {}}})),
      std::runtime_error);
}

TEST(RunTasksTest, TheCallerMayTakePart) {
  FakeKernel kernel;
  const FakeKernel::Participant self(kernel);
  int sum = 0;
  EXPECT_THAT(RunTasks(kernel, {{"one", [&] { sum += 1; }}}), IsOk());
  EXPECT_EQ(sum, 1);
  EXPECT_EQ(kernel.NotReplayable(), "");
}

TEST(RunTasksTest, TasksTakePartByName) {
  FakeKernel kernel;
  FakeProcess& process = kernel.NewProcess();
  EXPECT_THAT(RunTasks(kernel, {{"reader",
                                 [&] {
                                   EXPECT_EQ(kernel.CurrentParticipant(), 1);
                                   MakeCall(process);
                                 }},
                                {"other", [] {}}}),
              IsOk());
  EXPECT_THAT(kernel.ParticipantNames(),
              ElementsAre("RunTasks", "reader", "other"));
  EXPECT_EQ(kernel.CurrentParticipant(), -1);
}

}  // namespace
}  // namespace net
