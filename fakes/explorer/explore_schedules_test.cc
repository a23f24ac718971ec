#include "fakes/explorer/explore_schedules.h"

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <string>

#include "absl/status/status.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/fake_kernel.h"
#include "fakes/run_tasks.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

void MakeCall(Syscalls& sys) {
  timespec now = {};
  static_cast<void>(sys.ClockGetTime(CLOCK_MONOTONIC, &now));
}

// Two tasks make `calls` calls each.
absl::Status TwoTasks(int calls, Syscalls& sys, FakeKernel& kernel) {
  const auto run = [&] {
    for (int i = 0; i < calls; ++i) MakeCall(sys);
  };
  return RunTasks(kernel, {{"one", run}, {"two", run}});
}

absl::Status SixCallsEach(Syscalls& sys, FakeKernel& kernel) {
  return TwoTasks(6, sys, kernel);
}

// Each task adds 1 to a value, in two steps with a call in between.
absl::Status LoseUpdate(Syscalls& sys, FakeKernel& kernel) {
  std::atomic<int> value = 0;
  const auto add = [&] {
    const int before = value;
    MakeCall(sys);
    value = before + 1;
  };
  const absl::Status status = RunTasks(kernel, {{"one", add}, {"two", add}});
  if (!status.ok()) return status;
  return value == 2 ? absl::OkStatus() : absl::InternalError("lost");
}

TEST(ExploreSchedulesTest, RunsAllSchedulesOfTwoTasks) {
  const ScheduleResult result =
      ExploreSchedules({.name = "SixCallsEach"}, SixCallsEach);
  EXPECT_THAT(result, HasNoFindings());
  EXPECT_TRUE(result.exhausted);
  // Either begins. It can be preempted at each of its six calls, and then the
  // other one at each of its own.
  EXPECT_THAT(result.counts.exhaustive, ElementsAre(2, 2 * 6, 2 * 6 * 6));
  EXPECT_EQ(
      result.Statement(),
      "no schedule with <= 2 preemptions makes SixCallsEach fail, hang or "
      "leak; 86 schedules, seed 1");
}

TEST(ExploreSchedulesTest, AFindingHasTheFewestPreemptionsAndIsReplayed) {
  ExploreOptions options;
  options.name = "LoseUpdate";
  options.kernel.seed = 7;
  const ScheduleResult result = ExploreSchedules(options, LoseUpdate);
  ASSERT_THAT(result.findings, SizeIs(1));
  const ScheduleFinding& finding = result.findings.front();
  EXPECT_EQ(finding.kind, FindingKind::kRace);
  EXPECT_EQ(finding.text, "it returns INTERNAL: lost");
  EXPECT_EQ(finding.preemptions, 1);
  EXPECT_EQ(finding.schedule, "call:cb");
  EXPECT_EQ(result.ReplayLine(finding),
            "net::ReplaySchedule(\"call:cb\", options, LoseUpdate)");
  EXPECT_EQ(finding.interleaving,
            "one: clock_gettime() = 0\n"
            "two: clock_gettime() = 0\n");
  EXPECT_THAT(
      result.ToString(),
      HasSubstr("   schedule: call:cb (1 preemption), seed 7\n"
                "   schedules that show it: 4 of 6\n"
                "   again: EXPECT_THAT(net::ReplaySchedule(\"call:cb\", "
                "options, LoseUpdate), net::HasNoFindings());"));
  const ScheduleResult again = ReplaySchedule("call:cb", LoseUpdate);
  ASSERT_THAT(again.findings, SizeIs(1));
  EXPECT_EQ(again.findings.front().text, finding.text);
  EXPECT_THAT(ReplaySchedule("call:", LoseUpdate), HasNoFindings());
}

TEST(ExploreSchedulesTest, WithoutPreemptionsOnlyOrdersAreExplored) {
  ExploreOptions options;
  options.schedules.max_preemptions = 0;
  EXPECT_THAT(ExploreSchedules(options, LoseUpdate), HasNoFindings());
}

TEST(ExploreSchedulesTest, ARandomSearchFollowsAfterTooManySchedules) {
  ExploreOptions options;
  options.schedules = {.max_preemptions = 1,
                       .max_schedules = 30,
                       .pct_depth = 3,
                       .pct_schedules = 20};
  const ScheduleResult result =
      ExploreSchedules(options, [](Syscalls& sys, FakeKernel& kernel) {
        return TwoTasks(40, sys, kernel);
      });
  EXPECT_THAT(result, HasNoFindings());
  EXPECT_FALSE(result.exhausted);
  EXPECT_EQ(result.counts.random, 20);
  EXPECT_EQ(result.Statement(),
            "no schedule that was tried makes Scenario fail, hang or leak; 30 "
            "schedules, of more, with <= 1 preemptions and 20 random schedules "
            "(PCT, depth 3), seed 1");
}

