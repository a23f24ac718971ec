#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// RFC 9293, figure 5, as far as programs can bring it about: a connection is
// made within one call, so nobody sees SYN-RECEIVED.

namespace net::fake {

void PrintTo(TcpState state, std::ostream* os) { *os << TcpStateName(state); }

namespace {

// The end of a connection that the figure is about, `self`, and the other end,
// with what a program can do to them. A listener's peer is whoever connects.
class Scene {
 public:
  Scene() {
    // The other end acknowledges immediately.
    kernel_.SetQuickAckOnLoopback();
    EXPECT_THAT(BindTo(sys_, self_, here_), IsOk());
  }

  // The figure's OPEN, SEND and CLOSE.
  void PassiveOpen() { EXPECT_THAT(sys_.Listen(self_, 16), IsOk()); }
  void ActiveOpen() {
    EXPECT_THAT(ConnectTo(sys_, self_, there_), IsErrno(EINPROGRESS));
  }
  void SendMuch() {
    const std::string much(1 << 20, 'x');
    SysResult sent = SysResult::Ok();
    while (sent.ok()) {
      sent = sys_.Send(self_, much.data(), much.size(), 0);
    }
    EXPECT_THAT(sent, IsErrno(EAGAIN));
  }
  // The descriptor stays open, to look through.
  void Close() { EXPECT_THAT(sys_.Shutdown(self_, SHUT_RDWR), IsOk()); }
  void EndStream() { EXPECT_THAT(sys_.Shutdown(self_, SHUT_WR), IsOk()); }
  void Reset() {
    sockaddr nobody = {};
    nobody.sa_family = AF_UNSPEC;
    EXPECT_THAT(sys_.Connect(self_, &nobody, sizeof(nobody)), IsOk());
  }
  void CloseDescriptor() { EXPECT_THAT(sys_.Close(self_), IsOk()); }

  // Segments, by what the other side does.
  void PeerListens() { listener_ = NewListener(sys_, there_); }
  void PeerAccepts() { peer_ = AcceptFrom(sys_, listener_); }
  void PeerEndsStream() { EXPECT_THAT(sys_.Shutdown(peer_, SHUT_WR), IsOk()); }
  // And acknowledges it, and what has waited behind it.
  void PeerReadsAll() {
    std::string all(1 << 20, '\0');
    SysResult got = SysResult::Ok(1);
    while (got.ok() && got.value() > 0) {
      got = sys_.Recv(peer_, all.data(), all.size(), MSG_DONTWAIT);
    }
  }
  void PeerResets() {
    const linger now = {.l_onoff = 1, .l_linger = 0};
    EXPECT_THAT(
        sys_.SetSockOpt(peer_, SOL_SOCKET, SO_LINGER, &now, sizeof(now)),
        IsOk());
    EXPECT_THAT(sys_.Close(peer_), IsOk());
  }
  // A SYN that nobody answers, now or ever.
  void NetworkGoesDown() { kernel_.SetLoopbackUp(false); }
  // Figure 7: the same two ends, both active. A socket can do it by itself.
  void ConnectToSelf() {
    EXPECT_THAT(ConnectTo(sys_, self_, here_), IsErrno(EINPROGRESS));
  }
  void ConnectToListener() { NewConnection(sys_, here_); }

  void MinutePasses() { kernel_.Advance(absl::Minutes(1)); }

  // Through TCP_INFO, while there is a socket that is not closed; what it
  // leaves behind shows in the list of connections only.
  TcpState State() {
    for (const absl::string_view line : absl::StrSplit(kernel_.Dump(), '\n')) {
      const std::vector<std::string> row =
          absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (row.size() < 5 || row[3] != here_.ToString()) continue;
      if (row[0] == "TIME-WAIT") return TcpState::kTimeWait;
      if (row[0] == "FIN-WAIT-2") return TcpState::kFinWait2;
    }
    if (sys_.Fcntl(self_, F_GETFD, 0).error() == EBADF) {
      return TcpState::kClosed;
    }
    return StateOf(sys_, self_);
  }

