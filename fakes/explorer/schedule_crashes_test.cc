// Explorations of schedules in which a run crashes.

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "absl/status/status.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/racing_scenarios.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/fake_kernel.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/run_tasks.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::SizeIs;

// It aborts if one task runs between two calls of the other one, and loses an
// update under other schedules.
absl::Status CrashesBetweenTwoCalls(Syscalls& sys, FakeKernel& kernel) {
  std::atomic<bool> is_between = false;
  const absl::Status status = RunTasks(kernel, {{"one",
                                                 [&] {
                                                   MakeCall(sys);
                                                   is_between = true;
                                                   MakeCall(sys);
                                                   is_between = false;
                                                 }},
                                                {"two", [&] {
                                                   MakeCall(sys);
                                                   if (is_between) std::abort();
                                                   MakeCall(sys);
                                                 }}});
  return status.ok() ? LoseUpdate(sys, kernel) : status;
}

TEST(ScheduleCrashes, AreFindingsWithTheirSchedules) {
  ExploreOptions options = {.catch_crashes = true};
  options.schedules.max_preemptions = 1;
  const ScheduleResult result =
      ExploreSchedules(options, CrashesBetweenTwoCalls);
  EXPECT_TRUE(result.complete);
  const auto is_crash = [](const ScheduleFinding& finding) {
    return finding.kind == FindingKind::kCrash;
  };
  EXPECT_THAT(result.findings, SizeIs(2)) << result;
  EXPECT_THAT(result.findings,
              Contains(Field(&ScheduleFinding::kind, FindingKind::kRace)));
  const auto crash =
      std::find_if(result.findings.begin(), result.findings.end(), is_crash);
  ASSERT_TRUE(crash != result.findings.end()) << result;
  EXPECT_EQ(crash->text, "the process crashes");
  EXPECT_EQ(crash->preemptions, 1);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(static_cast<void>(
                   ReplaySchedule(crash->schedule, CrashesBetweenTwoCalls)),
               "");
}

// After the crash of a run, its beginning still leads to other schedules: the
// plain schedule crashes here, so all others follow from such runs.
TEST(ScheduleCrashes, DoNotHideOtherSchedules) {
  const ExploreOptions options = {.catch_crashes = true};
  const ScheduleResult result =
      ExploreSchedules(options, [](Syscalls& sys, FakeKernel& kernel) {
        std::atomic<bool> has_run = false;
        return RunTasks(
            kernel, {{"one",
                      [&] {
                        for (int i = 0; i < 3; ++i) MakeCall(sys);
                        if (!has_run) std::abort();
                      }},
                     {"two", [&] {
                        MakeCall(sys);
                        has_run = true;
                        static_cast<void>(kit::NewSocket(sys));  // Leaks it.
                      }}});
      });
  EXPECT_THAT(
      result.findings,
      AllOf(Contains(Field(&ScheduleFinding::kind, FindingKind::kCrash)),
            Contains(Field(&ScheduleFinding::kind, FindingKind::kLeak))))
      << result;
}

TEST(ScheduleCrashes, OtherFindingsAreTheSameInAChild) {
  ExploreOptions options;
  const ScheduleResult here = ExploreSchedules(options, HasTwoRaces);
  options.catch_crashes = true;
  const ScheduleResult in_child = ExploreSchedules(options, HasTwoRaces);
  EXPECT_EQ(in_child.counts.exhaustive, here.counts.exhaustive);
  EXPECT_EQ(TextsOf(in_child), TextsOf(here));
}

absl::Status CrashesOnTheRace(Syscalls& sys, FakeKernel& kernel) {
  return CloseOnError([] { std::abort(); }, sys, kernel);
}

TEST(ScheduleCrashes, OfAFaultUnderAScheduleAreFindings) {
  ExploreOptions options = {.max_faults = 1, .catch_crashes = true};
  options.schedules.max_preemptions = 1;
  const ExploreResult result =
      ExploreFaultsUnderSchedules(options, CrashesOnTheRace);
  ASSERT_THAT(result.findings, SizeIs(1)) << result;
  EXPECT_EQ(result.findings.front().kind, FindingKind::kCrash);
  EXPECT_EQ(result.findings.front().plan.ToString(), "listen=EADDRINUSE");
  EXPECT_NE(result.findings.front().schedule, "");
}

}  // namespace
}  // namespace net
