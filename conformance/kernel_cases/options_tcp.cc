// The options of IPPROTO_TCP.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectedPair;
using loopback::ConnectTo;
using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;
using ::testing::AnyOf;
using ::testing::Gt;

constexpr int kTcpIsMptcp = 43;
constexpr int kTcpRtoMaxMs = 44;

void NoDelay(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectSwitch(socket, IPPROTO_TCP, TCP_NODELAY);
}

void KeepIdleRange(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_KEEPIDLE, {1, 32767}, {-1, 0, 32768});
}

void KeepIntvlRange(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_KEEPINTVL, {1, 32767}, {-1, 0, 32768});
}

void KeepCntRange(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_KEEPCNT, {1, 127}, {-1, 0, 128});
}

void SynCntRange(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_SYNCNT, {1, 127}, {-1, 0, 128});
}

// The sysctl is read when the option is read.
void DefaultsFollowSysctls(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  c.env().SetSysctl("net.ipv4.tcp_keepalive_time", "11");
  c.env().SetSysctl("net.ipv4.tcp_keepalive_intvl", "12");
  c.env().SetSysctl("net.ipv4.tcp_keepalive_probes", "13");
  c.env().SetSysctl("net.ipv4.tcp_syn_retries", "14");
  c.env().SetSysctl("net.ipv4.tcp_fin_timeout", "15");
  EXPECT_THAT(Tcp(socket, TCP_KEEPIDLE), IsOkAndHolds(11));
  EXPECT_THAT(Tcp(socket, TCP_KEEPINTVL), IsOkAndHolds(12));
  EXPECT_THAT(Tcp(socket, TCP_KEEPCNT), IsOkAndHolds(13));
  EXPECT_THAT(Tcp(socket, TCP_SYNCNT), IsOkAndHolds(14));
  EXPECT_THAT(Tcp(socket, TCP_LINGER2), IsOkAndHolds(15));
}

void KeepAliveDoesNotTouchTimes(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetTcp(socket, TCP_KEEPIDLE, 30), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(0));
  ASSERT_THAT(SetSocketOption(socket, SO_KEEPALIVE, 1), IsOk());
  ASSERT_THAT(SetSocketOption(socket, SO_KEEPALIVE, 0), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_KEEPIDLE), IsOkAndHolds(30));
}

void Linger2(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_LINGER2, {1, 120, -1}, {});
  EXPECT_THAT(SetTcp(socket, TCP_LINGER2, -100), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_LINGER2), IsOkAndHolds(-1));
  EXPECT_THAT(SetTcp(socket, TCP_LINGER2, 121), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_LINGER2), IsOkAndHolds(120));
}

void Linger2Zero(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const int usual, Tcp(socket, TCP_LINGER2));
  EXPECT_THAT(SetTcp(socket, TCP_LINGER2, 1), IsOk());
  EXPECT_THAT(SetTcp(socket, TCP_LINGER2, 0), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_LINGER2), IsOkAndHolds(usual));
}

void DeferAcceptSteps(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Tcp(socket, TCP_DEFER_ACCEPT), IsOkAndHolds(0));
  const std::vector<std::pair<int, int>> steps = {
      {1, 1},    {2, 3},     {3, 3},  {4, 7},     {8, 15},
      {64, 127}, {128, 247}, {-1, 0}, {248, 367}, {INT_MAX, 29887}};
  for (const auto& [set, told] : steps) {
    EXPECT_THAT(SetTcp(socket, TCP_DEFER_ACCEPT, set), IsOk());
    EXPECT_THAT(Tcp(socket, TCP_DEFER_ACCEPT), IsOkAndHolds(told)) << set;
  }
}

// Makes a non-blocking listener with TCP_DEFER_ACCEPT.
absl::StatusOr<Listener> DeferringListener(Context& c) {
  auto listener = ListenAnywhere(c.sys(), c.family(), {.nonblocking = true});
  if (!listener.ok()) return listener.status();
  const SysResult set = SetTcp(listener->socket(), TCP_DEFER_ACCEPT, 30);
  if (!set.ok()) return ErrnoError(set.error(), "setsockopt");
  return listener;
}

