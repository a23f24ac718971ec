#include "fakes/kernel/tcp/segment_borders.h"

#include <cstdint>
#include <initializer_list>

#include "gtest/gtest.h"

namespace net::fake {
namespace {

class SegmentBordersTest : public testing::Test {
 protected:
  // Sends new segments, of `sizes` bytes.
  void Send(std::initializer_list<uint64_t> sizes) {
    for (const uint64_t size : sizes) {
      if (una_ < last_) borders_.Add(last_);
      last_ = end_;
      end_ += size;
    }
  }
  void SendAgain(uint64_t begin, uint64_t end) {
    borders_.OnSentAgain(begin, end, last_);
    if (end == end_) last_ = begin;
  }
  void Acknowledge(uint64_t una) {
    una_ = una;
    borders_.OnAck(una);
  }
  // The number of segments in flight.
  uint32_t Segments() const {
    if (una_ >= end_) return 0;
    return 1 + borders_.CountBefore(end_) + (una_ < last_ ? 1 : 0);
  }

  SegmentBorders borders_;
  uint64_t una_ = 1;
  uint64_t last_ = 1;  // Where the last segment begins.
  uint64_t end_ = 1;
};

TEST_F(SegmentBordersTest, CountsSegments) {
  EXPECT_EQ(Segments(), 0U);
  for (uint32_t count = 1; count <= 5; ++count) {
    Send({10});
    EXPECT_EQ(Segments(), count);
  }
  EXPECT_EQ(borders_.CountBefore(11), 0U);
  EXPECT_EQ(borders_.CountBefore(12), 1U);
}

TEST_F(SegmentBordersTest, FindsTheNextBorder) {
  Send({10, 10, 10, 10});
  EXPECT_EQ(borders_.After(1, last_), 11U);
  EXPECT_EQ(borders_.After(11, last_), 21U);
  EXPECT_EQ(borders_.After(21, last_), 31U);
}

TEST_F(SegmentBordersTest, AcknowledgedSegmentsAreNotInFlight) {
  Send({10, 10, 10, 10});
  Acknowledge(11);
  EXPECT_EQ(Segments(), 3U);
  Acknowledge(15);
  EXPECT_EQ(Segments(), 3U) << "a part of it is in flight";
  Acknowledge(41);
  EXPECT_EQ(Segments(), 0U);
  Send({10});
  EXPECT_EQ(Segments(), 1U);
}

TEST_F(SegmentBordersTest, ARetransmissionJoinsSegments) {
  Send({10, 10, 10, 10});
  SendAgain(1, 21);
  EXPECT_EQ(Segments(), 3U);
  SendAgain(1, 31);
  EXPECT_EQ(Segments(), 2U);
  SendAgain(31, 41);
  EXPECT_EQ(Segments(), 2U);
  SendAgain(1, 41);
  EXPECT_EQ(Segments(), 1U);
}

TEST_F(SegmentBordersTest, ARetransmissionJoinsTheLastSegments) {
  Send({10, 10, 10, 10});
  SendAgain(21, 41);
  EXPECT_EQ(Segments(), 3U);
  Send({10});
  EXPECT_EQ(Segments(), 4U);
}

TEST_F(SegmentBordersTest, ARetransmissionDividesASegment) {
  Send({10, 10});
  SendAgain(1, 6);
  EXPECT_EQ(Segments(), 3U);
  SendAgain(6, 11);
  EXPECT_EQ(Segments(), 3U);
  SendAgain(1, 11);
  EXPECT_EQ(Segments(), 2U);
}

}  // namespace
}  // namespace net::fake
