// Explorations of schedules that are stopped and continued.

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fakes/call.h"
#include "fakes/explorer/checkpoint.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/has_no_findings.h"
#include "fakes/explorer/racing_scenarios.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/explorer/schedule_checkpoint.h"
#include "fakes/fake_kernel.h"
#include "fakes/faults/fault_plan.h"
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
using testing::SizeIs;

class ScheduleParts : public testing::Test {
 protected:
  ScheduleParts() {
    options_.checkpoint = testing::TempDir() + "/schedules";
    ::unlink(options_.checkpoint.c_str());
    ::unlink((options_.checkpoint + ".schedule").c_str());
  }

  // Explores in parts of `runs` runs. Returns the last result.
  template <typename Result>
  Result InParts(Result (*explore)(const ExploreOptions&, const Scenario&),
                 const Scenario& scenario, int64_t runs, int* parts) {
    constexpr int kMostParts = 1000;
    ExploreOptions options = options_;
    options.max_runs = runs;
    for (*parts = 1; *parts < kMostParts; ++*parts) {
      Result result = explore(options, scenario);
      if (result.complete) return result;
      options.max_runs += runs;
    }
    return {};
  }

  bool HasCheckpoint() const {
    return std::ifstream(options_.checkpoint).is_open();
  }

  ExploreOptions options_;
};

TEST_F(ScheduleParts, AStoppedExplorationContinues) {
  ExploreOptions whole_options = options_;
  whole_options.checkpoint.clear();
  const ScheduleResult whole = ExploreSchedules(whole_options, HasTwoRaces);
  ASSERT_TRUE(whole.exhausted);
  ASSERT_THAT(whole.findings, SizeIs(2));
  int parts = 0;
  const ScheduleResult sum =
      InParts(&ExploreSchedules, HasTwoRaces, 60, &parts);
  EXPECT_GT(parts, 3);
  EXPECT_TRUE(sum.exhausted);
  EXPECT_EQ(sum.counts.exhaustive, whole.counts.exhaustive);
  EXPECT_EQ(TextsOf(sum), TextsOf(whole));
  EXPECT_FALSE(HasCheckpoint()) << "it is complete";
}

TEST_F(ScheduleParts, ARandomSearchContinues) {
  options_.schedules.max_schedules = 50;
  options_.schedules.pct_schedules = 200;
  ExploreOptions whole_options = options_;
  whole_options.checkpoint.clear();
  const ScheduleResult whole = ExploreSchedules(whole_options, HasTwoRaces);
  int parts = 0;
  const ScheduleResult sum =
      InParts(&ExploreSchedules, HasTwoRaces, 35, &parts);
  EXPECT_GT(parts, 3);
  EXPECT_EQ(sum.counts.random, 200);
  EXPECT_EQ(sum.counts.exhaustive, whole.counts.exhaustive);
  EXPECT_EQ(TextsOf(sum), TextsOf(whole));
}

// The checkpoint is written while the exploration runs, too.
TEST_F(ScheduleParts, AnExplorationThatWasKilledContinues) {
  options_.schedules.max_preemptions = 4;
  ExploreOptions whole_options = options_;
  whole_options.checkpoint.clear();
  const ScheduleResult whole = ExploreSchedules(whole_options, HasTwoRaces);
  ASSERT_GT(whole.counts.Total(), 1100);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        int runs = 0;
        static_cast<void>(
            ExploreSchedules(options_, [&](Syscalls& sys, FakeKernel& kernel) {
              if (++runs == 1100) ::_exit(7);
              return HasTwoRaces(sys, kernel);
            }));
      },
      testing::ExitedWithCode(7), "");
  ASSERT_TRUE(HasCheckpoint());
  int runs = 0;
  const ScheduleResult rest =
      ExploreSchedules(options_, [&](Syscalls& sys, FakeKernel& kernel) {
        ++runs;
        return HasTwoRaces(sys, kernel);
      });
  EXPECT_TRUE(rest.exhausted);
  EXPECT_EQ(rest.counts.exhaustive, whole.counts.exhaustive);
  EXPECT_EQ(TextsOf(rest), TextsOf(whole));
  EXPECT_LT(runs, whole.counts.Total()) << "it begins where it was killed";
}

