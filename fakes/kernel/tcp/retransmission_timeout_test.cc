#include "fakes/kernel/tcp/retransmission_timeout.h"

#include <cstdint>

#include "fakes/kernel/clock.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

constexpr Nanoseconds kMs = kSecond / 1000;

constexpr Nanoseconds kMin = 200 * kMs;

Nanoseconds Get(const RetransmissionTimeout& rto) {
  return rto.Get(kMin, /*max=*/120 * kSecond);
}

class RetransmissionTimeoutTest : public testing::Test {
 protected:
  // The first byte after those of the round trip before is acknowledged.
  void Measure(Nanoseconds round_trip) {
    rto_.Measure(round_trip, seq_ + 1, seq_ + 2, kMin);
    seq_ += 2;
  }

  RetransmissionTimeout rto_;
  uint64_t seq_ = 0;
};

// RFC 6298, section 2. The deviation does not grow as much as there because of
// a shorter round trip.
TEST_F(RetransmissionTimeoutTest, FollowsTheRoundTrips) {
  EXPECT_EQ(rto_.srtt(), -1);
  EXPECT_EQ(Get(rto_), kSecond);
  Measure(200 * kMs);  // RTTVAR is half of it.
  EXPECT_EQ(Get(rto_), (200 + 4 * 100) * kMs);
  Measure(400 * kMs);  // RTTVAR: 3/4 * 100 + 1/4 * 200.
  EXPECT_EQ(Get(rto_), (225 + 4 * 125) * kMs);
  Measure(65 * kMs);  // Less than an eighth of the difference counts.
  EXPECT_EQ(rto_.srtt(), 205 * kMs);
  EXPECT_EQ(rto_.rttvar(), 504'375'000) << "(160 - 125) / 8 more";
}

// The lower bound of the deviation in each round trip is tcp_rto_min_us.
TEST_F(RetransmissionTimeoutTest, ForgetsALongRoundTripSlowly) {
  Measure(0);
  Measure(1400 * kMs);
  EXPECT_EQ(Get(rto_), (175 + 1400) * kMs);
  Measure(0);
  EXPECT_GT(Get(rto_), kSecond);
  for (int i = 0; i < 100; ++i) Measure(0);
  EXPECT_LT(Get(rto_), kMin + kMs);
}

// A part of the data of a round trip is acknowledged.
TEST_F(RetransmissionTimeoutTest, IsNotShorterBeforeTheRoundTripHasEnded) {
  rto_.Measure(400 * kMs, /*una=*/1, /*nxt=*/100, kMin);
  for (uint64_t una = 2; una < 100; ++una) {
    rto_.Measure(400 * kMs, una, /*nxt=*/una + 99, kMin);
  }
  EXPECT_EQ(rto_.rttvar(), 800 * kMs);
  rto_.Measure(400 * kMs, /*una=*/101, /*nxt=*/200, kMin);
  EXPECT_LT(rto_.rttvar(), 800 * kMs + 1);
}

// Linux adds the round trip to tcp_rto_min_us.
TEST_F(RetransmissionTimeoutTest, IsTheMinimumAfterAShortRoundTrip) {
  Measure(kMs);
  EXPECT_EQ(Get(rto_), 201 * kMs);
}

TEST_F(RetransmissionTimeoutTest, DoublesUpToTheMaximum) {
  Measure(0);
  for (const int ms : {400, 800, 1600}) {
    rto_.BackOff();
    EXPECT_EQ(Get(rto_), ms * kMs);
  }
  // Further than the bits of a number.
  for (int i = 0; i < 1000; ++i) {
    rto_.BackOff();
    EXPECT_LE(Get(rto_), 120 * kSecond);
    EXPECT_GE(Get(rto_), 1600 * kMs);
  }
  EXPECT_EQ(Get(rto_), 120 * kSecond);
  rto_.EndBackOff();
  EXPECT_EQ(Get(rto_), 200 * kMs);
}

}  // namespace
}  // namespace net::fake
