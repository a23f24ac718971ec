#include "fakes/kernel/tcp/congestion_window.h"

#include <cstdint>

#include "gtest/gtest.h"

// The rules of Linux's net/ipv4/tcp_output.c (tcp_cwnd_test(),
// tcp_cwnd_validate()) and tcp_input.c (tcp_cong_avoid(),
// tcp_undo_cwnd_reduction()). The figures are those of TCP_INFO on Linux 6.18.

namespace net::fake {
namespace {

class CongestionWindowTest : public testing::Test {
 protected:
  // Sends segments of ten bytes as long as the window admits, `most` at most.
  // Returns how many.
  int Send(int most) {
    int sent = 0;
    for (; sent < most && window_.Admits(in_flight_); ++sent) SendOne();
    return sent;
  }
  void SendOne() {
    nxt_ += 10;
    window_.OnSent(una_, nxt_, ++in_flight_);
  }
  void Acknowledge(bool twice = false) {
    window_.OnAck(in_flight_, twice);
    una_ = nxt_;
    in_flight_ = 0;
  }

  CongestionWindow window_;
  uint64_t una_ = 1;
  uint64_t nxt_ = 1;
  uint32_t in_flight_ = 0;
};

TEST_F(CongestionWindowTest, OfANewConnectionHoldsNothingBack) {
  EXPECT_EQ(window_.size(), 10U);
  EXPECT_EQ(Send(100), 100);
  Acknowledge();
  EXPECT_EQ(window_.size(), 10U);
}

TEST_F(CongestionWindowTest, DoublesWhileItIsFull) {
  window_.Shrink();
  EXPECT_EQ(Send(100), 1);
  Acknowledge();
  EXPECT_EQ(window_.size(), 2U);
  EXPECT_EQ(Send(100), 2);
  Acknowledge();
  EXPECT_EQ(Send(100), 4);
  Acknowledge();
  EXPECT_EQ(Send(100), 8);
  Acknowledge();
  EXPECT_EQ(Send(100), 100);
}

TEST_F(CongestionWindowTest, GrowsNoFurtherThanTwiceWhatIsUsed) {
  window_.Shrink();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Send(1), 1);
    Acknowledge();
  }
  EXPECT_EQ(window_.size(), 2U);
}

TEST_F(CongestionWindowTest, AProbeIsSentInAddition) {
  window_.Shrink();
  EXPECT_EQ(Send(100), 1);
  SendOne();
  EXPECT_FALSE(window_.Admits(in_flight_));
  Acknowledge();
  EXPECT_EQ(window_.size(), 3U);
}

TEST_F(CongestionWindowTest, IsOneAfterATimeoutAndAsBeforeIfNothingWasLost) {
  window_.Shrink();
  EXPECT_EQ(Send(1), 1);
  Acknowledge();
  EXPECT_EQ(Send(2), 2);
  Acknowledge();
  EXPECT_EQ(Send(4), 4);
  window_.OnTimeout();
  EXPECT_EQ(window_.size(), 1U);
  // All four were sent again as one segment, and had arrived.
  in_flight_ = 1;
  window_.Undo();
  Acknowledge(/*twice=*/true);
  EXPECT_EQ(window_.size(), 6U);
}

}  // namespace
}  // namespace net::fake