TEST_F(ScheduleParts, ACheckpointOfAnotherScenarioIsIgnored) {
  options_.max_runs = 10;
  EXPECT_FALSE(ExploreSchedules(options_, HasTwoRaces).complete);
  EXPECT_TRUE(HasCheckpoint());
  options_.max_runs = ExploreOptions().max_runs;
  ExploreOptions whole_options = options_;
  whole_options.checkpoint.clear();
  EXPECT_EQ(TextsOf(ExploreSchedules(options_, LoseUpdate)),
            TextsOf(ExploreSchedules(whole_options, LoseUpdate)));
}

TEST_F(ScheduleParts, ARaceOfACheckpointThatIsNotFoundAgainIsAFinding) {
  bool has_race = true;
  const Scenario scenario = [&](Syscalls& sys, FakeKernel& kernel) {
    const absl::Status status = LoseUpdate(sys, kernel);
    return has_race ? status : absl::OkStatus();
  };
  options_.max_runs = 40;
  const ScheduleResult part = ExploreSchedules(options_, scenario);
  ASSERT_FALSE(part.complete);
  ASSERT_THAT(part.findings,
              ElementsAre(Field(&ScheduleFinding::kind, FindingKind::kRace)));
  has_race = false;
  options_.max_runs = 60;
  EXPECT_THAT(
      ExploreSchedules(options_, scenario).findings,
      ElementsAre(Field(&ScheduleFinding::kind, FindingKind::kNotRepeatable)));
}

TEST_F(ScheduleParts, ACheckpointThatCannotBeWrittenIsAFinding) {
  options_.checkpoint = "/proc/no/such/directory";
  options_.max_runs = 10;
  EXPECT_THAT(
      ExploreSchedules(options_, LoseUpdate).findings,
      Contains(AllOf(Field(&ScheduleFinding::kind, FindingKind::kBroken),
                     Field(&ScheduleFinding::text,
                           "cannot write /proc/no/such/directory"))));
}

TEST_F(ScheduleParts, TextOfACheckpoint) {
  ScheduleCheckpoint checkpoint;
  checkpoint.fingerprint = 0xfedcba9876543210u;
  checkpoint.progress.exhaustive = {1, 5};
  checkpoint.progress.runs = 6;
  checkpoint.progress.pending = {
      {}, {{.deviations = {{.point = 3, .participant = 1}}, .digest = 9}}};
  checkpoint.progress.next_random = 4;
  checkpoint.progress.random = 2;
  checkpoint.progress.longest = 17;
  checkpoint.races = {
      {.schedules = 3, .choices = {0, 1, 60}, .key = "3 a key\nof two lines"}};
  const std::string text = ScheduleCheckpointText(checkpoint);
  EXPECT_EQ(text,
            "schedule exploration 1\n"
            "fingerprint 18364758544493064720\n"
            "random 4 2 17\n"
            "level 1\n"
            "level 5\n"
            "node 1 9 3:1\n"
            "race 3 call:ab{60} 3 a key\\nof two lines\n");
  const std::optional<ScheduleCheckpoint> again = ParseScheduleCheckpoint(text);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(ScheduleCheckpointText(*again), text);
  EXPECT_EQ(again->progress.runs, 6);
  for (const char* bad :
       {"", "schedule exploration 2\n", "node 1 9 3:1\n", "level x\n",
        "level 1\nnode 1 9\n", "level 1\nnode 0 9 3\n", "race 3 call:ab\n",
        "race 3 words key\n", "random 1 2\n", "words\n"}) {
    EXPECT_FALSE(ParseScheduleCheckpoint(
                     *bad == '\0' || *bad == 's'
                         ? std::string(bad)
                         : absl::StrCat("schedule exploration 1\n", bad))
                     .has_value())
        << bad;
  }
}

// --- Faults under schedules --------------------------------------------------

absl::Status IgnoresTheRace(Syscalls& sys, FakeKernel& kernel) {
  return CloseOnError([] {}, sys, kernel);
}

// It swallows the error of getsockname(2).
absl::Status SwallowsAnError(Syscalls& sys, FakeKernel& kernel) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return kit::ToStatus(made, "socket");
  const auto read_port = [&] {
    uint16_t port = 0;
    static_cast<void>(kit::ReadPort(sys, made.fd(), &port));
  };
  const absl::Status status = RunTasks(
      kernel, {{"reads", read_port}, {"calls", [&] { MakeCall(sys); }}});
  return kit::FirstError(status, kit::CloseIt(sys, made.fd()));
}

