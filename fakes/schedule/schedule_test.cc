#include "fakes/schedule/schedule.h"

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net {
namespace {

using ::testing::ElementsAre;

std::string RoundTrip(const std::string& text) {
  const absl::StatusOr<Schedule> schedule = ParseSchedule(text);
  return schedule.ok() ? schedule->ToString() : schedule.status().ToString();
}

TEST(Schedule, IsParsedAndPrinted) {
  const absl::StatusOr<Schedule> schedule = ParseSchedule("50:ab3cA{52}{53}2");
  ASSERT_THAT(schedule, IsOk());
  EXPECT_FALSE(schedule->at_each_call);
  EXPECT_EQ(schedule->calls_without_blocking, 50);
  EXPECT_THAT(schedule->choices, ElementsAre(0, 1, 1, 1, 2, 26, 52, 53, 53));
  for (const char* const text :
       {"50:ab3cA{52}{53}2", "100:", "call:", "call:ab", "1:z9Z9"}) {
    EXPECT_EQ(RoundTrip(text), text);
  }
}

TEST(Schedule, ABadTextIsAnError) {
  for (const char* const text :
       {"", "100", "call", ":ab", "0:a", "-1:a", "call:a0", "call:3a",
        "call:a b", "call:{52", "call:{}", "call:{x}", "call:a99999999999",
        "call:a268435457", "100:é"}) {
    EXPECT_EQ(ParseSchedule(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(ReplayedSchedule, MakesTheChoicesAgain) {
  ReplayedSchedule policy(*ParseSchedule("100:ca"));
  const std::vector<int> runnable = {0, 1, 2};
  EXPECT_EQ(policy.Choose({.runnable = runnable}), 2U);
  EXPECT_EQ(policy.Choose({.runnable = runnable}), 0U);
  EXPECT_EQ(policy.diverged_at(), -1);
}

TEST(ReplayedSchedule, AfterItsEndTheHolderGoesOn) {
  ReplayedSchedule policy(*ParseSchedule("call:"));
  EXPECT_TRUE(policy.ChoosesAtEachCall());
  const std::vector<int> runnable = {0, 1, 2};
  EXPECT_EQ(policy.Choose({.runnable = runnable, .current = 1}), 1U);
  EXPECT_EQ(policy.Choose({.runnable = runnable, .current = 7}), 0U);
  EXPECT_EQ(policy.Choose({.runnable = runnable}), 0U);
  EXPECT_EQ(policy.diverged_at(), -1);
}

TEST(ReplayedSchedule, NoticesThatTheProgramIsAnother) {
  ReplayedSchedule policy(*ParseSchedule("100:ab"));
  const std::vector<int> runnable = {0, 2};
  EXPECT_EQ(policy.Choose({.runnable = runnable}), 0U);
  EXPECT_EQ(policy.Choose({.runnable = runnable}), 0U);
  EXPECT_EQ(policy.Choose({.runnable = runnable}), 0U);
  EXPECT_EQ(policy.diverged_at(), 1);
}

TEST(SeededSchedule, EqualSeedsChooseEqually) {
  const std::vector<int> runnable = {0, 1, 2};
  std::set<std::string> runs;
  for (int i = 0; i < 20; ++i) {
    SeededSchedule policy(static_cast<uint64_t>(i % 10));
    std::string run;
    for (int k = 0; k < 20; ++k) {
      run += static_cast<char>('0' + policy.Choose({.runnable = runnable}));
    }
    runs.insert(run);
  }
  EXPECT_EQ(runs.size(), 10U);
}

TEST(SeededSchedule, EachIsAboutEquallyLikely) {
  const std::vector<int> runnable = {0, 1, 2};
  std::vector<int> counts(3);
  SeededSchedule policy(1);
  for (int i = 0; i < 3000; ++i) {
    ++counts[policy.Choose({.runnable = runnable})];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 100);
}

}  // namespace
}  // namespace net
