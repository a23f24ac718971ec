#include "fakes/differential/tolerances.h"

#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "fakes/differential/streams.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net::differential {
namespace {

constexpr Given kSure = {.sure = true};
constexpr Given kUnsure;
constexpr Given kNull = {.null = true};
constexpr Marks kUsual;
constexpr Marks kLowWater = {.low_water = true};
constexpr Marks kSmall = {.small_buffers = true};
constexpr Marks kBoth = {.low_water = true, .small_buffers = true};

class TolerancesTest : public testing::Test {
 protected:
  TolerancesTest() {
    end_.out().sent = 1000;
    end_.in().sent = 1000;
  }

  Streams streams_;
  End end_ = streams_.Connected({ip::kLocalV4, 40000}, {ip::kLocalV4, 80});
};

TEST_F(TolerancesTest, WhatSurelyFits) {
  EXPECT_TRUE(SurelyFits(end_.out(), 30000, /*small_buffers=*/false));
  EXPECT_FALSE(SurelyFits(end_.out(), 65536, /*small_buffers=*/false));
  EXPECT_FALSE(SurelyFits(end_.out(), 1, /*small_buffers=*/true));
}

TEST_F(TolerancesTest, ASendThatSurelyFitsIsExact) {
  EXPECT_EQ(SendText(kSure, 0, 10, SysResult::Ok(10)), "10");
  EXPECT_EQ(SendText(kSure, 0, 10, SysResult::Ok(9)), "9");
  EXPECT_EQ(SendText(kSure, 0, 10, SysResult::Error(EAGAIN)), "EAGAIN");
}

TEST_F(TolerancesTest, AnotherMayTakeAnythingThatIsPossible) {
  const auto some = SendText(kUnsure, 1, 10, SysResult::Ok(3));
  EXPECT_EQ(SendText(kUnsure, 1, 10, SysResult::Ok(10)), some);
  EXPECT_EQ(SendText(kUnsure, 1, 10, SysResult::Error(EAGAIN)), some);
  EXPECT_NE(SendText(kUnsure, 0, 10, SysResult::Error(EAGAIN)), some);
  EXPECT_NE(SendText(kUnsure, 1, 10, SysResult::Ok(11)), some);
  EXPECT_EQ(SendText(kUnsure, 1, 10, SysResult::Error(EPIPE)), "EPIPE");
}

TEST_F(TolerancesTest, ANullPointerIsLookedAtWhereThereIsRoom) {
  EXPECT_EQ(SendText(kNull, 1, 10, SysResult::Error(EFAULT)),
            SendText(kNull, 1, 10, SysResult::Error(EAGAIN)));
  EXPECT_NE(SendText(kNull, 0, 10, SysResult::Error(EAGAIN)),
            SendText(kNull, 0, 10, SysResult::Error(EFAULT)));
  EXPECT_EQ(SendText(kUnsure, 1, 10, SysResult::Error(EFAULT)), "EFAULT");
}

TEST_F(TolerancesTest, EventsAreExactAsARule) {
  EXPECT_EQ(EventsText(end_, kLowWater, POLLIN | POLLOUT | POLLRDHUP),
            "0x2005");
}

TEST_F(TolerancesTest, DataShortOfTheMarkIsUncertainWithSmallBuffers) {
  EXPECT_EQ(EventsText(end_, kBoth, POLLIN | POLLOUT), "0x4");
}

TEST_F(TolerancesTest, EventsOfWhatMayHaveBeenResetAreUncertain) {
  end_.out().torn = true;
  EXPECT_EQ(EventsText(end_, kSmall, POLLIN | POLLERR),
            EventsText(end_, kSmall, POLLOUT));
}

TEST_F(TolerancesTest, RoomIsUncertainOnAWayThatIs) {
  end_.out().uncertain = true;
  EXPECT_EQ(EventsText(end_, kUsual, POLLIN | POLLOUT | POLLRDHUP), "0x2001");
}

TEST_F(TolerancesTest, TheEndIsUncertainOnAWayThatIs) {
  end_.in().uncertain = true;
  EXPECT_EQ(EventsText(end_, kUsual, POLLIN | POLLOUT | POLLRDHUP), "0x5");
  EXPECT_EQ(EventsText(end_, kLowWater, POLLIN | POLLOUT | POLLRDHUP), "0x4");
  EXPECT_EQ(EventsText(end_, kSmall, POLLIN | POLLOUT | POLLRDHUP), "0x4");
}

TEST_F(TolerancesTest, SizesOfQueues) {
  EXPECT_EQ(InputSizeText(end_, 7), "7");
  EXPECT_EQ(OutputSizeText(end_, TCP_ESTABLISHED, 7), "7");
  EXPECT_EQ(OutputSizeText(end_, TCP_CLOSE, 7),
            OutputSizeText(end_, TCP_CLOSE, 8));
  end_.in().uncertain = end_.out().uncertain = true;
  EXPECT_EQ(InputSizeText(end_, 7), InputSizeText(end_, 1000));
  EXPECT_NE(InputSizeText(end_, 7), InputSizeText(end_, 1001));
  EXPECT_EQ(OutputSizeText(end_, TCP_ESTABLISHED, 7),
            OutputSizeText(end_, TCP_ESTABLISHED, 1001));
  EXPECT_NE(OutputSizeText(end_, TCP_ESTABLISHED, 7),
            OutputSizeText(end_, TCP_ESTABLISHED, 1002));
  // Whether the FIN in flight has arrived decides the state.
  end_.in().finished = true;
  EXPECT_EQ(OutputSizeText(end_, TCP_FIN_WAIT2, 7),
            OutputSizeText(end_, TCP_CLOSE, 1002));
}

TEST_F(TolerancesTest, AllMustComeUnlessThereWasAReset) {
  const auto drained = [this](SysResult last) {
    return DrainedText(end_, last, /*small_buffers=*/false);
  };
  EXPECT_EQ(drained(SysResult::Ok(0)), "not all, then end of stream");
  EXPECT_EQ(drained(SysResult::Error(EAGAIN)), "not all, then EAGAIN");
  end_.in().received = 1000;
  EXPECT_EQ(drained(SysResult::Ok(0)), "all, then end of stream");
  EXPECT_EQ(drained(SysResult::Error(ECONNRESET)),
            "any amount, then ECONNRESET");
  end_.in().reset = true;
  EXPECT_EQ(drained(SysResult::Ok(0)), "any amount, then end of stream");
  end_.in().reset = false;
  EXPECT_FALSE(IsLossless(end_, SysResult::Error(ECONNRESET)));
}

TEST_F(TolerancesTest, OwnEndDoesNotDescribeDataUnderWay) {
  end_.in().unwanted = true;
  EXPECT_FALSE(IsLossless(end_, SysResult::Ok(0)));
  EXPECT_TRUE(IsLossless(end_, SysResult::Error(EAGAIN)));
}

TEST_F(TolerancesTest, WithSmallBuffersAllMustComeBeforeTheEndAlone) {
  EXPECT_EQ(DrainedText(end_, SysResult::Ok(0), /*small_buffers=*/true),
            "not all, then end of stream");
  const std::string some =
      DrainedText(end_, SysResult::Error(EAGAIN), /*small_buffers=*/true);
  end_.in().received = 1000;
  EXPECT_EQ(DrainedText(end_, SysResult::Error(EAGAIN), /*small_buffers=*/true),
            some);
  EXPECT_EQ(DrainedText(end_, SysResult::Ok(0), /*small_buffers=*/true), some);
}

TEST_F(TolerancesTest, StatesOfListeners) {
  tcp_info info = {};
  info.tcpi_state = TCP_LISTEN;
  info.tcpi_unacked = 2;
  info.tcpi_sacked = 5;
  EXPECT_EQ(TcpInfoText(End(), info), "listening, queued 2 of 5");
}

TEST_F(TolerancesTest, StatesOfConnections) {
  tcp_info info = {};
  info.tcpi_state = TCP_FIN_WAIT2;
  EXPECT_EQ(TcpInfoText(end_, info), "state 5");
  end_.in().uncertain = true;
  EXPECT_EQ(TcpInfoText(end_, info), "any state");
}

TEST_F(TolerancesTest, SizesThatTheKernelTunes) {
  EXPECT_EQ(TunedSizeText(false, 16384), "16384");
  EXPECT_EQ(TunedSizeText(true, 16384), TunedSizeText(true, 4711));
  EXPECT_NE(TunedSizeText(true, 16384), TunedSizeText(true, 0));
}

}  // namespace
}  // namespace net::differential
