// The search for schedules, on programs that need no kernel.

#include "fakes/explorer/schedule_search.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_record.h"
#include "fakes/explorer/schedule_shrink.h"
#include "fakes/schedule/schedule.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

// Participants that make calls. Before each call, and when one has ended, the
// policy chooses who goes on.
class Program {
 public:
  // `calls`: how many each participant makes.
  explicit Program(std::vector<int> calls) : left_(std::move(calls)) {}

  // Returns the participants in the order of their calls: "aab".
  std::string Run(SchedulePolicy& policy) {
    int current = -1;
    while (true) {
      std::vector<int> runnable;
      for (size_t i = 0; i < left_.size(); ++i) {
        if (left_[i] > 0) runnable.push_back(static_cast<int>(i));
      }
      if (runnable.empty()) return trace_;
      const bool ends = current < 0 || left_[static_cast<size_t>(current)] == 0;
      size_t chosen = 0;
      if (runnable.size() > 1) {
        chosen = policy.Choose({.why = ends ? HandOver::kEnd : HandOver::kCall,
                                .runnable = runnable,
                                .current = current});
      }
      current = runnable[chosen];
      --left_[static_cast<size_t>(current)];
      trace_ += static_cast<char>('a' + current);
    }
  }

 private:
  std::vector<int> left_;
  std::string trace_;
};

// Returns how often a participant with calls left was replaced by another one.
int PreemptionsOf(const std::string& trace) {
  int count = 0;
  for (size_t i = 0; i + 1 < trace.size(); ++i) {
    if (trace[i] != trace[i + 1] &&
        trace.find(trace[i], i + 1) != std::string::npos) {
      ++count;
    }
  }
  return count;
}

// Returns all interleavings with at most `max` preemptions, by brute force.
void AddInterleavings(std::vector<int> left, const std::string& trace, int max,
                      std::set<std::string>& all) {
  bool ended = true;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] == 0) continue;
    ended = false;
    std::vector<int> rest = left;
    --rest[i];
    AddInterleavings(rest, trace + static_cast<char>('a' + i), max, all);
  }
  if (ended && PreemptionsOf(trace) <= max) all.insert(trace);
}

struct Searched {
  std::vector<std::string> traces;
  std::vector<int64_t> by_preemptions;
  bool is_exhausted = false;
};

Searched SearchAll(const std::vector<int>& calls,
                   const ScheduleLimits& limits) {
  Searched all;
  const auto run = [&](RecordingSchedule& policy, bool is_repeated) {
    const std::string trace = Program(calls).Run(policy);
    if (!is_repeated) all.traces.push_back(trace);
    return ScheduledRun{.digest = std::hash<std::string>()(trace)};
  };
  ScheduleSearch search(limits, run);
  search.SearchExhaustively();
  EXPECT_TRUE(search.repeats());
  all.by_preemptions = search.progress().exhaustive;
  all.is_exhausted = search.is_exhausted();
  return all;
}

TEST(ScheduleSearchTest, RunsEachInterleavingOnce) {
  for (const std::vector<int>& calls :
       {std::vector<int>{6, 6}, {3, 4}, {2, 3, 2}, {1, 1, 1, 2}, {5}}) {
    for (int max = 0; max <= 3; ++max) {
      const Searched all = SearchAll(
          calls,
          {.bounds = {.max_preemptions = max, .max_schedules = 1 << 20}});
      std::set<std::string> expected;
      AddInterleavings(calls, "", max, expected);
      EXPECT_TRUE(all.is_exhausted);
      EXPECT_EQ(std::set<std::string>(all.traces.begin(), all.traces.end()),
                expected)
          << max;
      EXPECT_THAT(all.traces, SizeIs(expected.size())) << "some ran twice";
    }
  }
}

TEST(ScheduleSearchTest, FewerPreemptionsComeFirst) {
  const Searched all = SearchAll(
      {4, 4}, {.bounds = {.max_preemptions = 2, .max_schedules = 1 << 20}});
  int last = 0;
  std::map<int, int64_t> counts;
  for (const std::string& trace : all.traces) {
    EXPECT_GE(PreemptionsOf(trace), last) << trace;
    last = PreemptionsOf(trace);
    ++counts[last];
  }
  EXPECT_THAT(all.by_preemptions, ElementsAre(counts[0], counts[1], counts[2]));
}

// The deviation can be made, but at an earlier point a third participant can
// run, which could not in the run that the deviation follows from.
TEST(ScheduleSearchTest, AnotherBeginningIsNoRepetition) {
  int runs = 0;
  const auto run = [&](RecordingSchedule& policy, bool is_repeated) {
    if (!is_repeated) ++runs;
    // Runs 1, 2 and 4 are repeated to be compared with themselves.
    const std::string trace =
        Program(runs == 3 ? std::vector<int>{3, 3, 1} : std::vector<int>{3, 3})
            .Run(policy);
    return ScheduledRun{.digest = std::hash<std::string>()(trace)};
  };
  ScheduleSearch search(
      {.bounds = {.max_preemptions = 2, .max_schedules = 1 << 20}}, run);
  search.SearchExhaustively();
  EXPECT_FALSE(search.repeats());
  EXPECT_EQ(runs, 3);
}

