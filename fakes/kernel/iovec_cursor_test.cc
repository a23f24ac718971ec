#include "fakes/kernel/iovec_cursor.h"

#include <sys/uio.h>

#include <cstddef>
#include <string>

#include "gtest/gtest.h"

namespace net::fake {
namespace {

class IovecCursorTest : public testing::Test {
 protected:
  char a_[4] = {};
  char b_[2] = {};
  size_t size_ = 0;
};

TEST_F(IovecCursorTest, OneBufferIsOnePiece) {
  const iovec parts[] = {{a_, 4}};
  IovecCursor cursor(parts);
  EXPECT_EQ(cursor.total(), 4U);
  EXPECT_EQ(cursor.Next(10, &size_), a_);
  EXPECT_EQ(size_, 4U);
}

TEST_F(IovecCursorTest, NoPieceIsLargerThanAskedFor) {
  const iovec parts[] = {{a_, 4}};
  IovecCursor cursor(parts);
  EXPECT_EQ(cursor.Next(3, &size_), a_);
  EXPECT_EQ(size_, 3U);
  EXPECT_EQ(cursor.Next(3, &size_), a_ + 3);
  EXPECT_EQ(size_, 1U);
}

TEST_F(IovecCursorTest, APieceEndsWithItsBuffer) {
  const iovec parts[] = {{a_, 4}, {b_, 2}};
  IovecCursor cursor(parts);
  EXPECT_EQ(cursor.total(), 6U);
  EXPECT_EQ(cursor.Next(6, &size_), a_);
  EXPECT_EQ(size_, 4U);
  EXPECT_EQ(cursor.Next(2, &size_), b_);
  EXPECT_EQ(size_, 2U);
}

TEST_F(IovecCursorTest, EmptyBuffersArePassedOver) {
  const iovec parts[] = {{nullptr, 0}, {a_, 4}, {nullptr, 0}, {b_, 2}};
  IovecCursor cursor(parts);
  EXPECT_EQ(cursor.Next(6, &size_), a_);
  EXPECT_EQ(cursor.Next(6, &size_), b_);
}

TEST_F(IovecCursorTest, NoBuffersAreNothing) {
  EXPECT_EQ(IovecCursor({}).total(), 0U);
}

// Linux reports EFAULT only when the copy reaches the invalid buffer. The call
// returns EFAULT, or the number of bytes before it.
TEST_F(IovecCursorTest, ABadAddressIsFoundWhenItsTurnHasCome) {
  const iovec parts[] = {{a_, 4}, {nullptr, 8}};
  IovecCursor cursor(parts);
  EXPECT_EQ(cursor.total(), 12U);
  EXPECT_EQ(cursor.Next(12, &size_), a_);
  EXPECT_EQ(cursor.Next(8, &size_), nullptr);
}

TEST_F(IovecCursorTest, LooksAheadForABadAddress) {
  const iovec parts[] = {{a_, 4}, {nullptr, 0}, {b_, 2}, {nullptr, 8}};
  IovecCursor cursor(parts);
  EXPECT_TRUE(cursor.IsValidFor(0));
  EXPECT_TRUE(cursor.IsValidFor(6));
  EXPECT_FALSE(cursor.IsValidFor(7));
  EXPECT_EQ(cursor.Next(5, &size_), a_) << "looking does not move it";
  EXPECT_TRUE(cursor.IsValidFor(2));
  EXPECT_FALSE(cursor.IsValidFor(3));
}

TEST_F(IovecCursorTest, CopiesUpToABadAddress) {
  const iovec parts[] = {{a_, 4}, {b_, 2}, {nullptr, 8}};
  IovecCursor cursor(parts);
  EXPECT_EQ(cursor.CopyOut("abcde", 5), 5U);
  EXPECT_EQ(std::string(a_, 4), "abcd");
  EXPECT_EQ(b_[0], 'e');
  EXPECT_EQ(cursor.CopyOut("fgh", 3), 1U);
  EXPECT_EQ(b_[1], 'f');
}

}  // namespace
}  // namespace net::fake
