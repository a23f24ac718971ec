#include "fakes/kernel/tcp/retransmission_timeout.h"

#include "fakes/kernel/clock.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

constexpr Nanoseconds kMs = kSecond / 1000;

Nanoseconds Get(const RetransmissionTimeout& rto) {
  return rto.Get(/*min=*/200 * kMs, /*max=*/120 * kSecond);
}

// RFC 6298, section 2.
TEST(RetransmissionTimeoutTest, FollowsTheRoundTrips) {
  RetransmissionTimeout rto;
  EXPECT_EQ(rto.srtt(), -1);
  EXPECT_EQ(Get(rto), kSecond);
  rto.Measure(200 * kMs);  // RTTVAR is half of it.
  EXPECT_EQ(Get(rto), (200 + 4 * 100) * kMs);
  rto.Measure(400 * kMs);  // RTTVAR: 3/4 * 100 + 1/4 * 200.
  EXPECT_EQ(Get(rto), (225 + 4 * 125) * kMs);
  rto.Measure(65 * kMs);  // RTTVAR: 3/4 * 125 + 1/4 * 160.
  EXPECT_EQ(rto.srtt(), 205 * kMs);
  EXPECT_EQ(rto.rttvar(), 133'750'000);
}

// Linux adds the round trip to tcp_rto_min_us.
TEST(RetransmissionTimeoutTest, IsTheMinimumAfterAShortRoundTrip) {
  RetransmissionTimeout rto;
  rto.Measure(kMs);
  EXPECT_EQ(Get(rto), 201 * kMs);
}

TEST(RetransmissionTimeoutTest, DoublesUpToTheMaximum) {
  RetransmissionTimeout rto;
  rto.Measure(0);
  for (const int ms : {400, 800, 1600}) {
    rto.BackOff();
    EXPECT_EQ(Get(rto), ms * kMs);
  }
  // Further than the bits of a number.
  for (int i = 0; i < 1000; ++i) {
    rto.BackOff();
    EXPECT_LE(Get(rto), 120 * kSecond);
    EXPECT_GE(Get(rto), 1600 * kMs);
  }
  EXPECT_EQ(Get(rto), 120 * kSecond);
  rto.EndBackOff();
  EXPECT_EQ(Get(rto), 200 * kMs);
}

}  // namespace
}  // namespace net::fake