TEST(ScheduleSearchTest, TheBudgetEndsIt) {
  const Searched all = SearchAll(
      {6, 6}, {.bounds = {.max_preemptions = 2, .max_schedules = 10}});
  EXPECT_THAT(all.traces, SizeIs(10));
  EXPECT_FALSE(all.is_exhausted);
}

TEST(ScheduleSearchTest, ShardsShareTheWork) {
  const Searched whole = SearchAll(
      {3, 3, 2}, {.bounds = {.max_preemptions = 2, .max_schedules = 1 << 20}});
  std::multiset<std::string> together;
  constexpr int kShards = 3;
  for (int i = 0; i < kShards; ++i) {
    const Searched part = SearchAll(
        {3, 3, 2}, {.bounds = {.max_preemptions = 2, .max_schedules = 1 << 20},
                    .shard_index = i,
                    .shard_total = kShards});
    EXPECT_LT(part.traces.size(), whole.traces.size());
    // Each shard runs the plain schedule.
    EXPECT_EQ(part.traces.front(), whole.traces.front());
    together.insert(part.traces.begin() + (i == 0 ? 0 : 1), part.traces.end());
  }
  EXPECT_EQ(together, std::multiset<std::string>(whole.traces.begin(),
                                                 whole.traces.end()));
}

TEST(ScheduleSearchTest, TheTextOfARunRepeatsIt) {
  const std::vector<int> calls = {3, 2, 3};
  const auto run = [&](RecordingSchedule& policy, bool /*is_repeated*/) {
    const std::string trace = Program(calls).Run(policy);
    ReplayedSchedule replayed(policy.record().ToSchedule());
    EXPECT_EQ(Program(calls).Run(replayed), trace);
    EXPECT_EQ(replayed.diverged_at(), -1);
    EXPECT_EQ(policy.record().Preemptions(), PreemptionsOf(trace));
    return ScheduledRun();
  };
  ScheduleSearch search({.bounds = {.max_preemptions = 2,
                                    .max_schedules = 1 << 20,
                                    .pct_schedules = 200}},
                        run);
  search.SearchExhaustively();
  search.SearchRandomly();
  EXPECT_EQ(search.progress().random, 200);
}

TEST(ScheduleSearchTest, ThePlainScheduleHasAnEmptyText) {
  DeviatingSchedule plain({});
  EXPECT_EQ(Program({3, 3}).Run(plain), "aaabbb");
  EXPECT_THAT(plain.record().ToSchedule().choices, SizeIs(0));
}

TEST(ScheduleSearchTest, AProgramThatDoesNotRepeatEndsTheSearch) {
  int runs = 0;
  const auto run = [&](RecordingSchedule& policy, bool /*is_repeated*/) {
    Program({3 + ++runs % 2, 3}).Run(policy);
    return ScheduledRun();
  };
  ScheduleSearch search(
      {.bounds = {.max_preemptions = 1, .max_schedules = 1000}}, run);
  search.SearchExhaustively();
  EXPECT_FALSE(search.repeats());
  EXPECT_TRUE(search.is_stopped());
  EXPECT_FALSE(search.is_exhausted());
}

TEST(ScheduleSearchTest, AProgramThatActsOtherwiseEndsTheSearch) {
  uint64_t runs = 0;
  const auto run = [&](RecordingSchedule& policy, bool /*is_repeated*/) {
    Program({3, 3}).Run(policy);
    // The fourth schedule is repeated.
    return ScheduledRun{.digest = ++runs < 6 ? 0 : runs};
  };
  ScheduleSearch search(
      {.bounds = {.max_preemptions = 1, .max_schedules = 1000}}, run);
  search.SearchExhaustively();
  EXPECT_FALSE(search.repeats());
  EXPECT_TRUE(search.is_stopped());
}

TEST(ScheduleSearchTest, TheProgramCanStopIt) {
  int runs = 0;
  const auto run = [&](RecordingSchedule& policy, bool is_repeated) {
    Program({3, 3}).Run(policy);
    if (!is_repeated) ++runs;
    return ScheduledRun{.goes_on = runs < 5};
  };
  ScheduleSearch search(
      {.bounds = {.max_preemptions = 2, .max_schedules = 1000}}, run);
  search.SearchExhaustively();
  EXPECT_EQ(runs, 5);
  search.SearchRandomly();
  EXPECT_EQ(runs, 5);
}

