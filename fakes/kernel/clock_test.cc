#include "fakes/kernel/clock.h"

#include <functional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

// Calls a function when its timer expires.
class Alarm final : public TimerTarget {
 public:
  explicit Alarm(std::function<void()> action) : action_(std::move(action)) {}
  void OnTimer() override { action_(); }

 private:
  const std::function<void()> action_;
};

class ClockTest : public testing::Test {
 protected:
  Clock clock_;
  std::string seen_;
  Alarm a_{[this] { seen_ += 'a'; }};
  Alarm b_{[this] { seen_ += 'b'; }};
  Alarm c_{[this] { seen_ += 'c'; }};
};

TEST_F(ClockTest, StandsStillByItself) {
  clock_.Set(0, a_);
  EXPECT_EQ(clock_.now(), 0);
  EXPECT_EQ(seen_, "");
}

TEST_F(ClockTest, FiresTheNextTimerAndMovesThere) {
  clock_.Set(2 * kSecond, b_);
  clock_.Set(1 * kSecond, a_);
  EXPECT_TRUE(clock_.FireNext());
  EXPECT_EQ(seen_, "a");
  EXPECT_EQ(clock_.now(), 1 * kSecond);
  EXPECT_TRUE(clock_.FireNext());
  EXPECT_EQ(seen_, "ab");
  EXPECT_EQ(clock_.now(), 2 * kSecond);
}

TEST_F(ClockTest, WithoutATimerNothingHappens) {
  EXPECT_FALSE(clock_.FireNext());
  EXPECT_EQ(clock_.now(), 0);
}

TEST_F(ClockTest, TimersOfOneTimeFireInTheOrderInWhichTheyWereSet) {
  clock_.Set(kSecond, b_);
  clock_.Set(kSecond, c_);
  clock_.Set(kSecond, a_);
  clock_.Advance(kSecond);
  EXPECT_EQ(seen_, "bca");
}

TEST_F(ClockTest, ATimerAtTheLimitIsNotBeyondIt) {
  clock_.Set(kSecond, a_);
  EXPECT_FALSE(clock_.FireNext(kSecond - 1));
  EXPECT_EQ(clock_.now(), 0);
  EXPECT_TRUE(clock_.FireNext(kSecond));
}

TEST_F(ClockTest, TheClockNeverGoesBack) {
  clock_.Advance(5 * kSecond);
  clock_.Set(3 * kSecond, a_);
  EXPECT_TRUE(clock_.FireNext());
  EXPECT_EQ(clock_.now(), 5 * kSecond);
}

TEST_F(ClockTest, AClearedTimerDoesNotFire) {
  Clock::TimerId timer = clock_.Set(kSecond, a_);
  clock_.Set(kSecond, b_);
  clock_.Clear(timer);
  EXPECT_EQ(timer, Clock::kNone);
  clock_.Advance(kSecond);
  EXPECT_EQ(seen_, "b");
}

TEST_F(ClockTest, ATimerThatHasFiredMayBeCleared) {
  Clock::TimerId fired = clock_.Set(kSecond, a_);
  clock_.Advance(kSecond);
  clock_.Set(2 * kSecond, b_);
  clock_.Clear(fired);
  clock_.Clear(fired);
  clock_.Advance(kSecond);
  EXPECT_EQ(seen_, "ab");
}

TEST_F(ClockTest, AdvanceGoesAllTheWay) {
  clock_.Set(1 * kSecond, a_);
  clock_.Set(3 * kSecond, b_);
  clock_.Advance(2 * kSecond);
  EXPECT_EQ(seen_, "a");
  EXPECT_EQ(clock_.now(), 2 * kSecond);
}

TEST_F(ClockTest, AdvanceFiresTimersSetOnTheWay) {
  Alarm chain([this] {
    seen_ += static_cast<char>('0' + clock_.now() / kSecond);
    clock_.Set(clock_.now() + kSecond, a_);
  });
  clock_.Set(kSecond, chain);
  clock_.Advance(2 * kSecond);
  EXPECT_EQ(seen_, "1a");
}

TEST_F(ClockTest, ForeverIsNeverReached) {
  clock_.Advance(kSecond);
  EXPECT_EQ(clock_.After(kSecond), 2 * kSecond);
  EXPECT_EQ(clock_.After(kForever), kForever);
  EXPECT_EQ(clock_.After(kForever - 1), kForever);
}

TEST_F(ClockTest, ListsTheTimersInOrderAndChangesNothing) {
  EXPECT_THAT(clock_.Timers(), testing::IsEmpty());
  clock_.Set(2 * kSecond, b_);
  clock_.Set(1 * kSecond, c_);
  clock_.Set(1 * kSecond, a_);
  EXPECT_THAT(clock_.Timers(),
              testing::ElementsAre(1 * kSecond, 1 * kSecond, 2 * kSecond));
  EXPECT_EQ(clock_.now(), 0);
  clock_.Advance(2 * kSecond);
  EXPECT_EQ(seen_, "cab");
}

}  // namespace
}  // namespace net::fake