 private:
  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant participant_{kernel_};
  const ip::Endpoint here_ = {ip::kLocalV4, 4711};
  const ip::Endpoint there_ = {ip::kLocalV4, 4712};
  const int self_ = NewTcp(sys_, AF_INET, SOCK_NONBLOCK);
  int listener_ = -1;
  int peer_ = -1;
};

using Step = void (Scene::*)();
using Steps = std::vector<Step>;

// An arrow of the figure, the way to where it begins, and what takes it.
struct Arrow {
  TcpState from;
  const char* in_the_figure;
  TcpState to;
  const char* name;
  Steps way;
  Step event;
};

void PrintTo(const Arrow& arrow, std::ostream* os) { *os << arrow.name; }

Steps After(Steps way, std::initializer_list<Step> more) {
  way.insert(way.end(), more);
  return way;
}

std::vector<Arrow> Arrows() {
  using S = Scene;
  using T = TcpState;

  const Steps closed = {};
  const Steps no_network = {&S::NetworkGoesDown};
  const Steps peer_listens = {&S::PeerListens};
  const Steps listening = {&S::PassiveOpen};
  const Steps syn_sent = {&S::NetworkGoesDown, &S::ActiveOpen};
  const Steps connected = {&S::PeerListens, &S::ActiveOpen, &S::PeerAccepts};
  // The sent data, and the FIN behind it, wait for a reader.
  const Steps fin_wait_1 = After(connected, {&S::SendMuch, &S::EndStream});
  const Steps fin_wait_2 = After(connected, {&S::EndStream});
  const Steps closing = After(fin_wait_1, {&S::PeerEndsStream});
  const Steps time_wait = After(fin_wait_2, {&S::PeerEndsStream});
  const Steps close_wait = After(connected, {&S::PeerEndsStream});
  const Steps last_ack =
      After(connected, {&S::SendMuch, &S::PeerEndsStream, &S::EndStream});

  return {
      // From, event / action, to, as in the figure; name, way there, event.
      {T::kClosed, "passive OPEN", T::kListen, "PassiveOpen", closed,
       &S::PassiveOpen},
      {T::kClosed, "active OPEN / snd SYN", T::kSynSent, "ActiveOpen",
       no_network, &S::ActiveOpen},
      {T::kListen, "CLOSE", T::kClosed, "CloseOfListener", listening,
       &S::Close},
      {T::kListen, "rcv SYN / snd SYN,ACK (the listener itself goes on)",
       T::kListen, "SynToListener", listening, &S::ConnectToListener},
      {T::kSynSent, "CLOSE", T::kClosed, "CloseWhileConnecting", syn_sent,
       &S::Close},
      {T::kClosed, "rcv SYN,ACK / snd ACK", T::kEstablished, "SynAck",
       peer_listens, &S::ActiveOpen},
      {T::kClosed, "rcv SYN / snd SYN,ACK", T::kEstablished, "SimultaneousOpen",
       closed, &S::ConnectToSelf},
      {T::kEstablished, "CLOSE / snd FIN", T::kFinWait1, "CloseOfConnection",
       After(connected, {&S::SendMuch}), &S::EndStream},
      {T::kEstablished, "rcv FIN / snd ACK", T::kCloseWait, "FinToConnection",
       connected, &S::PeerEndsStream},
      {T::kFinWait1, "rcv ACK of FIN", T::kFinWait2, "AckOfFin", fin_wait_1,
       &S::PeerReadsAll},
      {T::kFinWait1, "rcv FIN / snd ACK", T::kClosing, "FinInFinWait1",
       fin_wait_1, &S::PeerEndsStream},
      {T::kFinWait2, "rcv FIN / snd ACK", T::kTimeWait, "FinInFinWait2",
       fin_wait_2, &S::PeerEndsStream},
      {T::kClosing, "rcv ACK of FIN", T::kTimeWait, "AckOfFinInClosing",
       closing, &S::PeerReadsAll},
      {T::kCloseWait, "CLOSE / snd FIN", T::kLastAck, "CloseInCloseWait",
       After(connected, {&S::SendMuch, &S::PeerEndsStream}), &S::EndStream},
      {T::kLastAck, "rcv ACK of FIN", T::kClosed, "AckOfFinInLastAck", last_ack,
       &S::PeerReadsAll},
      {T::kTimeWait, "timeout=2MSL", T::kClosed, "Timeout", time_wait,
       &S::MinutePasses},
      // Section 3.5.2: a reset ends all of them; and 3.10.5: so does ABORT.
      {T::kEstablished, "rcv RST", T::kClosed, "ResetOfConnection", connected,
       &S::PeerResets},
      {T::kFinWait1, "rcv RST", T::kClosed, "ResetInFinWait1", fin_wait_1,
       &S::PeerResets},
      {T::kFinWait2, "rcv RST", T::kClosed, "ResetInFinWait2", fin_wait_2,
       &S::PeerResets},
      {T::kClosing, "rcv RST", T::kClosed, "ResetInClosing", closing,
       &S::PeerResets},
      {T::kCloseWait, "rcv RST", T::kClosed, "ResetInCloseWait", close_wait,
       &S::PeerResets},
      {T::kLastAck, "rcv RST", T::kClosed, "ResetInLastAck", last_ack,
       &S::PeerResets},
      {T::kClosed, "rcv RST in SYN-SENT", T::kClosed, "Refusal", closed,
       &S::ActiveOpen},
      {T::kListen, "ABORT", T::kClosed, "AbortOfListener", listening,
       &S::Reset},
      {T::kSynSent, "ABORT", T::kClosed, "AbortWhileConnecting", syn_sent,
       &S::Reset},
      {T::kEstablished, "ABORT / snd RST", T::kClosed, "AbortOfConnection",
       connected, &S::Reset},
      {T::kCloseWait, "ABORT / snd RST", T::kClosed, "AbortInCloseWait",
       close_wait, &S::Reset},
      // Linux: an end in FIN-WAIT-2 that nobody can read from waits for so long
      // only (tcp(7), tcp_fin_timeout).
      {T::kFinWait2, "close(2)", T::kFinWait2, "OrphanInFinWait2", fin_wait_2,
       &S::CloseDescriptor},
      {T::kFinWait2, "rcv FIN / snd ACK", T::kTimeWait, "FinToOrphan",
       After(fin_wait_2, {&S::CloseDescriptor}), &S::PeerEndsStream},
      {T::kFinWait2, "tcp_fin_timeout", T::kClosed, "TimeoutOfOrphan",
       After(fin_wait_2, {&S::CloseDescriptor}), &S::MinutePasses},
      {T::kFinWait2, "tcp_fin_timeout", T::kFinWait2, "NoTimeoutWithASocket",
       fin_wait_2, &S::MinutePasses},
  };
}

class Figure : public testing::TestWithParam<Arrow> {};

TEST_P(Figure, HasTheArrow) {
  const Arrow& arrow = GetParam();
  SCOPED_TRACE(arrow.in_the_figure);
  Scene scene;
  for (const Step step : arrow.way) (scene.*step)();
  ASSERT_EQ(scene.State(), arrow.from);
  (scene.*arrow.event)();
  EXPECT_EQ(scene.State(), arrow.to);
}

INSTANTIATE_TEST_SUITE_P(, Figure, testing::ValuesIn(Arrows()),
                         [](const testing::TestParamInfo<Arrow>& test) {
                           return std::string(test.param.name);
                         });

// --- Timers ------------------------------------------------------------------

constexpr absl::Duration kBlink = absl::Nanoseconds(1);

// A socket that connects, and whose SYNs are lost.
class SynTest : public testing::Test {
 protected:
  SynTest() { kernel_.SetLoopbackUp(false); }

