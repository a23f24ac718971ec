#include "fakes/kernel/tcp/delayed_ack.h"

#include <cstdint>

#include "fakes/kernel/clock.h"
#include "gtest/gtest.h"

// The rules of Linux's net/ipv4/tcp_input.c (tcp_event_data_recv(),
// tcp_measure_rcv_mss()), tcp_timer.c (tcp_delack_timer_handler()) and tcp.c
// (tcp_cleanup_rbuf()).

namespace net::fake {
namespace {

constexpr Nanoseconds kMs = kSecond / 1000;
constexpr Nanoseconds kRto = 200 * kMs;
constexpr uint32_t kWindow = 65483;
constexpr uint32_t kSmall = 100;

class DelayedAckTest : public testing::Test {
 protected:
  // Data arrives `gap` after the data before it.
  void Receive(uint32_t size, Nanoseconds gap = 0) {
    now_ += gap;
    ack_.OnData(size, window_, kRto, now_);
  }
  bool IsDue(uint64_t unacknowledged = kSmall) const {
    return ack_.IsDueOnArrival(unacknowledged);
  }
  // Receives and acknowledges, until quick mode is over. Returns how often.
  int EndQuickMode() {
    for (int i = 0;; ++i) {
      Receive(kSmall);
      if (!IsDue()) return i;
      ack_.OnSent();
    }
  }
  // Makes a connection that is interactive, and owes nothing.
  void BeInteractive() {
    Receive(kSmall);
    ack_.OnSent();
    ack_.OnDataSent(now_);
  }

