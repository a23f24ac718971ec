#include "fakes/kernel/tcp/arrival_times.h"

#include <cstdint>
#include <optional>

#include "fakes/kernel/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

using ::testing::Optional;

class ArrivalTimesTest : public testing::Test {
 protected:
  // A segment of 10 bytes arrives. Its number is the time.
  void Arrive() {
    times_.Add(end_, end_ + 10, read_, acknowledged_, ++arrived_);
    end_ += 10;
  }
  // The number of the segment whose time a byte has; -1: none.
  Nanoseconds Of(uint64_t byte) const { return times_.Of(byte).value_or(-1); }

  ArrivalTimes times_;
  uint64_t end_ = 1;  // The first byte has the number 1.
  uint64_t read_ = 1;
  uint64_t acknowledged_ = 1;
  Nanoseconds arrived_ = 0;
};

TEST_F(ArrivalTimesTest, SegmentsThatTheSenderKeepsAreApart) {
  Arrive();
  Arrive();
  EXPECT_EQ(Of(1), 1);
  EXPECT_EQ(Of(10), 1);
  EXPECT_EQ(Of(11), 2);
  EXPECT_EQ(Of(20), 2);
}

TEST_F(ArrivalTimesTest, AnAcknowledgedSegmentIsJoinedByTheNext) {
  Arrive();
  acknowledged_ = 11;
  Arrive();
  EXPECT_EQ(Of(1), 2);
  // Only the first segment of a buffer counts.
  Arrive();
  EXPECT_EQ(Of(1), 3);
}

TEST_F(ArrivalTimesTest, AnAcknowledgementOfAPartOfItIsNotEnough) {
  Arrive();
  acknowledged_ = 10;
  Arrive();
  EXPECT_EQ(Of(1), 1);
}

TEST_F(ArrivalTimesTest, WhatWasReadIsNotJoined) {
  Arrive();
  acknowledged_ = read_ = 11;
  Arrive();
  EXPECT_EQ(Of(10), 1) << "for the call that has read it";
  EXPECT_EQ(Of(11), 2);
}

TEST_F(ArrivalTimesTest, WhatWasReadInPartIsJoined) {
  Arrive();
  acknowledged_ = 11;
  read_ = 10;
  Arrive();
  EXPECT_EQ(Of(10), 2);
}

TEST_F(ArrivalTimesTest, ABufferHasAtMost17Fragments) {
  acknowledged_ = 1000;
  for (int i = 0; i < 20; ++i) Arrive();
  EXPECT_EQ(Of(1), 17);
  EXPECT_EQ(Of(170), 17);
  EXPECT_EQ(Of(171), 20);
}

// Each of these segments is in three pages.
TEST_F(ArrivalTimesTest, ALargeSegmentHasMoreFragments) {
  constexpr uint64_t kSize = 65536;
  for (int i = 0; i < 6; ++i) {
    times_.Add(end_, end_ + kSize, read_, /*acknowledged=*/end_, ++arrived_);
    end_ += kSize;
  }
  EXPECT_EQ(Of(1), 5);
  EXPECT_EQ(Of(5 * kSize + 1), 6);
}

TEST_F(ArrivalTimesTest, BytesThatWereNotAddedHaveNoTime) {
  end_ = 11;
  Arrive();
  EXPECT_EQ(times_.Of(10), std::nullopt);
  EXPECT_THAT(times_.Of(11), Optional(1));
  EXPECT_EQ(times_.Of(21), std::nullopt);
}

}  // namespace
}  // namespace net::fake