std::vector<std::string> TextsOf(const ExploreResult& result) {
  std::vector<std::string> texts;
  for (const ExploreFinding& finding : result.findings) {
    texts.push_back(absl::StrCat(KindText(finding.kind), " ", finding.text, " ",
                                 finding.plan.ToString(), " ",
                                 finding.schedule));
  }
  return texts;
}

TEST_F(ScheduleParts, FaultsUnderSchedulesContinue) {
  options_.max_faults = 2;
  options_.schedules.max_preemptions = 1;
  ExploreOptions whole_options = options_;
  whole_options.checkpoint.clear();
  for (const Scenario& scenario :
       {Scenario(IgnoresTheRace), Scenario(SwallowsAnError)}) {
    const ExploreResult whole =
        ExploreFaultsUnderSchedules(whole_options, scenario);
    ASSERT_TRUE(whole.complete);
    int parts = 0;
    const ExploreResult sum = InParts(&ExploreFaultsUnderSchedules, scenario,
                                      whole.counts.runs / 7, &parts);
    EXPECT_GT(parts, 3);
    EXPECT_EQ(sum.schedules, whole.schedules);
    EXPECT_EQ(sum.counts.plans, whole.counts.plans);
    EXPECT_EQ(sum.counts.runs, whole.counts.runs);
    EXPECT_EQ(TextsOf(sum), TextsOf(whole));
    EXPECT_EQ(sum.SiteTable(), whole.SiteTable());
    EXPECT_EQ(sum.calls, whole.calls);
    EXPECT_FALSE(HasCheckpoint());
  }
}

// A part makes only the runs that are left, and those that list the schedules.
TEST_F(ScheduleParts, FaultsUnderSchedulesBeginWhereTheyWereStopped) {
  options_.max_faults = 2;
  options_.schedules.max_preemptions = 0;  // Few schedules with many plans.
  int64_t made = 0;
  const Scenario scenario = [&](Syscalls& sys, FakeKernel& kernel) {
    ++made;
    return IgnoresTheRace(sys, kernel);
  };
  ExploreOptions whole_options = options_;
  whole_options.checkpoint.clear();
  const ExploreResult whole =
      ExploreFaultsUnderSchedules(whole_options, scenario);
  ASSERT_TRUE(whole.complete);
  EXPECT_LT(whole.schedules, 4);
  const int64_t all = made;
  options_.max_runs = 0;
  bool is_complete = false;
  for (int part = 0; part < 10 && !is_complete; ++part) {
    made = 0;
    options_.max_runs += whole.counts.runs / 7;
    is_complete = ExploreFaultsUnderSchedules(options_, scenario).complete;
  }
  EXPECT_TRUE(is_complete);
  EXPECT_LT(made, all / 3);
}

TEST_F(ScheduleParts, ACheckpointOfOtherFaultsUnderSchedulesIsIgnored) {
  options_.max_faults = 1;
  options_.schedules.max_preemptions = 1;
  std::vector<ExploreOptions> others(5, options_);
  others[0].max_faults = 2;
  others[1].prune = !others[1].prune;
  others[2].shard = {.index = 1, .total = 2};
  others[3].declarations = {Ignores(Call::kGetSockName, EIO, "a guess")};
  others[4].schedules.max_preemptions = 0;
  for (ExploreOptions& other : others) {
    other.checkpoint.clear();
    const ExploreResult whole =
        ExploreFaultsUnderSchedules(other, SwallowsAnError);
    const ExploreResult base =
        ExploreFaultsUnderSchedules(options_, IgnoresTheRace);
    EXPECT_FALSE(HasCheckpoint());
    ExploreOptions part = options_;
    part.max_runs = base.counts.runs / 2;
    EXPECT_FALSE(ExploreFaultsUnderSchedules(part, SwallowsAnError).complete);
    EXPECT_TRUE(HasCheckpoint());
    other.checkpoint = options_.checkpoint;
    const ExploreResult with_other =
        ExploreFaultsUnderSchedules(other, SwallowsAnError);
    EXPECT_EQ(TextsOf(with_other), TextsOf(whole));
    EXPECT_EQ(with_other.counts.runs, whole.counts.runs);
    EXPECT_EQ(with_other.schedules, whole.schedules);
    ::unlink(options_.checkpoint.c_str());
    ::unlink((options_.checkpoint + ".schedule").c_str());
  }
}

