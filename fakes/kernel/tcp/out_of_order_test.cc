#include "fakes/kernel/tcp/out_of_order.h"

#include "gtest/gtest.h"

namespace net::fake {
namespace {

TEST(OutOfOrderTest, TheBytesAfterAGapWait) {
  OutOfOrder kept;
  kept.Add(20, 30, /*has_fin=*/false);
  EXPECT_EQ(kept.EndOfBytes(10), 10U);
  EXPECT_EQ(kept.EndOfBytes(20), 30U);
  EXPECT_EQ(kept.EndOfBytes(25), 30U);
  EXPECT_EQ(kept.EndOfBytes(30), 30U);
}

TEST(OutOfOrderTest, AFinIsNoByte) {
  OutOfOrder kept;
  kept.Add(20, 31, /*has_fin=*/true);
  EXPECT_EQ(kept.EndOfBytes(20), 30U);
  EXPECT_FALSE(kept.HasFinAt(29));
  EXPECT_TRUE(kept.HasFinAt(30));
  kept.RemoveBefore(30);
  EXPECT_TRUE(kept.HasFinAt(30));
}

TEST(OutOfOrderTest, AFinWithoutBytesWaits) {
  OutOfOrder kept;
  kept.Add(30, 31, /*has_fin=*/true);
  EXPECT_EQ(kept.EndOfBytes(20), 20U);
  EXPECT_EQ(kept.EndOfBytes(30), 30U);
  EXPECT_TRUE(kept.HasFinAt(30));
}

TEST(OutOfOrderTest, TheBlockIsTheOneThatHasGrown) {
  OutOfOrder kept;
  kept.Add(40, 50, /*has_fin=*/false);
  kept.Add(20, 25, /*has_fin=*/false);
  EXPECT_EQ(kept.Block().begin, 20U);
  EXPECT_EQ(kept.Block().end, 25U);
  kept.Add(50, 60, /*has_fin=*/false);
  EXPECT_EQ(kept.Block().begin, 40U);
  EXPECT_EQ(kept.Block().end, 60U);
}

TEST(OutOfOrderTest, AnotherBlockFollowsTheOneThatWasTaken) {
  OutOfOrder kept;
  kept.Add(40, 50, /*has_fin=*/false);
  kept.Add(20, 25, /*has_fin=*/false);
  kept.RemoveBefore(25);
  EXPECT_EQ(kept.Block().begin, 40U);
}

TEST(OutOfOrderTest, WhatArrivesTwiceIsNotNew) {
  OutOfOrder kept;
  EXPECT_TRUE(kept.Add(20, 30, /*has_fin=*/false));
  EXPECT_FALSE(kept.Add(20, 30, /*has_fin=*/false));
  EXPECT_TRUE(kept.Contains(29));
  EXPECT_FALSE(kept.Contains(30));
}

}  // namespace
}  // namespace net::fake