void DeferredUntilData(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener, DeferringListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  EXPECT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(0));
  EXPECT_THAT(Accept(listener.socket()), IsErrno(EAGAIN));
  ASSERT_THAT(client.Send("x"), IsOk());
  EXPECT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(POLLIN));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, Accept(listener.socket()));
  EXPECT_THAT(RecvOnce(server), IsOkAndHolds("x"));
}

void UserTimeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, {0, 1, INT_MAX},
              {-1, INT_MIN});
}

void MaxSegUnconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Tcp(socket, TCP_MAXSEG), IsOkAndHolds(536));
  ExpectTakes(socket, IPPROTO_TCP, TCP_MAXSEG, {88, 1460, 32767},
              {-1, 1, 87, 32768});
  EXPECT_THAT(SetTcp(socket, TCP_MAXSEG, 0), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_MAXSEG), IsOkAndHolds(536));
}

void MaxSegConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const int before, Tcp(pair.client, TCP_MAXSEG));
  EXPECT_THAT(before, Gt(536));
  EXPECT_THAT(SetTcp(pair.client, TCP_MAXSEG, 1000), IsOk());
  EXPECT_THAT(Tcp(pair.client, TCP_MAXSEG), IsOkAndHolds(before));
}

void MaxSegOfDisconnected(Context& c) {
  const auto max_seg = [](const RawSocket& socket) {
    return socket.Option(IPPROTO_TCP, TCP_MAXSEG);
  };
  ASSERT_OK_AND_ASSIGN(const RawSocket listener, NewTcp(c));
  ASSERT_THAT(Listen(listener), IsOk());
  ASSERT_THAT(SetTcp(listener, TCP_MAXSEG, 4096), IsOk());
  EXPECT_THAT(max_seg(listener), IsOkAndHolds(4096));
  ASSERT_THAT(c.sys().Shutdown(listener.fd(), SHUT_RDWR), IsOk());
  EXPECT_THAT(max_seg(listener), IsOkAndHolds(536));
  ASSERT_OK_AND_ASSIGN(const RawSocket unconnected, NewTcp(c));
  ASSERT_THAT(SetTcp(unconnected, TCP_MAXSEG, 4096), IsOk());
  ASSERT_THAT(Disconnect(unconnected), IsOk());
  EXPECT_THAT(max_seg(unconnected), IsOkAndHolds(536));
}

// 12 bytes of each segment are timestamps.
void MaxSegIsKept(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(SetTcp(client, TCP_MAXSEG, 1000), IsOk());
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(Tcp(client, TCP_MAXSEG), IsOkAndHolds(988));
  EXPECT_THAT(Tcp(server, TCP_MAXSEG), IsOkAndHolds(988));
}

void WindowClamp(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_WINDOW_CLAMP, {0, 1152, 1000000}, {});
  EXPECT_THAT(SetTcp(socket, TCP_WINDOW_CLAMP, 1), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_WINDOW_CLAMP), IsOkAndHolds(1152));
}

void WindowClampConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(Tcp(pair.client, TCP_WINDOW_CLAMP), IsOkAndHolds(Gt(1152)));
  EXPECT_THAT(SetTcp(pair.client, TCP_WINDOW_CLAMP, 0), IsErrno(EINVAL));
  EXPECT_THAT(SetTcp(pair.client, TCP_WINDOW_CLAMP, 5000), IsOk());
  EXPECT_THAT(Tcp(pair.client, TCP_WINDOW_CLAMP), IsOkAndHolds(5000));
}

using Name = std::array<char, 16>;

void Congestion(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const Name usual,
                       OptionOf<Name>(socket, IPPROTO_TCP, TCP_CONGESTION));
  EXPECT_NE(usual[0], 0);
  EXPECT_EQ(usual[15], 0);
  EXPECT_THAT(SetOptionTo(socket, IPPROTO_TCP, TCP_CONGESTION, usual), IsOk());
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_TCP, TCP_CONGESTION, "reno", 4),
              IsOk());
  ASSERT_OK_AND_ASSIGN(const Name reno,
                       OptionOf<Name>(socket, IPPROTO_TCP, TCP_CONGESTION));
  EXPECT_STREQ(reno.data(), "reno");
}

void NoSuchCongestion(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6),
              IsErrno(ENOENT));
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_TCP, TCP_CONGESTION, "ren", 3),
              IsErrno(ENOENT));
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_TCP, TCP_CONGESTION, "", 0),
              IsErrno(EINVAL));
}

