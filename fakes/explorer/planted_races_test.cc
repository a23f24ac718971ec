// ExploreSchedules() finds each planted race, prints how to repeat it, and
// finds nothing in the corrected program.

#include "fakes/explorer/planted_races.h"

#include <string>
#include <vector>

#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/explorer/has_no_findings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

std::vector<PlantedRace> AllRaces() {
  std::vector<PlantedRace> all = RacesOfDescriptors();
  for (const PlantedRace& race : RacesOfConnections()) all.push_back(race);
  return all;
}

class PlantedRaceTest : public testing::TestWithParam<PlantedRace> {};

TEST_P(PlantedRaceTest, IsFoundAndReplayed) {
  const PlantedRace& race = GetParam();
  const ExploreOptions options = race.Options();
  const ScheduleResult result = ExploreSchedules(options, race.Broken());
  ASSERT_THAT(result.findings,
              Contains(Field(&ScheduleFinding::kind, race.kind)))
      << result;
  EXPECT_LE(result.findings.front().preemptions, 1) << result;
  for (const ScheduleFinding& finding : result.findings) {
    EXPECT_GE(finding.schedules, 1) << result;
    EXPECT_THAT(result.ToString(), HasSubstr(result.ReplayLine(finding)));
    EXPECT_THAT(finding.interleaving, Not(testing::IsEmpty()));
    const ScheduleResult again =
        ReplaySchedule(finding.schedule, options, race.Broken());
    EXPECT_THAT(again.findings,
                Contains(Field(&ScheduleFinding::text, finding.text)))
        << result << again;
  }
}

TEST_P(PlantedRaceTest, TheCorrectedProgramHasNone) {
  const PlantedRace& race = GetParam();
  EXPECT_THAT(ExploreSchedules(race.Options(), race.Fixed()), HasNoFindings());
}

// Without the exhaustive search.
TEST_P(PlantedRaceTest, IsFoundByTheRandomSearch) {
  const PlantedRace& race = GetParam();
  ExploreOptions options = race.Options();
  options.schedules.max_schedules = 0;
  options.schedules.pct_schedules = 300;
  const ScheduleResult result = ExploreSchedules(options, race.Broken());
  ASSERT_THAT(result.findings,
              Contains(Field(&ScheduleFinding::kind, race.kind)))
      << result;
  EXPECT_LE(result.findings.front().preemptions, 1)
      << "not reduced: " << result;
  for (const ScheduleFinding& finding : result.findings) {
    EXPECT_THAT(ReplaySchedule(finding.schedule, options, race.Broken()),
                Not(HasNoFindings()));
  }
}

INSTANTIATE_TEST_SUITE_P(All, PlantedRaceTest, testing::ValuesIn(AllRaces()),
                         [](const auto& race) { return race.param.name; });

TEST(PlantedRacesTest, ThereAreTwelve) { EXPECT_EQ(AllRaces().size(), 12U); }

}  // namespace
}  // namespace net