TEST(ExploreSchedulesTest, MaxRunsEndsIt) {
  ExploreOptions options;
  options.max_runs = 10;
  const ScheduleResult result = ExploreSchedules(options, SixCallsEach);
  EXPECT_EQ(result.counts.Total(), 10);
  EXPECT_FALSE(result.complete);
  EXPECT_THAT(result, Not(HasNoFindings()));
  EXPECT_THAT(result.Statement(), StartsWith("not complete: "));
}

TEST(ExploreSchedulesTest, ShardsShareTheSchedules) {
  int64_t total = 0;
  for (int i = 0; i < 3; ++i) {
    ExploreOptions options;
    options.shard = {.index = i, .total = 3};
    const ScheduleResult result = ExploreSchedules(options, SixCallsEach);
    EXPECT_THAT(result, HasNoFindings());
    total += result.counts.Total();
  }
  EXPECT_EQ(total, 86 + 2) << "each shard runs the plain schedule";
}

TEST(ExploreSchedulesTest, AFailureUnderAllSchedulesIsNoRace) {
  const ScheduleResult result =
      ExploreSchedules([](Syscalls& sys, FakeKernel& kernel) {
        static_cast<void>(TwoTasks(1, sys, kernel));
        return absl::InternalError("always");
      });
  ASSERT_THAT(result.findings, SizeIs(1)) << result;
  EXPECT_EQ(result.findings.front().kind, FindingKind::kBroken);
  EXPECT_EQ(result.findings.front().schedules, result.counts.Total());
}

TEST(ExploreSchedulesTest, OneParticipantIsAFinding) {
  const ScheduleResult result = ExploreSchedules([](Syscalls& sys) {
    MakeCall(sys);
    return absl::OkStatus();
  });
  EXPECT_THAT(result.findings, ElementsAre(Field(&ScheduleFinding::kind,
                                                 FindingKind::kNotInCharge)));
}

// The program with the planted race is ended at its first call, so that no
// schedule shows the race. The scenario must not be reported as correct.
TEST(ExploreSchedulesTest, APlantedRaceThatIsNotFoundIsAFinding) {
  ExploreOptions options;
  options.max_calls = 0;
  int runs = 0;
  const ScheduleResult result =
      ExploreSchedules(options, [&](Syscalls&, FakeKernel&) {
        ++runs;
        return absl::OkStatus();
      });
  EXPECT_THAT(result, Not(HasNoFindings()));
  EXPECT_THAT(
      result.findings,
      ElementsAre(AllOf(
          Field(&ScheduleFinding::kind, FindingKind::kNotInCharge),
          Field(&ScheduleFinding::text, HasSubstr("has not found the race")))))
      << result;
  EXPECT_EQ(runs, 0);
}

TEST(ExploreSchedulesTest, AScenarioThatDoesNotRepeatIsAFinding) {
  int runs = 0;
  const ScheduleResult result =
      ExploreSchedules([&](Syscalls& sys, FakeKernel& kernel) {
        return TwoTasks(1 + ++runs % 2, sys, kernel);
      });
  EXPECT_THAT(result.findings, ElementsAre(Field(&ScheduleFinding::kind,
                                                 FindingKind::kNotRepeatable)));
  EXPECT_FALSE(result.complete);
}

TEST(ExploreSchedulesTest, ARunOutsideIsAFinding) {
  const ScheduleResult result =
      ExploreSchedules([](Syscalls& sys, FakeKernel& kernel) {
        return RunTasks(kernel, {{"one", [&] { MakeCall(sys); }},
                                 {"two", [&] { kernel.Outside([] {}); }}});
      });
  EXPECT_THAT(result.findings, Contains(Field(&ScheduleFinding::kind,
                                              FindingKind::kNotRepeatable)));
}

TEST(ExploreSchedulesTest, AScheduleThatCannotBeMadeIsAFinding) {
  EXPECT_THAT(
      ReplaySchedule("call:bz", LoseUpdate).findings,
      Contains(Field(&ScheduleFinding::kind, FindingKind::kNotRepeatable)));
  EXPECT_THAT(ReplaySchedule("call!", LoseUpdate).findings,
              ElementsAre(Field(&ScheduleFinding::kind, FindingKind::kBroken)));
}