  DelayedAck ack_;
  uint32_t window_ = kWindow;
  Nanoseconds now_ = 10 * kSecond;
};

// tcp_incr_quickack(): window / (2 * rcv_mss), from 2 to 16.
TEST_F(DelayedAckTest, QuickModeLastsForAPartOfTheWindow) {
  EXPECT_EQ(EndQuickMode(), 16);
  for (const uint32_t window : {8U * 536, 536U}) {
    ack_ = DelayedAck();
    window_ = window;
    EXPECT_EQ(EndQuickMode(), window == 536U ? 2 : 4);
  }
}

TEST_F(DelayedAckTest, AfterALongGapQuickModeBeginsAgain) {
  EndQuickMode();
  ack_.OnSent();
  Receive(kSmall, kRto);
  EXPECT_FALSE(IsDue());
  ack_.OnSent();
  Receive(kSmall, kRto + kMs);
  EXPECT_TRUE(IsDue());
}

TEST_F(DelayedAckTest, QuickModeIsNotShortened) {
  Receive(kSmall);
  window_ = 536;
  Receive(kSmall, kRto + kMs);
  int count = 0;
  while (IsDue()) {
    ack_.OnSent();
    Receive(kSmall);
    ++count;
  }
  EXPECT_EQ(count, 16);
}

TEST_F(DelayedAckTest, DataOfMoreThanASegmentIsDue) {
  BeInteractive();
  Receive(kSmall);
  EXPECT_FALSE(IsDue());
  EXPECT_TRUE(IsDue(537));
  // The estimate grows.
  Receive(5000);
  EXPECT_EQ(ack_.segment(), 5000U);
  EXPECT_FALSE(IsDue(5000));
  EXPECT_TRUE(IsDue(5001));
}

TEST_F(DelayedAckTest, WhatWasSentSoonAfterDataMakesItInteractive) {
  Receive(kSmall);
  ack_.OnDataSent(now_ + 40 * kMs);
  EXPECT_TRUE(ack_.quick_option());
  ack_.OnDataSent(now_ + 39 * kMs);
  EXPECT_FALSE(ack_.quick_option());
}

// ato = ato / 2 + gap, but 20 ms if the gap is at most half of TCP_ATO_MIN.
TEST_F(DelayedAckTest, TheDelayFollowsTheGaps) {
  Receive(kSmall);
  EXPECT_EQ(ack_.ato(), 40 * kMs);
  Receive(kSmall, 30 * kMs);
  EXPECT_EQ(ack_.ato(), 50 * kMs);
  Receive(kSmall, 49 * kMs);
  EXPECT_EQ(ack_.ato(), 74 * kMs);
  Receive(kSmall, 20 * kMs);
  EXPECT_EQ(ack_.ato(), 57 * kMs);
  Receive(kSmall, 57 * kMs);
  EXPECT_EQ(ack_.ato(), 57 * kMs) << "a gap as long as the delay";
}

TEST_F(DelayedAckTest, TheDelayIsNoLongerThanTheTimeout) {
  Receive(kSmall);
  // Not interactive: the timer doubles the delay.
  ack_.OnTimer(kRto);
  EXPECT_EQ(ack_.ato(), 80 * kMs);
  ack_.OnTimer(kRto);
  EXPECT_EQ(ack_.ato(), 160 * kMs);
  Receive(kSmall, 150 * kMs);
  EXPECT_EQ(ack_.ato(), kRto);
  ack_.OnTimer(kRto);
  EXPECT_EQ(ack_.ato(), kRto);
  ack_.OnTimer(kSecond);
  EXPECT_EQ(ack_.ato(), 2 * kRto);
  EXPECT_EQ(ack_.delay(-1), 200 * kMs) << "TCP_DELACK_MAX";
}

TEST_F(DelayedAckTest, TheDelayIsNoLongerThanTheRoundTrip) {
  Receive(kSmall);
  EXPECT_EQ(ack_.delay(kMs), 40 * kMs);
  ack_.OnTimer(kRto);
  EXPECT_EQ(ack_.ato(), 80 * kMs);
  EXPECT_EQ(ack_.delay(-1), 80 * kMs) << "unknown";
  EXPECT_EQ(ack_.delay(kMs), 40 * kMs) << "TCP_DELACK_MIN";
  EXPECT_EQ(ack_.delay(60 * kMs), 60 * kMs);
  EXPECT_EQ(ack_.delay(100 * kMs), 80 * kMs);
  EXPECT_EQ(ack_.delay(kSecond), 80 * kMs);
}

TEST_F(DelayedAckTest, TheTimerEndsInteractiveMode) {
  BeInteractive();
  Receive(kSmall, 30 * kMs);
  EXPECT_EQ(ack_.ato(), 50 * kMs);
  EXPECT_FALSE(ack_.quick_option());
  ack_.OnTimer(kRto);
  EXPECT_TRUE(ack_.quick_option());
  EXPECT_EQ(ack_.ato(), 40 * kMs);
}

TEST_F(DelayedAckTest, TheEndOfQuickModeShortensTheDelay) {
  window_ = 536;  // Two acknowledgements.
  Receive(kSmall);
  Receive(kSmall, 30 * kMs);
  ack_.OnSent();
  EXPECT_EQ(ack_.ato(), 50 * kMs);
  Receive(kSmall, 50 * kMs);
  ack_.OnSent();
  EXPECT_EQ(ack_.ato(), 40 * kMs);
}

TEST_F(DelayedAckTest, ReadingASmallSegmentMakesItDue) {
  EndQuickMode();
  EXPECT_TRUE(ack_.IsDueOnRead(kSmall, /*drained=*/true));
  EXPECT_FALSE(ack_.IsDueOnRead(kSmall, /*drained=*/false));
  EXPECT_TRUE(ack_.IsDueOnRead(537, /*drained=*/false));
  ack_.OnSent();
  EXPECT_FALSE(ack_.IsDueOnRead(537, /*drained=*/true)) << "nothing is owed";
}

TEST_F(DelayedAckTest, AnInteractiveConnectionOwesForTwoSmallSegments) {
  BeInteractive();
  Receive(kSmall);
  EXPECT_FALSE(ack_.IsDueOnRead(kSmall, /*drained=*/true));
  Receive(kSmall);
  EXPECT_TRUE(ack_.IsDueOnRead(uint64_t{2} * kSmall, /*drained=*/true));
  // An acknowledgement begins the count again.
  ack_.OnSent();
  Receive(kSmall);
  EXPECT_FALSE(ack_.IsDueOnRead(kSmall, /*drained=*/true));
}

}  // namespace
}  // namespace net::fake
