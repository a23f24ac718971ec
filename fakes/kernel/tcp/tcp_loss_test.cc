#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/short_calls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"

// Losses in one direction: what is sent again, and when. Each rule was found by
// //fakes/differential/timed on Linux 6.18.

namespace net::fake {
namespace {

constexpr ip::Addr kServer = ip::Addr::V4(127, 0, 0, 1);
constexpr ip::Addr kClient = ip::Addr::V4(127, 0, 0, 2);
const LinkEnds kToServer = {.from = kClient, .to = kServer, .both_ways = false};
const LinkEnds kToClient = {.from = kServer, .to = kClient, .both_ways = false};

class LossTest : public testing::Test {
 protected:
  // Returns a socket that is bound to the client's address.
  int NewClient(int flags = 0) {
    const int fd = NewTcp(sys_, AF_INET, flags);
    EXPECT_THAT(BindTo(sys_, fd, {kClient, 0}), IsOk());
    return fd;
  }
  Pair Connect() {
    const int client = NewClient();
    EXPECT_THAT(ConnectTo(sys_, client, NameOf(sys_, listener_)), IsOk());
    return {client, AcceptFrom(sys_, listener_)};
  }
  // Begins to connect `fd`.
  void StartConnect(int fd) {
    EXPECT_THAT(ConnectTo(sys_, fd, NameOf(sys_, listener_)),
                IsErrno(EINPROGRESS));
  }

