#include "fakes/kernel/tcp/receive_window.h"

#include <cstdint>

#include "gtest/gtest.h"

// The values were measured on Linux 6.18, over IPv4.

namespace net::fake {
namespace {

constexpr uint32_t kBuffer = 131072;
constexpr uint32_t kMss = 65483;
constexpr uint32_t kKiB = 1024;

// A connection with the default SO_RCVBUF, whose handshake is over.
class ReceiveWindowTest : public testing::Test {
 protected:
  ReceiveWindowTest() { Start(kBuffer); }

  void Start(uint32_t buffer, int scale = 10) {
    buffer_ = buffer;
    window_ = {};
    window_.Start(ReceiveWindow::First(buffer, kMss), scale);
  }
  // The first segment of a size arrives. Returns whether the limit has grown.
  bool Receive(uint32_t size) {
    used_ += size + ReceiveWindow::kOverhead;
    if (size > segment_) {
      window_.OnLargerSegment(size, buffer_, 65536);
      segment_ = size;
    }
    return window_.Grow(size, {buffer_, used_}, kMss);
  }
  uint32_t Select(uint32_t announced = 0) const {
    return window_.Select({buffer_, used_}, segment_, announced);
  }

  ReceiveWindow window_;
  uint32_t buffer_ = 0;
  uint32_t used_ = 0;
  uint32_t segment_ = 536;
};

TEST_F(ReceiveWindowTest, TheFirstIsThatOfOneSegment) {
  EXPECT_EQ(ReceiveWindow::First(kBuffer, kMss), kMss);
  EXPECT_EQ(ReceiveWindow::First(2304, kMss), 1152U);
  EXPECT_EQ(ReceiveWindow::First(400000, kMss), 65535U);
  EXPECT_EQ(Select(), 64 * kKiB);
}

TEST_F(ReceiveWindowTest, TheFirstLargeSegmentChangesIt) {
  struct Row {
    uint32_t size, limit, window;
  };
  for (const Row& row :
       {Row{600, 54784, 53 * kKiB}, Row{1000, 70173, 69 * kKiB},
        Row{2000, 90168, 89 * kKiB}, Row{4000, 104049, 102 * kKiB},
        Row{5000, 107138, 105 * kKiB}, Row{10000, 110846, 109 * kKiB},
        Row{20000, 105503, 104 * kKiB}, Row{30000, 97499, 96 * kKiB},
        Row{32741, 94833, 93 * kKiB}}) {
    Start(kBuffer);
    used_ = 0;
    segment_ = 536;
    Receive(row.size);
    EXPECT_EQ(window_.limit(), row.limit) << row.size;
    EXPECT_EQ(Select(), row.window) << row.size;
  }
}

TEST_F(ReceiveWindowTest, SmallSegmentsLeaveIt) {
  for (const uint32_t size : {1U, 127U, 128U, 536U}) {
    EXPECT_FALSE(Receive(size));
    EXPECT_EQ(window_.limit(), kMss);
  }
}

TEST_F(ReceiveWindowTest, ItGrowsOnlyWithTheFreeMemory) {
  EXPECT_TRUE(Receive(20000));
  EXPECT_FALSE(Receive(20000));
  EXPECT_EQ(window_.limit(), 105503U);
  used_ = 0;
  EXPECT_EQ(Select(), 104 * kKiB) << "no more than the limit";
  used_ = 20832;
  EXPECT_TRUE(Receive(1000) || window_.limit() == 105503U);
}

TEST_F(ReceiveWindowTest, WithoutMemoryItIsClosed) {
  Receive(32741);
  EXPECT_FALSE(window_.IsScarce({buffer_, 60000}));
  EXPECT_TRUE(window_.IsScarce({buffer_, 70000}));
  used_ = buffer_ - 34 * kKiB;
  EXPECT_EQ(Select(), 33 * kKiB) << "rounded down";
  used_ = buffer_ - 30 * kKiB;
  EXPECT_EQ(Select(), 0U) << "less than a segment";
  segment_ = 536;
  EXPECT_EQ(Select(), 29 * kKiB);
  used_ = buffer_ - 8 * kKiB;
  EXPECT_EQ(Select(), 0U) << "less than a sixteenth";
  used_ = buffer_ + 1;
  EXPECT_EQ(Select(), 0U);
}

// The window scale has a unit of 1024 bytes.
TEST_F(ReceiveWindowTest, AWindowSmallerThanASegmentIsRoundedUp) {
  Receive(32741);
  used_ = 0;
  buffer_ = 2304;
  EXPECT_EQ(Select(), 3 * kKiB);
}

// SO_RCVBUF 1 that was set before the connection.
TEST_F(ReceiveWindowTest, WithoutAScaleItIsInWholeSegments) {
  Start(2304, /*scale=*/0);
  Receive(576);
  EXPECT_EQ(Select(576), 0U);
  used_ = 0;
  EXPECT_EQ(Select(0), 576U);
}

}  // namespace
}  // namespace net::fake
