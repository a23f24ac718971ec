#include "fakes/kernel/tcp/receive_side.h"

#include <string>

#include "fakes/kernel/tcp/byte_queue.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

// A connection whose SYN has arrived. The sender has written 20 bytes.
class ReceiveSideTest : public testing::Test {
 protected:
  ReceiveSideTest() {
    side_.Start();
    side_.queue().Append(chunks_, std::string(20, 'x').data(), 20);
  }
  ~ReceiveSideTest() override { side_.Reset(chunks_); }

  ChunkPool chunks_;
  ReceiveSide side_;
};

TEST_F(ReceiveSideTest, BeginsWithoutAWindow) {
  EXPECT_EQ(side_.nxt(), 1U);
  EXPECT_EQ(side_.window_end(), 1U);
  EXPECT_EQ(side_.arrived(), 0U);
  EXPECT_EQ(side_.Take(11), 0U);
}

TEST_F(ReceiveSideTest, TakesWhatIsNewAndInTheWindow) {
  side_.Announce(12);
  EXPECT_EQ(side_.Take(11), 10U);
  EXPECT_EQ(side_.Take(11), 0U) << "a retransmission";
  EXPECT_EQ(side_.Take(16), 2U) << "the rest of the window";
  EXPECT_EQ(side_.ready(), 12U);
  EXPECT_EQ(side_.window(), 0U);
}

TEST_F(ReceiveSideTest, TakesNoMoreThanTheSenderHasWritten) {
  side_.Announce(1000);
  EXPECT_EQ(side_.Take(11), 10U);
  EXPECT_EQ(side_.Take(100), 10U);
  EXPECT_EQ(side_.nxt(), 21U);
}

TEST_F(ReceiveSideTest, TheWindowIsNotTakenBack) {
  side_.Announce(12);
  side_.Announce(3);
  EXPECT_EQ(side_.window(), 12U);
}

TEST_F(ReceiveSideTest, TheFinIsNoByte) {
  side_.Announce(1000);
  EXPECT_EQ(side_.Take(21), 20U);
  side_.TakeFin();
  EXPECT_EQ(side_.nxt(), 22U);
  EXPECT_EQ(side_.arrived(), 20U);
}

TEST_F(ReceiveSideTest, DiscardsWhatHasArrived) {
  EXPECT_FALSE(side_.Discard(chunks_));
  side_.Announce(1000);
  EXPECT_EQ(side_.Take(11), 10U);
  EXPECT_TRUE(side_.Discard(chunks_));
  EXPECT_EQ(side_.ready(), 0U);
  EXPECT_EQ(side_.queue().size(), 10U);
}

TEST_F(ReceiveSideTest, CutsWhatHasNotArrived) {
  side_.Announce(1000);
  EXPECT_EQ(side_.Take(11), 10U);
  side_.Cut(chunks_);
  EXPECT_EQ(side_.queue().size(), 10U);
  EXPECT_EQ(side_.ready(), 10U);
}

}  // namespace
}  // namespace net::fake