  void Connect() {
    EXPECT_THAT(ConnectTo(sys_, fd_, {ip::kLocalV4, 4711}),
                IsErrno(EINPROGRESS));
  }
  void AdvanceTo(absl::Duration time) { kernel_.Advance(time - kernel_.Now()); }
  int Retries() { return InfoOf(sys_, fd_).retransmits; }
  // The connection is given up just then, and not a moment before.
  void ExpectTimeoutAt(absl::Duration time) {
    AdvanceTo(time - kBlink);
    EXPECT_EQ(StateOf(sys_, fd_), TcpState::kSynSent);
    EXPECT_EQ(Ready(sys_, fd_, POLLOUT), 0);
    AdvanceTo(time);
    EXPECT_EQ(StateOf(sys_, fd_), TcpState::kClosed);
    EXPECT_EQ(Ready(sys_, fd_, POLLOUT), POLLOUT | POLLERR | POLLHUP);
    EXPECT_EQ(OptionOf(sys_, fd_, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
  const int fd_ = NewTcp(sys_, AF_INET, SOCK_NONBLOCK);
};

// tcp_syn_linear_timeouts (4) one-second waits after the first, then doubled
// ones, tcp_syn_retries (6) of them.
TEST_F(SynTest, IsSentAgainAndAgain) {
  Connect();
  int retries = 0;
  for (const int second : {1, 2, 3, 4, 5, 7, 11, 19, 35, 67}) {
    AdvanceTo(absl::Seconds(second) - kBlink);
    EXPECT_EQ(Retries(), retries) << "before " << second << " s";
    AdvanceTo(absl::Seconds(second));
    EXPECT_EQ(Retries(), ++retries) << "at " << second << " s";
  }
  ExpectTimeoutAt(absl::Seconds(131));
}

// RFC 6298, section 5.5.
TEST_F(SynTest, DoublesTheTimeFromTheBeginningWithoutLinearTimeouts) {
  ASSERT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_syn_linear_timeouts", "0"));
  Connect();
  int retries = 0;
  for (const int second : {1, 3, 7, 15, 31, 63}) {
    AdvanceTo(absl::Seconds(second) - kBlink);
    EXPECT_EQ(Retries(), retries) << "before " << second << " s";
    AdvanceTo(absl::Seconds(second));
    EXPECT_EQ(Retries(), ++retries) << "at " << second << " s";
  }
  ExpectTimeoutAt(absl::Seconds(127));
}

struct SynCount {
  int syncnt;
  int seconds;
};
void PrintTo(const SynCount& count, std::ostream* os) {
  *os << "TCP_SYNCNT " << count.syncnt;
}

class SynCountTest : public SynTest,
                     public testing::WithParamInterface<SynCount> {};

// tcp(7): a connection is given up at the first timer that is 2^(n+1)-1 s late,
// or later.
TEST_P(SynCountTest, ReturnsWhenToGiveUp) {
  ASSERT_THAT(SetOption(sys_, fd_, IPPROTO_TCP, TCP_SYNCNT, GetParam().syncnt),
              IsOk());
  Connect();
  ExpectTimeoutAt(absl::Seconds(GetParam().seconds));
}

INSTANTIATE_TEST_SUITE_P(, SynCountTest,
                         testing::ValuesIn({SynCount{1, 3}, SynCount{2, 7},
                                            SynCount{3, 19}, SynCount{4, 35}}),
                         [](const testing::TestParamInfo<SynCount>& test) {
                           return absl::StrCat("TcpSyncnt", test.param.syncnt);
                         });

TEST_F(SynTest, ThatGetsThroughAtLastConnects) {
  kernel_.SetLoopbackUp(true);
  NewListener(sys_, {ip::kLocalV4, 4711});
  kernel_.SetLoopbackUp(false);
  Connect();
  kernel_.Advance(absl::Seconds(6));
  kernel_.SetLoopbackUp(true);
  EXPECT_EQ(StateOf(sys_, fd_), TcpState::kSynSent);
  AdvanceTo(absl::Seconds(7));
  EXPECT_EQ(StateOf(sys_, fd_), TcpState::kEstablished);
  EXPECT_EQ(OptionOf(sys_, fd_, SOL_SOCKET, SO_ERROR), 0);
}

// tcp(7), tcp_fin_timeout and TCP_LINGER2: how long an end that is closed waits
// for the other end's FIN.
class FinWait2Test : public testing::Test {
 protected:
  void CloseClient() { EXPECT_THAT(sys_.Close(pair_.client), IsOk()); }
  bool InFinWait2() { return absl::StrContains(kernel_.Dump(), "FIN-WAIT-2"); }
  void ExpectEndAfter(absl::Duration time) {
    kernel_.Advance(time - kBlink);
    EXPECT_TRUE(InFinWait2());
    kernel_.Advance(kBlink);
    EXPECT_FALSE(InFinWait2());
  }

  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
  const Pair pair_ = NewPair(sys_);
};

TEST_F(FinWait2Test, LastsAMinute) {
  CloseClient();
  ExpectEndAfter(absl::Minutes(1));
}

TEST_F(FinWait2Test, LastsAsLongAsTheSysctlSays) {
  ASSERT_TRUE(kernel_.SetSysctl("net.ipv4.tcp_fin_timeout", "10"));
  CloseClient();
  ExpectEndAfter(absl::Seconds(10));
}

TEST_F(FinWait2Test, LastsAsLongAsTheSocketSays) {
  ASSERT_THAT(SetOption(sys_, pair_.client, IPPROTO_TCP, TCP_LINGER2, 5),
              IsOk());
  CloseClient();
  ExpectEndAfter(absl::Seconds(5));
}

TEST_F(FinWait2Test, LastsTwiceWhatIsBeyondAMinute) {
  ASSERT_THAT(SetOption(sys_, pair_.client, IPPROTO_TCP, TCP_LINGER2, 75),
              IsOk());
  CloseClient();
  ExpectEndAfter(absl::Seconds(30));
}

TEST_F(FinWait2Test, DoesNotLastWithANegativeLinger2) {
  ASSERT_THAT(SetOption(sys_, pair_.client, IPPROTO_TCP, TCP_LINGER2, -1),
              IsOk());
  CloseClient();
  EXPECT_FALSE(InFinWait2());
  EXPECT_EQ(StateOf(sys_, pair_.server), TcpState::kClosed);
}

// The other end's writes then find nobody.
TEST_F(FinWait2Test, AfterItTheOtherEndIsReset) {
  CloseClient();
  kernel_.Advance(absl::Minutes(1));
  EXPECT_EQ(StateOf(sys_, pair_.server), TcpState::kCloseWait);
  EXPECT_THAT(WriteText(sys_, pair_.server, "x"), IsOk());
  EXPECT_THAT(WriteText(sys_, pair_.server, "x"), IsErrno(EPIPE));
}

}  // namespace
}  // namespace net::fake