  void Set(int fd, int name, int value) {
    EXPECT_THAT(SetOption(sys_, fd, IPPROTO_TCP, name, value), IsOk());
  }
  void Write(int fd, const std::string& text) {
    EXPECT_THAT(WriteText(sys_, fd, text), IsOk());
  }
  void AdvanceTo(int milliseconds) {
    kernel_.Advance(absl::Milliseconds(milliseconds) - kernel_.Now());
  }
  // Blocks until one of `events` holds, and returns when, in milliseconds.
  int64_t Await(int fd, int16_t events) {
    pollfd entry = {.fd = fd, .events = events, .revents = 0};
    EXPECT_THAT(sys_.Poll(&entry, 1, -1), IsOkAndHolds(1));
    return absl::ToInt64Milliseconds(kernel_.Now());
  }
  // Returns the number of bytes that can be read (FIONREAD).
  int Readable(int fd) {
    int size = 0;
    EXPECT_THAT(sys_.Ioctl(fd, FIONREAD, reinterpret_cast<intptr_t>(&size)),
                IsOk());
    return size;
  }
  TcpInfo Info(int fd) { return InfoOf(sys_, fd); }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
  const int listener_ = NewListener(sys_, {kServer, 0});
};

// ---- Retransmission ---------------------------------------------------------

// The loss probe is sent after 108 ms, and a retransmission with the FIN after
// 308 ms, 708 ms and 1508 ms. The acknowledgement of the byte, which had
// arrived, ends no timer and no backoff.
TEST_F(LossTest, APartOfARetransmissionIsAcknowledged) {
  const Pair pair = Connect();
  kernel_.Cut(kToClient);
  Write(pair.client, "x");
  AdvanceTo(100);
  kernel_.Cut(kToServer);
  EXPECT_THAT(sys_.Shutdown(pair.client, SHUT_WR), IsOk());
  kernel_.Restore(kToClient);
  AdvanceTo(1000);
  EXPECT_EQ(Info(pair.client).backoff, 2U);
  EXPECT_EQ(Info(pair.client).retransmits, 2U);
  Write(pair.server, "y");
  EXPECT_EQ(Info(pair.client).backoff, 2U);
  EXPECT_EQ(Info(pair.client).retransmits, 0U);
  kernel_.Restore(kToServer);
  EXPECT_EQ(Await(pair.server, POLLRDHUP), 1508);
  AdvanceTo(1600);
  EXPECT_EQ(Info(pair.client).backoff, 0U);
}

// The acknowledgement is that of the first transmission. The data after it is
// not sent again at once, but by a loss probe after two (long) round trips.
TEST_F(LossTest, ALateAcknowledgementShowsThatNothingWasLost) {
  const Pair pair = Connect();
  Set(pair.client, TCP_NODELAY, 1);
  kernel_.Cut(kToClient);
  Write(pair.client, std::string(Info(pair.client).snd_mss, 'x'));
  kernel_.Cut(kToServer);
  Write(pair.client, "x");
  AdvanceTo(100);
  kernel_.Restore(kToClient);
  AdvanceTo(1000);
  const uint32_t before = Info(pair.client).total_retrans;
  Write(pair.server, "y");
  EXPECT_EQ(Info(pair.client).backoff, 0U);
  EXPECT_EQ(Info(pair.client).total_retrans, before);
  kernel_.Restore(kToServer);
  AdvanceTo(1440);
  EXPECT_EQ(Info(pair.client).total_retrans, before);
  AdvanceTo(1460);
  EXPECT_EQ(Info(pair.client).total_retrans, before + 1);
  // With the SYN.
  EXPECT_EQ(Info(pair.client).bytes_acked, Info(pair.client).snd_mss + 2U);
}

// A probe that was a retransmission ends only when later data is acknowledged,
// because its own acknowledgement does not show that nothing was lost. Until
// then, a retransmission timeout takes its place.
TEST_F(LossTest, AfterALossProbeTheNextLossHasNone) {
  const Pair pair = Connect();
  kernel_.Cut(kToServer);
  Write(pair.client, "x");
  AdvanceTo(100);
  kernel_.Restore(kToServer);
  EXPECT_EQ(Await(pair.server, POLLIN), 200);
  AdvanceTo(1000);
  kernel_.Cut(kToClient);
  Write(pair.client, "y");
  AdvanceTo(1190);
  EXPECT_EQ(Info(pair.client).total_retrans, 1U);
  AdvanceTo(1220);
  EXPECT_EQ(Info(pair.client).retransmits, 1U);
  EXPECT_EQ(Info(pair.client).backoff, 1U);
  kernel_.Restore(kToClient);
  // The acknowledgement of "y" has ended the first probe.
  AdvanceTo(3000);
  kernel_.Cut(kToClient);
  Write(pair.client, "z");
  AdvanceTo(3220);
  EXPECT_EQ(Info(pair.client).retransmits, 0U);
}

// The duplicate SACK (RFC 2883) shows that nothing was lost.
TEST_F(LossTest, AProbeThatArrivesTwiceIsOver) {
  const Pair pair = Connect();
  kernel_.Cut(kToClient);
  Write(pair.client, "x");
  AdvanceTo(100);
  kernel_.Restore(kToClient);
  AdvanceTo(1000);
  EXPECT_EQ(Info(pair.client).total_retrans, 1U);
  kernel_.Cut(kToClient);
  Write(pair.client, "y");
  AdvanceTo(1220);
  EXPECT_EQ(Info(pair.client).retransmits, 0U);
  EXPECT_EQ(Info(pair.client).total_retrans, 2U);
}

// The probe at 200 ms is the data that was held back. A retransmission after it
// does not include it, because it is in the server's queue. Therefore the time
// stamp that returns is that of the probe, which makes the round trip 1.4 s
// long.
TEST_F(LossTest, AProbeWithNewDataIsNotJoinedWithWhatIsSentAgain) {
  const Pair pair = Connect();
  kernel_.Cut(kToClient);
  Write(pair.client, std::string(100, 'x'));
  EXPECT_THAT(sys_.Send(pair.client, "y", 1, MSG_MORE), IsOk());
  AdvanceTo(1200);
  EXPECT_EQ(Info(pair.client).retransmits, 2U);
  kernel_.Restore(kToClient);
  AdvanceTo(1650);
  EXPECT_EQ(Info(pair.client).retransmits, 0U);
  EXPECT_EQ(Info(pair.client).backoff, 0U);
  EXPECT_EQ(Info(pair.client).rto, (1400 / 8 + 1400) * 1000U);
}

// If the server has read it, a retransmission includes it, and returns its own
// time stamp.
TEST_F(LossTest, WhatWasReadIsJoinedWithWhatIsSentAgain) {
  const Pair pair = Connect();
  kernel_.Cut(kToClient);
  Write(pair.client, std::string(100, 'x'));
  EXPECT_THAT(sys_.Send(pair.client, "y", 1, MSG_MORE), IsOk());
  AdvanceTo(300);
  EXPECT_EQ(ReadText(sys_, pair.server).size(), 101U);
  AdvanceTo(1200);
  kernel_.Restore(kToClient);
  AdvanceTo(1650);
  EXPECT_LT(Info(pair.client).rto, 210'000U);
}

// Both segments together are larger than a segment may be.
TEST_F(LossTest, ARetransmissionHasNoPartOfTheNextSegment) {
  const Pair pair = Connect();
  Set(pair.client, TCP_NODELAY, 1);
  kernel_.Cut(kToServer);
  Write(pair.client, std::string(20000, 'x'));
  Write(pair.client, std::string(20000, 'y'));
  AdvanceTo(1000);
  kernel_.Restore(kToServer);
  kernel_.Cut(kToClient);
  EXPECT_GE(Await(pair.server, POLLIN), 1000);
  EXPECT_EQ(ReadText(sys_, pair.server).size(), 20000U);
}

// The round trip of data that was sent once begins with its transmission, not
// with the time stamp of the later segment, which the acknowledgement returns.
TEST_F(LossTest, TheRoundTripIsThatOfTheFirstSegment) {
  const Pair pair = Connect();
  Set(pair.client, TCP_NODELAY, 1);
  kernel_.Cut(kToClient);
  Write(pair.client, "x");
  AdvanceTo(100);
  Write(pair.client, "y");
  kernel_.Restore(kToClient);
  Write(pair.server, "z");
  EXPECT_EQ(Info(pair.client).rto, (100 / 8 + 200) * 1000U + 500U);
}

// The FIN arrives out of order. The selective acknowledgement makes the client
// send the data again at once.
TEST_F(LossTest, WhatArrivesOutOfOrderShowsTheLoss) {
  const Pair pair = Connect();
  kernel_.Cut(kToServer);
  Write(pair.client, "x");
  AdvanceTo(100);
  kernel_.Restore(kToServer);
  EXPECT_THAT(sys_.Shutdown(pair.client, SHUT_WR), IsOk());
  EXPECT_EQ(Await(pair.server, POLLIN), 100);
  EXPECT_EQ(ReadText(sys_, pair.server), "x");
}

// The receiver keeps what has arrived out of order. The loss probe at 400 ms is
// the second piece, and the first one is sent again at 600 ms.
TEST_F(LossTest, WhatArrivedOutOfOrderIsReadableWhenTheGapIsFilled) {
  const Pair pair = Connect();
  Write(pair.client, std::string(5000, 'x'));
  Write(pair.client, std::string(10, 'x'));
  AdvanceTo(100);
  kernel_.Cut(kToServer);
  kernel_.Cut(kToClient);
  AdvanceTo(200);
  Write(pair.client, std::string(20000, 'y'));
  AdvanceTo(300);
  kernel_.Restore(kToServer);
  Write(pair.client, std::string(20000, 'z'));
  AdvanceTo(590);
  EXPECT_EQ(Readable(pair.server), 5010);
  EXPECT_EQ(Info(pair.client).unacked, 2U);
  AdvanceTo(700);
  EXPECT_EQ(Readable(pair.server), 45010);
  EXPECT_EQ(Info(pair.client).bytes_retrans, 20000U);
  EXPECT_EQ(ReadText(sys_, pair.server).substr(5010),
            std::string(20000, 'y') + std::string(20000, 'z'));
}

// The second segment arrives out of order, and its acknowledgement is lost. It
// is in the server's queue, so that no retransmission is joined with it. The
// loss probe makes a copy, which is joined, even if the probe is lost.
TEST_F(LossTest, AProbeIsJoinedWithWhatIsSentAgain) {
  const Pair pair = Connect();
  Set(pair.client, TCP_NODELAY, 1);
  for (const bool probe_is_lost : {true, false}) {
    const auto now = static_cast<int>(absl::ToInt64Milliseconds(kernel_.Now()));
    const uint64_t before = Info(pair.client).bytes_retrans;
    kernel_.Cut(kToServer);
    Write(pair.client, std::string(1001, 'b'));
    kernel_.Restore(kToServer);
    kernel_.Cut(kToClient);
    Write(pair.client, std::string(1002, 'c'));
    if (probe_is_lost) kernel_.Cut(kToServer);
    AdvanceTo(now + 50);
    EXPECT_EQ(Info(pair.client).bytes_retrans, before + 1002);
    kernel_.Restore(kToServer);
    kernel_.Restore(kToClient);
    AdvanceTo(now + 1000);
    EXPECT_EQ(Info(pair.client).bytes_retrans, before + 1002 + 1001 + 1002);
  }
}

TEST_F(LossTest, OnlyTheLostSegmentIsSentAgain) {
  const Pair pair = Connect();
  Set(pair.client, TCP_NODELAY, 1);
  Write(pair.client, std::string(1000, 'a'));
  kernel_.Cut(kToServer);
  Write(pair.client, std::string(1001, 'b'));
  kernel_.Restore(kToServer);
  Write(pair.client, std::string(1002, 'c'));
  EXPECT_EQ(Readable(pair.server), 3003);
  EXPECT_EQ(Info(pair.client).bytes_retrans, 1001U);
  EXPECT_EQ(Info(pair.client).total_retrans, 1U);
  EXPECT_EQ(Info(pair.client).unacked, 0U);
  EXPECT_EQ(Info(pair.server).segs_in, 5U);
}

// The first copy of the third segment is acknowledged in vain. The loss probe,
// which is the second copy, is acknowledged selectively.
TEST_F(LossTest, WhatIsSelectivelyAcknowledgedIsNotSentAgain) {
  const Pair pair = Connect();
  Set(pair.client, TCP_NODELAY, 1);
  Write(pair.client, std::string(1000, 'a'));
  kernel_.Cut(kToServer);
  Write(pair.client, std::string(1001, 'b'));
  kernel_.Restore(kToServer);
  kernel_.Cut(kToClient);
  Write(pair.client, std::string(1002, 'c'));
  kernel_.Restore(kToClient);
  AdvanceTo(50);
  EXPECT_EQ(Readable(pair.server), 3003);
  EXPECT_EQ(Info(pair.client).bytes_retrans, 1002U + 1001U);
  EXPECT_EQ(Info(pair.client).unacked, 0U);
}

// The acknowledgement that reports the third segment is lost, and the server's
// data reports it again.
TEST_F(LossTest, DataReportsWhatArrivedOutOfOrder) {
  const Pair pair = Connect();
  Set(pair.client, TCP_NODELAY, 1);
  Write(pair.client, std::string(1000, 'a'));
  kernel_.Cut(kToServer);
  Write(pair.client, std::string(1001, 'b'));
  kernel_.Restore(kToServer);
  kernel_.Cut(kToClient);
  Write(pair.client, std::string(1002, 'c'));
  kernel_.Restore(kToClient);
  EXPECT_EQ(Readable(pair.server), 1000);
  Write(pair.server, "x");
  EXPECT_EQ(Readable(pair.server), 3003);
  EXPECT_EQ(Info(pair.client).bytes_retrans, 1001U);
}

// The time that reordering may take passes before the first segment counts as
// lost.
TEST_F(LossTest, TcpInfoCountsWhatWasSelectivelyAcknowledged) {
  for (const LinkEnds& ends : {kToServer, kToClient}) {
    EXPECT_THAT(kernel_.SetLink(ends, {.delay = absl::Milliseconds(10)}),
                IsOk());
  }
  const Pair pair = Connect();
  Set(pair.client, TCP_NODELAY, 1);
  AdvanceTo(100);
  kernel_.Cut(kToServer);
  Write(pair.client, "a");
  AdvanceTo(101);
  kernel_.Restore(kToServer);
  Write(pair.client, "b");
  Write(pair.client, "c");
  AdvanceTo(122);
  EXPECT_EQ(Info(pair.client).unacked, 3U);
  EXPECT_EQ(Info(pair.client).sacked, 2U);
  AdvanceTo(200);
  EXPECT_EQ(Info(pair.client).unacked, 0U);
  EXPECT_EQ(Info(pair.client).sacked, 0U);
  EXPECT_EQ(Info(pair.client).bytes_retrans, 1U);
  EXPECT_EQ(ReadText(sys_, pair.server), "abc");
}

// The FIN has arrived before the data, and is not sent again: nothing that is
// lost is the last segment.
TEST_F(LossTest, AFinThatArrivesOutOfOrderEndsTheStreamAfterTheData) {
  const Pair pair = Connect();
  kernel_.Cut(kToServer);
  Write(pair.client, "x");
  kernel_.Restore(kToServer);
  kernel_.Cut(kToClient);
  EXPECT_THAT(sys_.Shutdown(pair.client, SHUT_WR), IsOk());
  EXPECT_EQ(Ready(sys_, pair.server, POLLIN | POLLRDHUP), 0);
  kernel_.Restore(kToClient);
  // Reports the FIN.
  Write(pair.server, "y");
  kernel_.Cut(kToServer);
  EXPECT_EQ(ReadText(sys_, pair.server), "x");
  EXPECT_EQ(Ready(sys_, pair.server, POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
  EXPECT_EQ(StateOf(sys_, pair.server), TcpState::kCloseWait);
  EXPECT_EQ(Info(pair.client).total_retrans, 1U);
}

// A reset resets only with the next sequence number (RFC 5961, section 3.2).
// With another one in the window, it is challenged, and the reply resets.
TEST_F(LossTest, AResetAfterLostDataIsChallenged) {
  for (const bool reply_is_lost : {true, false}) {
    const Pair pair = Connect();
    Write(pair.client, "unread");
    kernel_.Cut(kToClient);
    Write(pair.server, "x");
    kernel_.Restore(kToClient);
    if (reply_is_lost) kernel_.Cut(kToServer);
    EXPECT_THAT(sys_.Close(pair.server), IsOk());
    EXPECT_EQ(Ready(sys_, pair.client, POLLIN | POLLOUT),
              reply_is_lost ? POLLOUT : POLLIN | POLLOUT | POLLERR | POLLHUP);
    kernel_.Restore(kToServer);
  }
}

// TCP_CORK holds data back for 200 ms. Then it is in flight, and the probe of
// keepalive that was lost does not count any more.
TEST_F(LossTest, DataThatWasHeldBackEndsTheProbes) {
  const Pair pair = Connect();
  Set(pair.client, TCP_KEEPIDLE, 1);
  EXPECT_THAT(SetOption(sys_, pair.client, SOL_SOCKET, SO_KEEPALIVE, 1),
              IsOk());
  Set(pair.client, TCP_CORK, 1);
  kernel_.Cut(kToServer);
  AdvanceTo(1100);
  Write(pair.client, "x");
  AdvanceTo(1250);
  EXPECT_EQ(Info(pair.client).probes, 1U);
  AdvanceTo(1400);
  EXPECT_EQ(Info(pair.client).probes, 0U);
  EXPECT_EQ(Info(pair.client).data_segs_out, 1U);
}

// The window before the first data allows one quick acknowledgement of a
// segment of 20000 bytes. The delayed one of the second segment lets the byte
// go.
TEST_F(LossTest, AnAcknowledgementSendsWhatMsgMoreHeldBack) {
  const Pair pair = Connect();
  Write(pair.server, std::string(20000, 'x'));
  Write(pair.server, std::string(20000, 'x'));
  EXPECT_THAT(sys_.Send(pair.server, "x", 1, MSG_MORE), IsOkAndHolds(1));
  AdvanceTo(30);
  EXPECT_EQ(Info(pair.server).data_segs_out, 2U);
  AdvanceTo(50);
  EXPECT_EQ(Info(pair.server).data_segs_out, 3U);
}

// ---- The handshake ----------------------------------------------------------

TEST_F(LossTest, TheHandshakeEndsLateWithoutQuickAcknowledgement) {
  const int client = NewClient();
  Set(client, TCP_QUICKACK, 0);
  EXPECT_THAT(ConnectTo(sys_, client, NameOf(sys_, listener_)), IsOk());
  EXPECT_EQ(Await(listener_, POLLIN), 200);
}

TEST_F(LossTest, TheHandshakeEndsLateWithDeferAcceptOfTheClient) {
  const int client = NewClient();
  Set(client, TCP_DEFER_ACCEPT, 1);
  EXPECT_THAT(ConnectTo(sys_, client, NameOf(sys_, listener_)), IsOk());
  EXPECT_EQ(Await(listener_, POLLIN), 200);
}

TEST_F(LossTest, DataEndsTheHandshake) {
  const int client = NewClient();
  Set(client, TCP_QUICKACK, 0);
  EXPECT_THAT(ConnectTo(sys_, client, NameOf(sys_, listener_)), IsOk());
  Write(client, "x");
  EXPECT_EQ(Await(listener_, POLLIN), 0);
}

// SYNs are sent again after 1, 2 and 3 s.
TEST_F(LossTest, AfterLostSynsOneSegmentIsInFlight) {
  const int client = NewClient(SOCK_NONBLOCK);
  kernel_.Cut(kToServer);
  StartConnect(client);
  AdvanceTo(2500);
  kernel_.Restore(kToServer);
  EXPECT_EQ(Await(client, POLLOUT), 3000);
  EXPECT_EQ(Info(client).total_retrans, 3U);
  EXPECT_EQ(Info(client).snd_cwnd, 1U);
  const int server = AcceptFrom(sys_, listener_);
  EXPECT_EQ(Info(server).snd_cwnd, 10U);
  kernel_.Cut(kToClient);
  Set(client, TCP_NODELAY, 1);
  Write(client, "abc");
  EXPECT_THAT(sys_.Shutdown(client, SHUT_WR), IsOk());
  EXPECT_EQ(Ready(sys_, server, POLLRDHUP), 0);
  // The loss probe is sent in spite of the window, here with the FIN.
  EXPECT_GT(Await(server, POLLRDHUP), 3100);
}

TEST_F(LossTest, AfterLostSynAcksOneSegmentIsInFlight) {
  const int client = NewClient(SOCK_NONBLOCK);
  kernel_.Cut(kToClient);
  StartConnect(client);
  AdvanceTo(2500);
  kernel_.Restore(kToClient);
  EXPECT_EQ(Await(client, POLLOUT), 3000);
  const int server = AcceptFrom(sys_, listener_);
  EXPECT_GE(Info(server).total_retrans, 2U);
  EXPECT_EQ(Info(server).snd_cwnd, 1U);
  // The SYN-ACK echoed the first SYN, so no SYN was lost.
  EXPECT_EQ(Info(client).snd_cwnd, 10U);
}

// The SYN-ACK that is sent again is acknowledged, unless that is lost.
TEST_F(LossTest, TheEndOfDeferAcceptTakesASynAck) {
  Set(listener_, TCP_DEFER_ACCEPT, 1);
  const int client = NewClient(SOCK_NONBLOCK);
  StartConnect(client);
  kernel_.Cut(kToServer);
  AdvanceTo(1500);
  EXPECT_EQ(Ready(sys_, listener_, POLLIN), 0);
  kernel_.Restore(kToServer);
  EXPECT_GT(Await(listener_, POLLIN), 1500);
}

// While the listener waits for data, it replies to the probe of keepalive after
// 1 s. The client echoes the time stamp of the reply, and so its data is
// dropped until the SYN-ACK is sent again, after 3 s.
TEST_F(LossTest, AHalfOpenConnectionTakesOnlyEchoesOfTheSynAck) {
  Set(listener_, TCP_DEFER_ACCEPT, 3);
  const int client = NewClient(SOCK_NONBLOCK);
  Set(client, TCP_KEEPIDLE, 1);
  EXPECT_THAT(SetOption(sys_, client, SOL_SOCKET, SO_KEEPALIVE, 1), IsOk());
  StartConnect(client);
  AdvanceTo(900);
  EXPECT_EQ(Ready(sys_, listener_, POLLIN), 0);
  AdvanceTo(1500);
  Write(client, "x");
  EXPECT_EQ(Await(listener_, POLLIN), 3000);
}

// The data that was lost makes the acknowledgement of the SYN-ACK more than a
// bare one.
TEST_F(LossTest, AnAcknowledgementAfterLostDataEndsDeferAccept) {
  Set(listener_, TCP_DEFER_ACCEPT, 3);
  const int client = NewClient(SOCK_NONBLOCK);
  Set(client, TCP_QUICKACK, 0);
  StartConnect(client);
  kernel_.Cut(kToServer);
  Write(client, "x");
  AdvanceTo(900);
  kernel_.Restore(kToServer);
  EXPECT_EQ(Await(listener_, POLLIN), 1000);
}

// A lost SYN is sent again when TCP_USER_TIMEOUT is over, and only then is
// connect(2) given up.
TEST_F(LossTest, TheSynIsSentAgainBeforeTheUserTimeoutEndsTheConnect) {
  kernel_.Cut(kToServer);
  for (const bool restore : {true, false}) {
    const int client = NewClient(SOCK_NONBLOCK);
    Set(client, TCP_USER_TIMEOUT, 500);
    StartConnect(client);
    kernel_.Advance(absl::Milliseconds(400));
    if (restore) kernel_.Restore(kToServer);
    Await(client, POLLOUT);
    EXPECT_EQ(OptionOf(sys_, client, SOL_SOCKET, SO_ERROR),
              restore ? 0 : ETIMEDOUT);
    kernel_.Cut(kToServer);
  }
}

// The FIN is sent again because its acknowledgement is lost. Each segment off
// Linux's fast path makes the receiver send what it may (tcp_data_snd_check()
// in net/ipv4/tcp_input.c).
TEST_F(LossTest, AFinThatComesAgainReleasesWhatMsgMoreHoldsBack) {
  const Pair pair = Connect();
  kernel_.Cut(kToClient);
  EXPECT_THAT(sys_.Shutdown(pair.client, SHUT_WR), IsOk());
  AdvanceTo(100);
  EXPECT_THAT(sys_.Send(pair.server, "x", 1, MSG_MORE), IsOkAndHolds(1));
  EXPECT_EQ(Info(pair.server).unacked, 0U);
  // The server's own timer would release it after 300 ms.
  AdvanceTo(250);
  EXPECT_EQ(Info(pair.server).unacked, 1U);
}

// ---- Keepalive --------------------------------------------------------------

// Only what is valid counts as a sign of life.
TEST_F(LossTest, AKeepaliveProbeIsNoNewsForThePeer) {
  const Pair pair = Connect();
  Set(pair.client, TCP_KEEPIDLE, 10);
  EXPECT_THAT(SetOption(sys_, pair.client, SOL_SOCKET, SO_KEEPALIVE, 1),
              IsOk());
  AdvanceTo(10500);
  EXPECT_EQ(Info(pair.client).last_ack_recv, 500U);
  EXPECT_EQ(Info(pair.server).last_ack_recv, 10500U);
}

}  // namespace
}  // namespace net::fake
