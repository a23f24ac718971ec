#include "fakes/kernel/tcp/sequence_ranges.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace net::fake {
namespace {

std::vector<std::pair<uint64_t, uint64_t>> Pairs(const SequenceRanges& set) {
  std::vector<std::pair<uint64_t, uint64_t>> pairs;
  for (const SequenceRanges::Range& range : set.ranges()) {
    pairs.emplace_back(range.begin, range.end);
  }
  return pairs;
}
using P = std::vector<std::pair<uint64_t, uint64_t>>;

TEST(SequenceRangesTest, KeepsRangesInOrder) {
  SequenceRanges set;
  EXPECT_TRUE(set.Add(20, 30));
  EXPECT_TRUE(set.Add(40, 50));
  EXPECT_TRUE(set.Add(1, 10));
  EXPECT_EQ(Pairs(set), (P{{1, 10}, {20, 30}, {40, 50}}));
  EXPECT_EQ(set.end(), 50U);
}

TEST(SequenceRangesTest, JoinsRangesThatTouch) {
  SequenceRanges set;
  set.Add(1, 10);
  set.Add(20, 30);
  set.Add(40, 50);
  EXPECT_TRUE(set.Add(10, 20));
  EXPECT_EQ(Pairs(set), (P{{1, 30}, {40, 50}}));
  EXPECT_TRUE(set.Add(25, 45));
  EXPECT_EQ(Pairs(set), (P{{1, 50}}));
}

TEST(SequenceRangesTest, RefusesWhatItHas) {
  SequenceRanges set;
  set.Add(10, 30);
  EXPECT_FALSE(set.Add(10, 30));
  EXPECT_FALSE(set.Add(15, 20));
  EXPECT_TRUE(set.Add(15, 31));
}

TEST(SequenceRangesTest, RemovesTheBeginning) {
  SequenceRanges set;
  set.Add(10, 20);
  set.Add(30, 40);
  set.RemoveBefore(20);
  EXPECT_EQ(Pairs(set), (P{{30, 40}}));
  set.RemoveBefore(35);
  EXPECT_EQ(Pairs(set), (P{{35, 40}}));
  set.RemoveBefore(40);
  EXPECT_TRUE(set.empty());
  EXPECT_EQ(set.end(), 0U);
}

TEST(SequenceRangesTest, FindsTheRangeThatEndsAfterANumber) {
  SequenceRanges set;
  set.Add(10, 20);
  set.Add(30, 40);
  EXPECT_EQ(set.EndingAfter(5)->begin, 10U);
  EXPECT_EQ(set.EndingAfter(19)->begin, 10U);
  EXPECT_EQ(set.EndingAfter(20)->begin, 30U);
  EXPECT_EQ(set.EndingAfter(40), nullptr);
}

}  // namespace
}  // namespace net::fake