// A participant that polls until another one has made its call.
TEST(ScheduleSearchTest, ALoopThatPollsLetsTheOthersRun) {
  const auto poll = [](RecordingSchedule& policy) {
    const std::vector<int> both = {0, 1};
    for (int polls = 1; polls <= 1000; ++polls) {
      const size_t chosen = policy.Choose(
          {.why = HandOver::kCall, .runnable = both, .current = 0});
      if (chosen == 1) return polls;
    }
    return 0;
  };
  DeviatingSchedule plain({});
  EXPECT_GT(poll(plain), 1);
  EXPECT_EQ(plain.record().Preemptions(), 0) << "it had the baton for too long";
  for (uint64_t seed = 0; seed < 20; ++seed) {
    PctSchedule random(seed, /*depth=*/1, /*length=*/1);
    EXPECT_GT(poll(random), 0) << seed;
  }
}

TEST(ScheduleSearchTest, AYieldGoesToTheNextOne) {
  const std::vector<int> all = {0, 2, 5};
  DeviatingSchedule plain({});
  const auto yield = [&](int current) {
    return plain.Choose(
        {.why = HandOver::kYield, .runnable = all, .current = current});
  };
  EXPECT_EQ(yield(0), 1U);
  EXPECT_EQ(yield(2), 2U);
  EXPECT_EQ(yield(5), 0U);
  EXPECT_EQ(plain.record().Preemptions(), 0);
}

// The bad order: seven calls of a, and then one of b.
TEST(PctScheduleTest, FindsAnOrderOfFewEvents) {
  constexpr int kSchedules = 3000;
  int found = 0;
  for (uint64_t seed = 0; seed < kSchedules; ++seed) {
    PctSchedule policy(seed, /*depth=*/2, /*length=*/39);
    const std::string trace = Program({20, 20}).Run(policy);
    if (trace.compare(0, 8, "aaaaaaab") == 0) ++found;
  }
  // With a probability of 1/2 a runs first, and of 1/39 it then loses its
  // priority at its eighth call.
  EXPECT_GT(found, kSchedules / 39 / 4);
  EXPECT_LT(found, kSchedules / 39);
}

TEST(PctScheduleTest, EqualSeedsGiveEqualSchedules) {
  std::set<std::string> traces;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    PctSchedule one(seed, 3, 20);
    PctSchedule two(seed, 3, 20);
    const std::string trace = Program({5, 5, 5}).Run(one);
    EXPECT_EQ(Program({5, 5, 5}).Run(two), trace);
    traces.insert(trace);
  }
  EXPECT_GT(traces.size(), 20U);
}

TEST(PctScheduleTest, DepthOneNeverPreempts) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    PctSchedule policy(seed, /*depth=*/1, 20);
    Program({5, 5, 5}).Run(policy);
    EXPECT_EQ(policy.record().Preemptions(), 0);
  }
}

// A random schedule with many preemptions shows that b made a call before a's
// fourth.
TEST(ShrinkScheduleTest, LeavesThePreemptionsThatTheDefectNeeds) {
  const auto is_bad = [](const std::string& trace) {
    return trace.compare(0, 4, "aaab") == 0 && trace.back() == 'a';
  };
  const auto shows = [&](RecordingSchedule& policy) {
    return is_bad(Program({6, 6, 6}).Run(policy));
  };
  int shrunk = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    PctSchedule policy(seed, /*depth=*/8, /*length=*/12);
    const std::string trace = Program({6, 6, 6}).Run(policy);
    if (!is_bad(trace) || PreemptionsOf(trace) < 2) continue;
    ++shrunk;
    const ScheduleRecord small = ShrinkSchedule(policy.record(), shows);
    EXPECT_EQ(small.Preemptions(), 1) << trace;
    ReplayedSchedule replayed(small.ToSchedule());
    EXPECT_TRUE(is_bad(Program({6, 6, 6}).Run(replayed))) << trace;
  }
  EXPECT_GT(shrunk, 3);
}

TEST(ShrinkScheduleTest, KeepsAScheduleWithoutPreemptions) {
  DeviatingSchedule plain({});
  Program({3, 3}).Run(plain);
  const auto shows = [](RecordingSchedule& policy) {
    Program({3, 3}).Run(policy);
    return true;
  };
  EXPECT_THAT(ShrinkSchedule(plain.record(), shows).ToSchedule().choices,
              SizeIs(0));
}

TEST(SegmentedScheduleTest, RepeatsARun) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    PctSchedule policy(seed, 4, 20);
    const std::string trace = Program({5, 5, 5}).Run(policy);
    SegmentedSchedule again(SegmentsOf(policy.record()));
    EXPECT_EQ(Program({5, 5, 5}).Run(again), trace);
  }
}

TEST(SegmentedScheduleTest, ASegmentEndsWhenItsParticipantCannotRun) {
  SegmentedSchedule policy({{.participant = 1, .choices = 9},
                            {.participant = 0, .choices = 1},
                            {.participant = 2, .choices = 1}});
  EXPECT_EQ(Program({2, 2, 2}).Run(policy), "bbacca");
}

}  // namespace
}  // namespace net
