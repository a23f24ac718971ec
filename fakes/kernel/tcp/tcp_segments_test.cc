#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Which segments are sent over a perfect link, and when. The numbers were
// measured on Linux 6.18.

namespace net::fake {
namespace {

const std::string kTen(10, 'x');

class SegmentsTest : public testing::Test {
 protected:
  TcpInfo Info(int fd) { return InfoOf(sys_, fd); }

  void Write(int fd) {
    EXPECT_THAT(WriteText(sys_, fd, kTen), IsOkAndHolds(10));
  }
  void Exchange() {
    Write(pair_.client);
    EXPECT_EQ(ReadText(sys_, pair_.server), kTen);
    Write(pair_.server);
    EXPECT_EQ(ReadText(sys_, pair_.client), kTen);
  }

  int Unacknowledged(int fd) {
    int size = -1;
    EXPECT_THAT(sys_.Ioctl(fd, SIOCOUTQ, reinterpret_cast<intptr_t>(&size)),
                IsOk());
    return size;
  }
  bool IsQuick(int fd) {
    return OptionOf(sys_, fd, IPPROTO_TCP, TCP_QUICKACK) != 0;
  }

  // Receives with SO_TIMESTAMP, and returns the time.
  timeval TimeStampOfMessage(int fd) {
    char data = 0;
    iovec part = {.iov_base = &data, .iov_len = 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timeval))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    EXPECT_THAT(sys_.RecvMsg(fd, &message, 0), IsOkAndHolds(1));
    timeval time = {};
    std::memcpy(&time, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(time));
    return time;
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
  const Pair pair_ = NewPair(sys_);
};

TEST_F(SegmentsTest, OfTheHandshake) {
  const TcpInfo client = Info(pair_.client);
  EXPECT_EQ(client.segs_out, 2U);
  EXPECT_EQ(client.segs_in, 1U);
  const TcpInfo server = Info(pair_.server);
  EXPECT_EQ(server.segs_out, 0U);
  EXPECT_EQ(server.segs_in, 2U);
}

TEST_F(SegmentsTest, OfACycle) {
  Exchange();
  kernel_.Advance(absl::Milliseconds(300));
  const TcpInfo client = Info(pair_.client);
  EXPECT_EQ(client.segs_out, 4U);
  EXPECT_EQ(client.segs_in, 3U);
  EXPECT_EQ(client.data_segs_out, 1U);
  EXPECT_EQ(client.data_segs_in, 1U);
  EXPECT_EQ(client.bytes_acked, 11U);
  EXPECT_EQ(client.bytes_sent, 10U);
  EXPECT_EQ(client.bytes_received, 10U);
  const TcpInfo server = Info(pair_.server);
  EXPECT_EQ(server.segs_out, 2U);
  EXPECT_EQ(server.segs_in, 4U);
  EXPECT_EQ(server.bytes_acked, 10U);
  EXPECT_EQ(server.bytes_received, 10U);
  EXPECT_THAT(sys_.Close(pair_.client), IsOk());
  EXPECT_EQ(Info(pair_.server).segs_out, 2U);
  EXPECT_EQ(Info(pair_.server).segs_in, 5U);
  EXPECT_EQ(Info(pair_.server).bytes_received, 11U);
}

TEST_F(SegmentsTest, TimesOfTcpInfo) {
  Exchange();
  kernel_.Advance(absl::Milliseconds(500));
  const TcpInfo client = Info(pair_.client);
  EXPECT_EQ(client.last_data_sent, 500U);
  EXPECT_EQ(client.last_data_recv, 500U);
  EXPECT_EQ(client.last_ack_recv, 500U);
}

// Linux: 404, 504 and 360 ms.
TEST_F(SegmentsTest, TimesOfTcpInfoAfterASend) {
  Exchange();
  kernel_.Advance(absl::Milliseconds(100));
  Write(pair_.client);
  kernel_.Advance(absl::Milliseconds(400));
  const TcpInfo client = Info(pair_.client);
  EXPECT_EQ(client.last_data_sent, 400U);
  EXPECT_EQ(client.last_data_recv, 500U);
  EXPECT_EQ(client.last_ack_recv, 360U);
}

TEST_F(SegmentsTest, AfterAnExchangeWriteWriteReadStalls) {
  Exchange();
  const absl::Duration start = kernel_.Now();
  Write(pair_.client);
  Write(pair_.client);
  EXPECT_EQ(ReadText(sys_, pair_.server), kTen);
  EXPECT_EQ(ReadText(sys_, pair_.server), kTen);
  EXPECT_EQ(kernel_.Now() - start, absl::Milliseconds(40));
}

TEST_F(SegmentsTest, NoDelayDoesNotStall) {
  EXPECT_THAT(SetOption(sys_, pair_.client, IPPROTO_TCP, TCP_NODELAY, 1),
              IsOk());
  Exchange();
  Write(pair_.client);
  Write(pair_.client);
  EXPECT_EQ(ReadText(sys_, pair_.server), kTen + kTen);
}

TEST_F(SegmentsTest, QuickAckRouteDoesNotStall) {
  kernel_.SetQuickAckOnLoopback();
  Exchange();
  Write(pair_.client);
  Write(pair_.client);
  EXPECT_EQ(ReadText(sys_, pair_.server), kTen + kTen);
}

// More bytes are ready than the memory of the queue admits. Linux needs no
// timer: it enlarges the memory, or the sender finds out by what it sends next.
TEST_F(SegmentsTest, AFullConnectionIsReadWithoutDelay) {
  kernel_.SetQuickAckOnLoopback();
  std::string data(1'000'000, 'x');
  for (const size_t size : {size_t{1000}, data.size()}) {
    for (const int mark : {1, -1}) {
      const Pair pair = NewPair(sys_);
      EXPECT_THAT(SetOption(sys_, pair.server, SOL_SOCKET, SO_RCVLOWAT, mark),
                  IsOk());
      SysResult result;
      int64_t sent = 0;
      while ((result = sys_.Send(pair.client, data.data(), size, MSG_DONTWAIT))
                 .ok()) {
        sent += result.value();
      }
      EXPECT_THAT(result, IsErrno(EAGAIN));
      int64_t received = 0;
      while ((result = sys_.Recv(pair.server, data.data(), data.size(),
                                 MSG_DONTWAIT))
                 .ok()) {
        received += result.value();
      }
      EXPECT_EQ(received, sent) << size << " " << mark;
      EXPECT_THAT(sys_.Close(pair.client), IsOk());
      EXPECT_THAT(sys_.Close(pair.server), IsOk());
    }
  }
}

// SO_RCVBUF that was set before the connection leaves the window without a
// scale. Linux: 1152 bytes, and then 576 with each read.
TEST_F(SegmentsTest, ASmallBufferIsReadWithoutDelay) {
  kernel_.SetQuickAckOnLoopback();
  const int listener = NewTcp(sys_);
  EXPECT_THAT(SetOption(sys_, listener, SOL_SOCKET, SO_RCVBUF, 1), IsOk());
  EXPECT_THAT(sys_.Listen(listener, 1), IsOk());
  const Pair pair = NewPair(sys_, listener);
  EXPECT_THAT(WriteText(sys_, pair.client, std::string(30000, 'x')),
              IsOkAndHolds(30000));
  EXPECT_EQ(ReadText(sys_, pair.server).size(), 1152U);
  for (int left = 30000 - 1152; left > 0; left -= 576) {
    EXPECT_EQ(ReadText(sys_, pair.server).size(),
              static_cast<size_t>(std::min(left, 576)));
  }
  EXPECT_EQ(kernel_.Now(), absl::ZeroDuration());
}

TEST_F(SegmentsTest, ReadingAcknowledges) {
  for (int i = 0; i < 40; ++i) {
    Write(pair_.client);
    Write(pair_.client);
    std::string got = ReadText(sys_, pair_.server);
    // The first 16 segments are acknowledged on arrival.
    EXPECT_EQ(got.size(), i < 8 ? 20U : 10U) << i;
    if (got.size() == 10) got += ReadText(sys_, pair_.server);
    EXPECT_EQ(got.size(), 20U);
  }
  EXPECT_EQ(kernel_.Now(), absl::ZeroDuration());
}

TEST_F(SegmentsTest, AFinAfterAnExchangeIsAcknowledgedLate) {
  Exchange();
  EXPECT_THAT(sys_.Shutdown(pair_.client, SHUT_WR), IsOk());
  EXPECT_EQ(StateOf(sys_, pair_.client), TcpState::kFinWait1);
  kernel_.Advance(absl::Milliseconds(40));
  EXPECT_EQ(StateOf(sys_, pair_.client), TcpState::kFinWait2);
}

// Linux: 3, 4 and 4 segments.
TEST_F(SegmentsTest, AReplyAcknowledges) {
  Exchange();
  Exchange();
  const uint32_t before = Info(pair_.server).segs_out;
  Exchange();
  EXPECT_EQ(Info(pair_.server).segs_out, before + 1);
  kernel_.Advance(absl::Milliseconds(100));
  EXPECT_EQ(Info(pair_.server).segs_out, before + 1);
}

// The first segment begins the delay. Linux: acknowledged at 40 ms.
TEST_F(SegmentsTest, ASecondSegmentDoesNotProlongTheDelay) {
  EXPECT_THAT(SetOption(sys_, pair_.client, IPPROTO_TCP, TCP_NODELAY, 1),
              IsOk());
  Exchange();
  Write(pair_.client);
  kernel_.Advance(absl::Milliseconds(20));
  Write(pair_.client);
  EXPECT_EQ(Unacknowledged(pair_.client), 20);
  kernel_.Advance(absl::Milliseconds(28));
  EXPECT_EQ(Unacknowledged(pair_.client), 0);
}

// Linux: 0 and 1 retransmissions.
TEST_F(SegmentsTest, TheEndOfTheDelayRetransmitsNothing) {
  Exchange();
  kernel_.Cut({});
  Write(pair_.client);
  kernel_.Restore({});
  Write(pair_.server);
  kernel_.Advance(absl::Milliseconds(60));
  EXPECT_EQ(Info(pair_.client).total_retrans, 0U);
  kernel_.Advance(absl::Milliseconds(200));
  EXPECT_EQ(Info(pair_.client).total_retrans, 1U);
}

// Linux: 2 and 2 segments.
TEST_F(SegmentsTest, AfterTheFinNoWindowUpdateIsSent) {
  const std::string data(100'000, 'x');
  EXPECT_THAT(WriteText(sys_, pair_.client, data), IsOkAndHolds(100'000));
  EXPECT_THAT(sys_.Shutdown(pair_.client, SHUT_WR), IsOk());
  kernel_.Advance(absl::Milliseconds(100));
  const uint32_t before = Info(pair_.server).segs_out;
  EXPECT_EQ(ReadText(sys_, pair_.server, data.size()), data);
  EXPECT_EQ(Info(pair_.server).segs_out, before);
}

TEST_F(SegmentsTest, ManySegmentsKeepTheirOrder) {
  const int listener = NewListener(sys_);
  EXPECT_THAT(SetOption(sys_, listener, IPPROTO_TCP, TCP_MAXSEG, 100), IsOk());
  const Pair pair = NewPair(sys_, listener);
  const std::string data(50'000, 'x');
  EXPECT_THAT(WriteText(sys_, pair.client, data), IsOkAndHolds(50'000));
  EXPECT_EQ(ReadText(sys_, pair.server, data.size()), data);
  EXPECT_EQ(Info(pair.client).data_segs_out, 569U) << "of 88 bytes";
  EXPECT_EQ(Info(pair.client).total_retrans, 0U);
}

TEST_F(SegmentsTest, TwoSegmentsAreAcknowledgedImmediately) {
  EXPECT_THAT(SetOption(sys_, pair_.client, IPPROTO_TCP, TCP_NODELAY, 1),
              IsOk());
  Exchange();
  const std::string data(1000, 'x');
  EXPECT_THAT(WriteText(sys_, pair_.client, data), IsOkAndHolds(1000));
  EXPECT_EQ(Unacknowledged(pair_.client), 1000);
  EXPECT_THAT(WriteText(sys_, pair_.client, data), IsOkAndHolds(1000));
  EXPECT_EQ(Unacknowledged(pair_.client), 0);
}

TEST_F(SegmentsTest, QuickAckAcknowledgesWhatWasRead) {
  Exchange();
  Write(pair_.client);
  EXPECT_EQ(ReadText(sys_, pair_.server), kTen);
  EXPECT_EQ(Unacknowledged(pair_.client), 10);
  EXPECT_THAT(SetOption(sys_, pair_.server, IPPROTO_TCP, TCP_QUICKACK, 1),
              IsOk());
  EXPECT_EQ(Unacknowledged(pair_.client), 0);
}

TEST_F(SegmentsTest, AFinEndsQuickMode) {
  EXPECT_TRUE(IsQuick(pair_.server));
  EXPECT_THAT(sys_.Shutdown(pair_.client, SHUT_WR), IsOk());
  EXPECT_FALSE(IsQuick(pair_.server));
}

TEST_F(SegmentsTest, ADelayedAcknowledgementAllowsQuickModeAgain) {
  Exchange();
  Write(pair_.client);
  EXPECT_FALSE(IsQuick(pair_.server));
  kernel_.Advance(absl::Milliseconds(40));
  EXPECT_TRUE(IsQuick(pair_.server));
}

// The time of SO_TIMESTAMP is that of the arrival.
TEST_F(SegmentsTest, TimeStampOfData) {
  EXPECT_THAT(SetOption(sys_, pair_.server, SOL_SOCKET, SO_TIMESTAMP, 1),
              IsOk());
  timespec start = {};
  EXPECT_THAT(sys_.ClockGetTime(CLOCK_REALTIME, &start), IsOk());
  kernel_.Advance(absl::Microseconds(1234));
  Write(pair_.client);
  kernel_.Advance(absl::Seconds(5));
  EXPECT_EQ(absl::TimeFromTimeval(TimeStampOfMessage(pair_.server)),
            absl::TimeFromTimespec(start) + absl::Microseconds(1234));
}

// Linux: 160768, 127728 and 98223 bytes; 256000, 201456 and 196446.
TEST_F(SegmentsTest, UnsentLowWaterMark) {
  const auto within = [](int64_t bytes, int64_t linux) {
    EXPECT_GE(bytes, linux * 3 / 4);
    EXPECT_LE(bytes, linux * 5 / 4);
  };
  constexpr size_t kOneSend = size_t{4} << 20;
  struct Row {
    int mark;
    size_t piece;
    int64_t linux;
  };
  for (const Row& row :
       {Row{1, 65536, 160768}, Row{1, 1000, 127728}, Row{1, kOneSend, 98223},
        Row{100000, 65536, 256000}, Row{100000, 1000, 201456},
        Row{100000, kOneSend, 196446}}) {
    SCOPED_TRACE(testing::Message() << row.mark << " " << row.piece);
    const Pair pair = NewPair(sys_);
    EXPECT_THAT(
        SetOption(sys_, pair.client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, row.mark),
        IsOk());
    const std::string data(row.piece, 'x');
    int64_t total = 0;
    SysResult sent = SysResult::Ok();
    do {
      sent = sys_.Send(pair.client, data.data(), data.size(), MSG_DONTWAIT);
      if (sent.ok()) total += sent.value();
    } while (sent.ok() && row.piece < kOneSend);
    within(total, row.linux);
    if (row.piece < kOneSend) {
      EXPECT_EQ(Ready(sys_, pair.client, POLLOUT), 0);
    }
  }
}

TEST_F(SegmentsTest, AWindowIsNotTakenBack) {
  EXPECT_THAT(SetOption(sys_, pair_.server, SOL_SOCKET, SO_RCVBUF, 1), IsOk());
  const std::string data(30000, 'x');
  EXPECT_THAT(WriteText(sys_, pair_.client, data), IsOkAndHolds(30000));
  EXPECT_EQ(ReadText(sys_, pair_.server), data);
}

// Also not by an acknowledgement after SO_RCVBUF was lowered.
TEST_F(SegmentsTest, AnAcknowledgementDoesNotTakeTheWindowBack) {
  EXPECT_THAT(SetOption(sys_, pair_.server, SOL_SOCKET, SO_RCVBUF, 1), IsOk());
  Write(pair_.client);
  EXPECT_EQ(ReadText(sys_, pair_.server), kTen);
  const std::string data(30000, 'x');
  EXPECT_THAT(WriteText(sys_, pair_.client, data), IsOkAndHolds(30000));
  EXPECT_EQ(ReadText(sys_, pair_.server), data);
}

TEST_F(SegmentsTest, AWindowOpensByMoreThanALittle) {
  std::string data(size_t{16} << 20, 'x');
  const SysResult sent =
      sys_.Send(pair_.client, data.data(), data.size(), MSG_DONTWAIT);
  ASSERT_THAT(sent, IsOk());
  // A probe fills the window.
  kernel_.Advance(absl::Seconds(1));
  EXPECT_EQ(Info(pair_.client).snd_wnd, 0U);
  EXPECT_EQ(ReadText(sys_, pair_.server, 100).size(), 100U);
  EXPECT_EQ(Info(pair_.client).snd_wnd, 0U);
  // Reading the rest opens it, without a probe.
  int64_t total = 100;
  while (total < sent.value()) {
    const SysResult got =
        sys_.Recv(pair_.server, data.data(), data.size(), MSG_DONTWAIT);
    ASSERT_THAT(got, IsOk());
    total += got.value();
  }
}

TEST_F(SegmentsTest, APeekBeyondTheDataWaits) {
  Write(pair_.client);
  constexpr int kAll = 10;
  EXPECT_THAT(SetOption(sys_, pair_.server, SOL_SOCKET, SO_PEEK_OFF, kAll),
              IsOk());
  std::string got(20, '\0');
  FakeKernel::Thread reader(kernel_, "reader", [&] {
    EXPECT_THAT(sys_.Recv(pair_.server, got.data(), got.size(), MSG_PEEK),
                IsOkAndHolds(2));
  });
  EXPECT_TRUE(reader.AwaitBlocked());
  EXPECT_THAT(WriteText(sys_, pair_.client, "ab"), IsOkAndHolds(2));
  reader.Join();
  EXPECT_EQ(got.substr(0, 2), "ab");
  EXPECT_EQ(OptionOf(sys_, pair_.server, SOL_SOCKET, SO_PEEK_OFF), kAll + 2);
}

TEST_F(SegmentsTest, SettingTheUnsentLowWaterMarkWakesPoll) {
  EXPECT_THAT(
      SetOption(sys_, pair_.client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1000),
      IsOk());
  const std::string data(65536, 'x');
  while (sys_.Send(pair_.client, data.data(), data.size(), MSG_DONTWAIT).ok()) {
  }
  FakeKernel::Thread poller(kernel_, "poller", [&] {
    pollfd entry = {.fd = pair_.client, .events = POLLOUT, .revents = 0};
    EXPECT_THAT(sys_.Poll(&entry, 1, 500), IsOkAndHolds(1));
  });
  EXPECT_TRUE(poller.AwaitBlocked());
  const absl::Duration start = kernel_.Now();
  EXPECT_THAT(SetOption(sys_, pair_.client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, -1),
              IsOk());
  poller.Join();
  EXPECT_EQ(kernel_.Now(), start);
}

}  // namespace
}  // namespace net::fake