TEST(ExploreSchedulesTest, TasksThatMakeCallsForEverAreAFinding) {
  ExploreOptions options;
  options.max_calls = 300;
  options.schedules.max_preemptions = 0;
  const ScheduleResult result = ExploreSchedules(options, [](Syscalls& sys,
                                                             FakeKernel&
                                                                 kernel) {
    const auto spin = [&] {
      while (true) MakeCall(sys);
    };
    return RunTasks(kernel, {{"one", spin}, {"two", [&] { MakeCall(sys); }}});
  });
  EXPECT_THAT(result.findings,
              Contains(Field(&ScheduleFinding::kind, FindingKind::kEndless)))
      << result;
}

// --- Faults and schedules together -------------------------------------------

// One task closes the socket if listen(2) fails, and then sets a flag. The
// other one reads the flag before.
absl::Status CloseOnError(bool is_fixed, Syscalls& sys, FakeKernel& kernel) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return kit::ToStatus(made, "socket");
  std::atomic<bool> is_closed = false;
  const auto listen = [&] {
    const SysResult listened = kit::StartListening(sys, made.fd());
    if (!listened.ok() && !is_fixed) {
      kit::Discard(sys, made.fd());
      is_closed = true;
    }
    return kit::ToStatus(listened, "listen");
  };
  const auto read_port = [&] {
    if (is_closed) return absl::OkStatus();
    uint16_t port = 0;
    return kit::ToStatus(kit::ReadPort(sys, made.fd(), &port), "getsockname");
  };
  const absl::Status status =
      RunTasks(kernel, {{"listens", listen}, {"reads", read_port}});
  if (is_closed) return status;
  return kit::FirstError(status, kit::CloseIt(sys, made.fd()));
}

absl::Status BrokenCloseOnError(Syscalls& sys, FakeKernel& kernel) {
  return CloseOnError(/*is_fixed=*/false, sys, kernel);
}

absl::Status FixedCloseOnError(Syscalls& sys, FakeKernel& kernel) {
  return CloseOnError(/*is_fixed=*/true, sys, kernel);
}

ExploreOptions OneFaultOnePreemption() {
  ExploreOptions options;
  options.name = "CloseOnError";
  options.max_faults = 1;
  options.schedules.max_preemptions = 1;
  return options;
}

TEST(ExploreFaultsUnderSchedulesTest, FindsARaceAfterAFault) {
  const ExploreOptions options = OneFaultOnePreemption();
  EXPECT_THAT(ExploreSchedules(options, BrokenCloseOnError), HasNoFindings())
      << "no fault, no race";
  const ExploreResult result =
      ExploreFaultsUnderSchedules(options, BrokenCloseOnError);
  ASSERT_THAT(result.findings, SizeIs(1)) << result;
  const ExploreFinding& finding = result.findings.front();
  EXPECT_EQ(finding.kind, FindingKind::kUseAfterClose);
  EXPECT_EQ(finding.plan.ToString(), "listen=EADDRINUSE");
  EXPECT_THAT(result.TestSource(finding),
              HasSubstr("const net::ExploreOptions options = {.kernel = "
                        "{.schedule = {.replay = \"" +
                        finding.schedule + "\"}}};"));

  ExploreOptions again = options;
  again.kernel.schedule.replay = finding.schedule;
  EXPECT_THAT(
      RunFaultPlan("listen=EADDRINUSE", again, BrokenCloseOnError).findings,
      ElementsAre(Field(&ExploreFinding::kind, FindingKind::kUseAfterClose)));
  again.kernel.schedule.replay = "call:";
  EXPECT_THAT(RunFaultPlan("listen=EADDRINUSE", again, BrokenCloseOnError),
              HasNoFindings())
      << "no preemption, no race";
}

TEST(ExploreFaultsUnderSchedulesTest, TheCorrectedProgramHasNoFindings) {
  const ExploreResult result =
      ExploreFaultsUnderSchedules(OneFaultOnePreemption(), FixedCloseOnError);
  EXPECT_THAT(result, HasNoFindings());
  EXPECT_GT(result.schedules, 2);
  EXPECT_THAT(result.Statement(),
              HasSubstr(" leak, hang or swallow under any of "));
}

TEST(ExploreFaultsUnderSchedulesTest, ARaceWithoutAFaultComesFirst) {
  const ExploreResult result =
      ExploreFaultsUnderSchedules(OneFaultOnePreemption(), LoseUpdate);
  ASSERT_THAT(result.findings, SizeIs(1)) << result;
  EXPECT_EQ(result.findings.front().kind, FindingKind::kRace);
  EXPECT_THAT(result.findings.front().plan.rules, IsEmpty());
}

TEST(ExploreFaultsUnderSchedulesTest, MaxRunsEndsIt) {
  ExploreOptions options = OneFaultOnePreemption();
  options.max_runs = 40;
  EXPECT_FALSE(
      ExploreFaultsUnderSchedules(options, FixedCloseOnError).complete);
}

}  // namespace
}  // namespace net
