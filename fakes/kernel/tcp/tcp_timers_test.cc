#include "fakes/kernel/tcp/tcp_timers.h"

#include <string>

#include "fakes/kernel/clock.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

class TcpTimersTest : public testing::Test, private TcpTimers::Owner {
 protected:
  // Sets a timer, for a time from now.
  void Set(TcpTimers::Kind kind, Nanoseconds span) {
    timers_.Set(kind, clock_.After(span));
    to_arm_.ArmAll();
  }

  Clock clock_;
  TimersToArm to_arm_;
  TcpTimers timers_{clock_, to_arm_, *this};
  std::string fired_;  // A letter for each: r, a, k.

 private:
  void OnTimer(TcpTimers::Kind kind) override { fired_ += "rak"[kind]; }
};

TEST_F(TcpTimersTest, EachFiresOnceAtItsTime) {
  Set(TcpTimers::kKeepalive, 30);
  Set(TcpTimers::kRetransmission, 20);
  Set(TcpTimers::kDelayedAck, 10);
  clock_.Advance(15);
  EXPECT_EQ(fired_, "a");
  EXPECT_FALSE(timers_.IsSet(TcpTimers::kDelayedAck));
  EXPECT_TRUE(timers_.IsSet(TcpTimers::kRetransmission));
  clock_.Advance(10);
  EXPECT_EQ(fired_, "ar");
  clock_.Advance(100);
  EXPECT_EQ(fired_, "ark");
}

TEST_F(TcpTimersTest, OneThatWasMovedFiresAtTheNewTime) {
  Set(TcpTimers::kRetransmission, 10);
  clock_.Advance(5);
  Set(TcpTimers::kRetransmission, 20);
  clock_.Advance(19);
  EXPECT_EQ(fired_, "");
  clock_.Advance(1);
  EXPECT_EQ(fired_, "r");
}

// The clock does not stop where nothing fires.
TEST_F(TcpTimersTest, OneThatWasClearedDoesNotMoveTheClock) {
  Set(TcpTimers::kRetransmission, 10);
  timers_.Clear(TcpTimers::kRetransmission);
  EXPECT_FALSE(clock_.FireNext());
  EXPECT_EQ(clock_.now(), 0);
  Set(TcpTimers::kRetransmission, 10);
  Set(TcpTimers::kKeepalive, 40);
  timers_.Clear(TcpTimers::kRetransmission);
  EXPECT_TRUE(clock_.FireNext());
  EXPECT_EQ(clock_.now(), 40);
  EXPECT_EQ(fired_, "k");
}

}  // namespace
}  // namespace net::fake