TEST_F(ScheduleParts, ACheckpointOfFaultsThatCannotBeWrittenIsAFinding) {
  options_.checkpoint = "/proc/no/such/directory";
  EXPECT_THAT(ExploreFaultsUnderSchedules(options_, IgnoresTheRace).findings,
              Contains(AllOf(Field(&ExploreFinding::kind, FindingKind::kBroken),
                             Field(&ExploreFinding::text,
                                   "cannot write /proc/no/such/directory"))));
}

TEST_F(ScheduleParts, EachShardOfFaultsHasTheRacesWithoutAFault) {
  options_.checkpoint.clear();
  for (int i = 0; i < 3; ++i) {
    options_.shard = {.index = i, .total = 3};
    EXPECT_THAT(ExploreFaultsUnderSchedules(options_, LoseUpdate).findings,
                ElementsAre(Field(&ExploreFinding::kind, FindingKind::kRace)));
  }
}

TEST_F(ScheduleParts, WhatSeveralSchedulesShowIsListedOnce) {
  options_.checkpoint.clear();
  options_.schedules.max_preemptions = 1;
  const ExploreResult result =
      ExploreFaultsUnderSchedules(options_, SwallowsAnError);
  EXPECT_GT(result.schedules, 1);
  ASSERT_THAT(result.findings, SizeIs(1)) << result;
  ExploreOptions one = options_;
  one.kernel.schedule.replay = "call:";
  const ExploreResult under_one = ExploreFaults(one, SwallowsAnError);
  ASSERT_THAT(under_one.findings, SizeIs(1)) << under_one;
  EXPECT_GE(result.findings.front().plans,
            under_one.findings.front().plans + result.schedules - 1)
      << "at least one under each of the others";
  EXPECT_THAT(result.calls,
              testing::WhenSorted(testing::ElementsAreArray(
                  std::set<Call>(result.calls.begin(), result.calls.end()))));
  std::set<std::string> sites;
  for (const ExploreSite& site : result.sites) {
    EXPECT_TRUE(sites
                    .insert(absl::StrCat(CallName(site.call), " ",
                                         site.occurrence, " ", site.error, " ",
                                         static_cast<int>(site.outcome)))
                    .second);
  }
}

TEST_F(ScheduleParts, MaxRunsIsForAllSchedulesTogether) {
  options_.checkpoint.clear();
  options_.schedules.max_preemptions = 1;
  const ExploreResult whole =
      ExploreFaultsUnderSchedules(options_, IgnoresTheRace);
  ASSERT_EQ(whole.schedules, 4);
  // It ends within the second schedule.
  options_.max_runs = whole.counts.runs * 3 / 8;
  const ExploreResult part =
      ExploreFaultsUnderSchedules(options_, IgnoresTheRace);
  EXPECT_FALSE(part.complete);
  EXPECT_EQ(part.schedules, 2);
  EXPECT_LT(part.counts.runs, whole.counts.runs / 2);
}

TEST_F(ScheduleParts, TextOfACheckpointOfFaultsUnderSchedules) {
  Checkpoint checkpoint;
  checkpoint.findings = {{.kind = FindingKind::kLeak,
                          .text = "two\nlines\tand a tab",
                          .plan = {},
                          .schedule = "call:ab",
                          .plans = 2,
                          .errnos = {}}};
  ExploreFinding with_plan = checkpoint.findings[0];
  with_plan.plan = *ParseFaultPlan("close=EIO; bind=EACCES");
  with_plan.errnos = {5, 13};
  checkpoint.findings.push_back(with_plan);
  checkpoint.calls = {Call::kAccept4};
  const std::string text = CheckpointText(checkpoint);
  const std::optional<Checkpoint> again = ParseCheckpoint(text);
  ASSERT_TRUE(again.has_value()) << text;
  EXPECT_EQ(CheckpointText(*again), text);
  EXPECT_EQ(again->findings[0].text, "two\nlines\tand a tab");
  EXPECT_EQ(again->findings[1].plan, with_plan.plan);
  EXPECT_EQ(again->findings[1].errnos, with_plan.errnos);
  EXPECT_THAT(again->calls, ElementsAre(Call::kAccept4));
}

}  // namespace
}  // namespace net