void NoSuchUlp(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_TCP, TCP_ULP, "nosuch", 6),
              IsErrno(ENOENT));
}

void QuickAck(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Tcp(socket, TCP_QUICKACK), IsOkAndHolds(1));
  EXPECT_THAT(SetTcp(socket, TCP_QUICKACK, 0), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_QUICKACK), IsOkAndHolds(0));
}

absl::StatusOr<int> StateOf(const RawSocket& socket) {
  return socket.TcpState();
}

void InfoStates(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(StateOf(socket), IsOkAndHolds(+TCP_CLOSE));
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  EXPECT_THAT(StateOf(listener.socket()), IsOkAndHolds(+TCP_LISTEN));
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(StateOf(pair.client), IsOkAndHolds(+TCP_ESTABLISHED));
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  // The peer may delay its acknowledgement.
  EXPECT_THAT(StateOf(pair.client),
              IsOkAndHolds(AnyOf(+TCP_FIN_WAIT1, +TCP_FIN_WAIT2)));
  EXPECT_THAT(StateOf(pair.server), IsOkAndHolds(+TCP_CLOSE_WAIT));
}

void InfoInLittleRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  unsigned char state = 0;
  socklen_t size = sizeof(state);
  EXPECT_THAT(
      c.sys().GetSockOpt(socket.fd(), IPPROTO_TCP, TCP_INFO, &state, &size),
      IsOk());
  EXPECT_EQ(size, 1);
  EXPECT_EQ(state, TCP_CLOSE);
}

void InfoOfListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family(), {.backlog = 7}));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(
      const tcp_info info,
      OptionOf<tcp_info>(listener.socket(), IPPROTO_TCP, TCP_INFO));
  EXPECT_EQ(info.tcpi_unacked, 1);
  EXPECT_EQ(info.tcpi_sacked, 7);
}

void FastOpenRange(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_FASTOPEN, {0, 5}, {-1});
}

void FastOpenConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(SetTcp(pair.client, TCP_FASTOPEN, 5), IsErrno(EINVAL));
  EXPECT_THAT(SetTcp(pair.client, TCP_FASTOPEN_CONNECT, 1), IsErrno(EINVAL));
}

void FastOpenCapped(Context& c) {
  c.env().SetSysctl("net.core.somaxconn", "9");
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetTcp(socket, TCP_FASTOPEN, 10), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_FASTOPEN), IsOkAndHolds(9));
}

void NotSentLowat(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
              {-1, 0, 1, INT_MAX, INT_MIN}, {});
}

void SmallRanges(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, TCP_SAVE_SYN, {0, 1, 2}, {-1, 3});
  ExpectTakes(socket, IPPROTO_TCP, TCP_INQ, {0, 1}, {-1, 2});
  ExpectTakes(socket, IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, {0, 1}, {-1, 2});
  ExpectTakes(socket, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, {0, 1}, {-1, 2});
}

void ThinDupAck(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetTcp(socket, TCP_THIN_DUPACK, 1), IsOk());
  EXPECT_THAT(Tcp(socket, TCP_THIN_DUPACK), IsOkAndHolds(0));
  EXPECT_THAT(SetTcp(socket, TCP_THIN_DUPACK, 2), IsErrno(EINVAL));
}

void RtoMax(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_TCP, kTcpRtoMaxMs, {1000, 60000, 120000},
              {-1, 0, 999, 120001});
}

void NotMultipath(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Tcp(socket, kTcpIsMptcp), IsOkAndHolds(0));
  EXPECT_THAT(SetTcp(socket, kTcpIsMptcp, 1), IsErrno(ENOPROTOOPT));
}

void RepairOfAnybody(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Tcp(socket, TCP_REPAIR), IsOkAndHolds(0));
  EXPECT_THAT(Tcp(socket, TCP_REPAIR_QUEUE), IsErrno(EINVAL));
  EXPECT_THAT(SetTcp(socket, TCP_REPAIR_QUEUE, 1), IsErrno(EPERM));
  EXPECT_THAT(SetTcp(socket, TCP_TIMESTAMP, 1), IsErrno(EPERM));
}

}  // namespace

const std::vector<Case>& OptionsTcpKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.options.tcp.nodelay",
       .requirement =
           "TCP_NODELAY must be an on-off option that is off by default.",
       .source = "tcp(7), TCP_NODELAY",
       .run = &NoDelay},
      {.id = "kernel.options.tcp.keepidle",
       .requirement = "TCP_KEEPIDLE must accept 1 to 32767.",
       .source = "measured on Linux 6.18",
       .run = &KeepIdleRange},
      {.id = "kernel.options.tcp.keepintvl",
       .requirement = "TCP_KEEPINTVL must accept 1 to 32767.",
       .source = "measured on Linux 6.18",
       .run = &KeepIntvlRange},
      {.id = "kernel.options.tcp.keepcnt",
       .requirement = "TCP_KEEPCNT must accept 1 to 127.",
       .source = "measured on Linux 6.18",
       .run = &KeepCntRange},
      {.id = "kernel.options.tcp.syncnt",
       .requirement = "TCP_SYNCNT must accept 1 to 127.",
       .source = "measured on Linux 6.18",
       .run = &SynCntRange},
      {.id = "kernel.options.tcp.defaults_follow_sysctls",
       .requirement = "A TCP option that was not set must return the current "
                      "value of its sysctl.",
       .source = "tcp(7), /proc interfaces",
       .needs = Need::kOwnNetwork,
       .run = &DefaultsFollowSysctls},
      {.id = "kernel.options.tcp.keepalive_and_times",
       .requirement =
           "SO_KEEPALIVE and TCP_KEEPIDLE must be independent of each other.",
       .source = "tcp(7), TCP_KEEPIDLE",
       .run = &KeepAliveDoesNotTouchTimes},
      {.id = "kernel.options.tcp.linger2",
       .requirement = "TCP_LINGER2 must read back -1 for negative values, and "
                      "at most 120.",
       .source = "measured on Linux 6.18",
       .run = &Linger2},
      {.id = "kernel.options.tcp.linger2.zero",
       .requirement = "Setting TCP_LINGER2 to 0 must restore the default.",
       .source = "measured on Linux 6.18",
       .run = &Linger2Zero},
      {.id = "kernel.options.tcp.defer_accept.steps",
       .requirement = "TCP_DEFER_ACCEPT must be rounded up to the next time of "
                      "a SYN-ACK retransmission.",
       .source = "measured on Linux 6.18",
       .run = &DeferAcceptSteps},
      {.id = "kernel.options.tcp.defer_accept.until_data",
       .requirement = "With TCP_DEFER_ACCEPT, a connection must not be "
                      "accepted before it has data.",
       .source = "tcp(7), TCP_DEFER_ACCEPT",
       .run = &DeferredUntilData},
      {.id = "kernel.options.tcp.user_timeout",
       .requirement =
           "TCP_USER_TIMEOUT must accept every int except negative ones.",
       .source = "tcp(7), TCP_USER_TIMEOUT",
       .run = &UserTimeout},
      {.id = "kernel.options.tcp.maxseg.unconnected",
       .requirement = "TCP_MAXSEG without a connection must be 536 by default, "
                      "and accept 88 to 32767.",
       .source = "measured on Linux 6.18",
       .run = &MaxSegUnconnected},
      {.id = "kernel.options.tcp.maxseg.connected",
       .requirement =
           "TCP_MAXSEG of a connection must not change when it is set.",
       .source = "measured on Linux 6.18",
       .run = &MaxSegConnected},
      {.id = "kernel.options.tcp.maxseg.disconnect",
       .requirement = "TCP_MAXSEG must be forgotten when a listener is shut "
                      "down, and when an unconnected socket is disconnected.",
       .source = "Linux, tcp_disconnect() in net/ipv4/tcp.c; measured on "
                 "Linux 6.18",
       .run = &MaxSegOfDisconnected},
      {.id = "kernel.options.tcp.maxseg.kept",
       .requirement = "TCP_MAXSEG that was set before connect(2) must limit "
                      "the segments of both ends.",
       .source = "tcp(7), TCP_MAXSEG",
       .run = &MaxSegIsKept},
      {.id = "kernel.options.tcp.window_clamp",
       .requirement =
           "TCP_WINDOW_CLAMP without a connection must be 0 or at least 1152.",
       .source = "measured on Linux 6.18",
       .run = &WindowClamp},
      {.id = "kernel.options.tcp.window_clamp.connected",
       .requirement = "Setting TCP_WINDOW_CLAMP to 0 on a connection must fail "
                      "with EINVAL.",
       .source = "measured on Linux 6.18",
       .run = &WindowClampConnected},
      {.id = "kernel.options.tcp.congestion",
       .requirement = "TCP_CONGESTION must return a name in 16 bytes, and "
                      "unprivileged programs must be able to set `reno`.",
       .source = "tcp(7), TCP_CONGESTION",
       .run = &Congestion},
      {.id = "kernel.options.tcp.congestion.no_such",
       .requirement = "Setting TCP_CONGESTION must fail with ENOENT for an "
                      "unknown name, and with EINVAL for an empty one.",
       .source = "measured on Linux 6.18",
       .run = &NoSuchCongestion},
      {.id = "kernel.options.tcp.ulp.no_such",
       .requirement = "Setting TCP_ULP must fail with ENOENT for an unknown "
                      "upper layer protocol.",
       .source = "measured on Linux 6.18",
       .run = &NoSuchUlp},
      {.id = "kernel.options.tcp.quickack",
       .requirement =
           "TCP_QUICKACK must be on by default, and able to be switched off.",
       .source = "tcp(7), TCP_QUICKACK",
       .run = &QuickAck},
      {.id = "kernel.options.tcp.info.states",
       .requirement = "TCP_INFO must begin with the TCP state.",
       .source = "tcp(7), TCP_INFO",
       .run = &InfoStates},
      {.id = "kernel.options.tcp.info.little_room",
       .requirement = "TCP_INFO must be truncated to the given length.",
       .source = "measured on Linux 6.18",
       .run = &InfoInLittleRoom},
      {.id = "kernel.options.tcp.info.listener",
       .requirement = "TCP_INFO of a listener must return the number of queued "
                      "connections and the backlog.",
       .source = "measured on Linux 6.18",
       .run = &InfoOfListener},
      {.id = "kernel.options.tcp.fastopen",
       .requirement = "TCP_FASTOPEN must not accept negative values.",
       .source = "measured on Linux 6.18",
       .run = &FastOpenRange},
      {.id = "kernel.options.tcp.fastopen.connected",
       .requirement = "Setting TCP_FASTOPEN or TCP_FASTOPEN_CONNECT on a "
                      "connection must fail with EINVAL.",
       .source = "measured on Linux 6.18",
       .run = &FastOpenConnected},
      {.id = "kernel.options.tcp.fastopen.capped",
       .requirement = "TCP_FASTOPEN must be limited to net.core.somaxconn.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FastOpenCapped},
      {.id = "kernel.options.tcp.notsent_lowat",
       .requirement = "TCP_NOTSENT_LOWAT must accept every int.",
       .source = "measured on Linux 6.18",
       .run = &NotSentLowat},
      {.id = "kernel.options.tcp.small_ranges",
       .requirement = "TCP options that take a number from 0 to 1 or 2 must "
                      "reject other numbers with EINVAL.",
       .source = "measured on Linux 6.18",
       .run = &SmallRanges},
      {.id = "kernel.options.tcp.thin_dupack",
       .requirement =
           "Setting TCP_THIN_DUPACK must succeed and have no effect.",
       .source = "measured on Linux 6.18",
       .run = &ThinDupAck},
      {.id = "kernel.options.tcp.rto_max",
       .requirement = "TCP_RTO_MAX_MS must accept 1000 to 120000 ms.",
       .source = "measured on Linux 6.18",
       .run = &RtoMax},
      {.id = "kernel.options.tcp.is_mptcp",
       .requirement =
           "TCP_IS_MPTCP must be 0, and setting it must fail with ENOPROTOOPT.",
       .source = "measured on Linux 6.18",
       .run = &NotMultipath},
      {.id = "kernel.options.tcp.repair",
       .requirement = "Options that belong to TCP_REPAIR must fail while "
                      "TCP_REPAIR is off.",
       .source = "measured on Linux 6.18",
       .run = &RepairOfAnybody},
  };
  return cases;
}

}  // namespace net::conformance
