#include "fakes/kernel/options/options.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// A socket without any other state than its options.
class Host final : public OptionHost {
 public:
  int family() const override { return socket.family; }
  int type() const override { return socket.type; }
  TcpState state() const override { return socket.state; }
  bool bound() const override { return socket.bound; }
  const FakeSysctls& sysctls() const override { return socket.sysctls; }
  bool net_admin() const override { return socket.net_admin; }
  int TakeError() override { return std::exchange(socket.error, 0); }
  TcpInfoSource info_source() const override { return socket.source; }
  void ForgetRoute() override { ++socket.forgotten_routes; }

  struct {
    int family = AF_INET;
    int type = SOCK_STREAM;
    TcpState state = TcpState::kClosed;
    bool bound = false;
    FakeSysctls sysctls;
    bool net_admin = true;
    int error = 0;
    TcpInfoSource source;
    int forgotten_routes = 0;
  } socket;
};

class OptionsTest : public ::testing::Test {
 protected:
  SysResult Set(int level, int name, int value) {
    return options_.Set(host_, level, name, &value, sizeof(value));
  }
  // Returns the value, or the negative errno.
  int Get(int level, int name) { return GetOf(options_, level, name); }
  int GetOf(SocketOptions& options, int level, int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    const SysResult got = options.Get(host_, level, name, &value, &size);
    if (!got.ok()) return -got.error();
    EXPECT_EQ(size, sizeof(value));
    return value;
  }
  SysResult SetTimeout(int name, int64_t seconds, int64_t us) {
    const timeval value = {.tv_sec = seconds, .tv_usec = us};
    return options_.Set(host_, SOL_SOCKET, name, &value, sizeof(value));
  }

  Host host_;
  SocketOptions options_{AF_INET, host_.socket.sysctls};
};

constexpr SysResult kOk = SysResult::Ok();

TEST_F(OptionsTest, ANewSocketHasTheSysctlsBuffers) {
  EXPECT_EQ(options_.sndbuf(), 16384);
  EXPECT_EQ(options_.rcvbuf(), 131072);
  EXPECT_FALSE(options_.sndbuf_locked());
  const SocketOptions datagram(AF_INET, host_.socket.sysctls, SOCK_DGRAM);
  EXPECT_EQ(datagram.sndbuf(), 212992);
}

TEST_F(OptionsTest, SwitchesReadBackAsOne) {
  EXPECT_EQ(Set(SOL_SOCKET, SO_REUSEADDR, -7), kOk);
  EXPECT_EQ(Get(SOL_SOCKET, SO_REUSEADDR), 1);
  EXPECT_TRUE(options_.reuse_addr());
  EXPECT_FALSE(options_.reuse_port());
}

TEST_F(OptionsTest, BuffersAreDoubledWithinBounds) {
  EXPECT_EQ(Set(SOL_SOCKET, SO_RCVBUF, 10000), kOk);
  EXPECT_EQ(options_.rcvbuf(), 20000);
  EXPECT_EQ(Set(SOL_SOCKET, SO_RCVBUF, 0), kOk);
  EXPECT_EQ(options_.rcvbuf(), 2304);
  EXPECT_EQ(Set(SOL_SOCKET, SO_SNDBUF, 0), kOk);
  EXPECT_EQ(options_.sndbuf(), 4608);
  EXPECT_EQ(Set(SOL_SOCKET, SO_SNDBUF, -1), kOk);
  EXPECT_EQ(options_.sndbuf(), 2 * host_.socket.sysctls.wmem_max);
}

TEST_F(OptionsTest, AutotuningLeavesLockedBuffersAlone) {
  options_.GrowSndBuf(kLoopbackSndBuf, host_.socket.sysctls);
  EXPECT_EQ(options_.sndbuf(), kLoopbackSndBuf);
  options_.GrowSndBuf(std::numeric_limits<int>::max(), host_.socket.sysctls);
  EXPECT_EQ(options_.sndbuf(), host_.socket.sysctls.tcp_wmem.max);

  EXPECT_EQ(Set(SOL_SOCKET, SO_RCVBUF, 10000), kOk);
  EXPECT_TRUE(options_.rcvbuf_locked());
  options_.GrowRcvBuf(1000000, host_.socket.sysctls);
  EXPECT_EQ(options_.rcvbuf(), 20000);
}

TEST_F(OptionsTest, ALowWaterMarkMakesRoomForItself) {
  EXPECT_EQ(Set(SOL_SOCKET, SO_RCVLOWAT, 100000), kOk);
  EXPECT_EQ(options_.rcvlowat(), 100000);
  EXPECT_EQ(options_.rcvbuf(), 200000);
}

TEST_F(OptionsTest, ALowWaterMarkIsNoMoreThanHalfOfALockedBuffer) {
  EXPECT_EQ(Set(SOL_SOCKET, SO_RCVBUF, 10000), kOk);
  EXPECT_EQ(Set(SOL_SOCKET, SO_RCVLOWAT, 100000), kOk);
  EXPECT_EQ(options_.rcvlowat(), 10000);
  EXPECT_EQ(options_.rcvbuf(), 20000);
}

TEST_F(OptionsTest, TimeoutsAreRoundedUpToJiffies) {
  EXPECT_EQ(options_.rcvtimeo(), std::nullopt);
  EXPECT_EQ(SetTimeout(SO_RCVTIMEO, 1, 1), kOk);
  EXPECT_EQ(options_.rcvtimeo(), 1'004'000'000);
  EXPECT_EQ(options_.sndtimeo(), std::nullopt);
  EXPECT_EQ(SetTimeout(SO_SNDTIMEO, 0, 999'999), kOk);
  EXPECT_EQ(options_.sndtimeo(), 1'000'000'000);
}

TEST_F(OptionsTest, ANegativeTimeoutDoesNotWaitAndNoneWaitsForEver) {
  EXPECT_EQ(SetTimeout(SO_RCVTIMEO, -1, 0), kOk);
  EXPECT_EQ(options_.rcvtimeo(), 0);
  EXPECT_EQ(SetTimeout(SO_RCVTIMEO, 0, 0), kOk);
  EXPECT_EQ(options_.rcvtimeo(), std::nullopt);
  EXPECT_EQ(SetTimeout(SO_RCVTIMEO, 0, 1'000'000), SysResult::Error(EDOM));
}

TEST_F(OptionsTest, ATimeoutBeyondTheClockIsNone) {
  EXPECT_EQ(
      SetTimeout(SO_RCVTIMEO, std::numeric_limits<int64_t>::max() / 300, 0),
      kOk);
  EXPECT_EQ(options_.rcvtimeo(), std::nullopt);
}

TEST_F(OptionsTest, Lingers) {
  linger value = {.l_onoff = 1, .l_linger = 7};
  EXPECT_EQ(options_.Set(host_, SOL_SOCKET, SO_LINGER, &value, sizeof(value)),
            kOk);
  EXPECT_TRUE(options_.linger_on());
  EXPECT_EQ(options_.linger_seconds(), 7);
  value = {.l_onoff = 1, .l_linger = -1};
  EXPECT_EQ(options_.Set(host_, SOL_SOCKET, SO_LINGER, &value, sizeof(value)),
            kOk);
  EXPECT_EQ(options_.linger_seconds(), std::numeric_limits<int>::max());
}

TEST_F(OptionsTest, UnsetOptionsFollowTheSysctl) {
  EXPECT_EQ(options_.keepidle(host_.socket.sysctls), 7200);
  host_.socket.sysctls.tcp_keepalive_time = 5;
  EXPECT_EQ(options_.keepidle(host_.socket.sysctls), 5);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_KEEPIDLE), 5);
  EXPECT_EQ(Set(IPPROTO_TCP, TCP_KEEPIDLE, 30), kOk);
  EXPECT_EQ(options_.keepidle(host_.socket.sysctls), 30);
  EXPECT_EQ(Set(IPPROTO_TCP, TCP_SYNCNT, 128), SysResult::Error(EINVAL));
  EXPECT_EQ(options_.syncnt(host_.socket.sysctls), 6);
}

TEST_F(OptionsTest, DeferAcceptGoesInSteps) {
  EXPECT_EQ(options_.defer_accept(), 0);
  EXPECT_EQ(Set(IPPROTO_TCP, TCP_DEFER_ACCEPT, 4), kOk);
  EXPECT_EQ(options_.defer_accept(), 3);  // After 1, 3 and 7 s.
}

TEST_F(OptionsTest, Linger2TellsWhetherOrphansWait) {
  EXPECT_EQ(options_.linger2(), 0);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_LINGER2), 60);
  EXPECT_EQ(Set(IPPROTO_TCP, TCP_LINGER2, -3), kOk);
  EXPECT_EQ(options_.linger2(), -1);
}

TEST_F(OptionsTest, PortRangeHasTwoHalves) {
  EXPECT_FALSE(options_.local_port_range().has_value());
  EXPECT_EQ(Set(IPPROTO_IP, /*IP_LOCAL_PORT_RANGE*/ 51, 40007 << 16 | 40000),
            kOk);
  ASSERT_TRUE(options_.local_port_range().has_value());
  EXPECT_EQ(options_.local_port_range()->first, 40000);
  EXPECT_EQ(options_.local_port_range()->last, 40007);
}

TEST_F(OptionsTest, V6OnlyIsFixedOnceBound) {
  host_.socket.family = AF_INET6;
  options_ = SocketOptions(AF_INET6, host_.socket.sysctls);
  EXPECT_EQ(Set(IPPROTO_IPV6, IPV6_V6ONLY, 1), kOk);
  EXPECT_TRUE(options_.v6only());
  host_.socket.bound = true;
  EXPECT_EQ(Set(IPPROTO_IPV6, IPV6_V6ONLY, 0), SysResult::Error(EINVAL));
  EXPECT_TRUE(options_.v6only());
}

TEST_F(OptionsTest, BindV6OnlyIsTheDefault) {
  host_.socket.sysctls.bindv6only = true;
  EXPECT_TRUE(SocketOptions(AF_INET6, host_.socket.sysctls).v6only());
  EXPECT_FALSE(SocketOptions(AF_INET, host_.socket.sysctls).v6only());
}

TEST_F(OptionsTest, AcceptedSocketsInheritAllButAFew) {
  using Option = std::pair<int, int>;
  for (const auto& [level, name] :
       {Option(SOL_SOCKET, SO_KEEPALIVE), Option(SOL_SOCKET, SO_PRIORITY),
        Option(IPPROTO_TCP, TCP_NODELAY), Option(IPPROTO_TCP, TCP_DEFER_ACCEPT),
        Option(IPPROTO_TCP, TCP_FASTOPEN)}) {
    EXPECT_EQ(Set(level, name, 1), kOk);
  }
  SocketOptions accepted = options_.ForAccepted(/*over_ipv6=*/false, 61);
  EXPECT_TRUE(accepted.keep_alive());
  EXPECT_TRUE(accepted.nodelay());
  EXPECT_EQ(accepted.defer_accept(), 0);
  EXPECT_EQ(GetOf(accepted, SOL_SOCKET, SO_PRIORITY), 0);
  EXPECT_EQ(GetOf(accepted, IPPROTO_TCP, TCP_FASTOPEN), 0);
  EXPECT_EQ(GetOf(accepted, IPPROTO_IP, IP_MULTICAST_TTL), 61);
}

TEST_F(OptionsTest, ThePendingErrorIsTaken) {
  host_.socket.error = ECONNREFUSED;
  EXPECT_EQ(Get(SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  EXPECT_EQ(Get(SOL_SOCKET, SO_ERROR), 0);
}

TEST_F(OptionsTest, ReadOnlyOptionsTellOfTheSocket) {
  EXPECT_EQ(Get(SOL_SOCKET, SO_TYPE), SOCK_STREAM);
  EXPECT_EQ(Get(SOL_SOCKET, SO_DOMAIN), AF_INET);
  EXPECT_EQ(Get(SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
  EXPECT_EQ(Get(SOL_SOCKET, SO_ACCEPTCONN), 0);
  host_.socket.state = TcpState::kListen;
  EXPECT_EQ(Get(SOL_SOCKET, SO_ACCEPTCONN), 1);
  EXPECT_EQ(Set(SOL_SOCKET, SO_ACCEPTCONN, 0), SysResult::Error(ENOPROTOOPT));
}

TEST_F(OptionsTest, TheInfoOfAListenerIsItsQueue) {
  host_.socket.state = TcpState::kListen;
  host_.socket.source.queued = 3;
  host_.socket.source.backlog = 5;
  tcp_info info = {};
  socklen_t size = sizeof(info);
  EXPECT_EQ(options_.Get(host_, IPPROTO_TCP, TCP_INFO, &info, &size), kOk);
  EXPECT_EQ(size, sizeof(info));
  EXPECT_EQ(info.tcpi_state, TCP_LISTEN);
  EXPECT_EQ(info.tcpi_unacked, 3);
  EXPECT_EQ(info.tcpi_sacked, 5);
}

TEST_F(OptionsTest, TheInfoOfAConnectionIsItsOwn) {
  host_.socket.state = TcpState::kCloseWait;
  host_.socket.source.mss = 32741;
  host_.socket.source.path_mtu = 65535;
  host_.socket.source.bytes_received = 4711;
  TcpInfo info;
  socklen_t size = sizeof(info);
  EXPECT_EQ(options_.Get(host_, IPPROTO_TCP, TCP_INFO, &info, &size), kOk);
  EXPECT_EQ(size, 280);
  EXPECT_EQ(info.state, TCP_CLOSE_WAIT);
  EXPECT_EQ(info.snd_mss, 32741);
  EXPECT_EQ(info.pmtu, 65535);
  EXPECT_EQ(info.bytes_received, 4711);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_MAXSEG), 32741);
  EXPECT_EQ(Get(IPPROTO_IP, IP_MTU), 65535);
}

TEST_F(OptionsTest, WithoutARouteThereIsNoMtu) {
  EXPECT_EQ(Get(IPPROTO_IP, IP_MTU), -ENOTCONN);
}

TEST_F(OptionsTest, SomeChangesLoseTheRoute) {
  EXPECT_EQ(Set(IPPROTO_IP, IP_TOS, 0), kOk);
  EXPECT_EQ(host_.socket.forgotten_routes, 0);
  EXPECT_EQ(Set(IPPROTO_IP, IP_TOS, IPTOS_LOWDELAY), kOk);
  EXPECT_EQ(host_.socket.forgotten_routes, 1);
  EXPECT_EQ(Get(SOL_SOCKET, SO_PRIORITY), 6);
}

TEST_F(OptionsTest, RightsAreAsked) {
  host_.socket.net_admin = false;
  EXPECT_EQ(Set(SOL_SOCKET, SO_PRIORITY, 6), kOk);
  EXPECT_EQ(Set(SOL_SOCKET, SO_PRIORITY, 7), SysResult::Error(EPERM));
  EXPECT_EQ(Set(SOL_SOCKET, SO_MARK, 1), SysResult::Error(EPERM));
  EXPECT_EQ(Set(SOL_SOCKET, SO_RCVBUFFORCE, 1), SysResult::Error(EPERM));
  EXPECT_EQ(Set(SOL_SOCKET, SO_DEBUG, 1), SysResult::Error(EACCES));
}

TEST_F(OptionsTest, CongestionControlHasAName) {
  EXPECT_EQ(options_.Set(host_, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), kOk);
  char name[16] = {};
  socklen_t size = sizeof(name);
  EXPECT_EQ(options_.Get(host_, IPPROTO_TCP, TCP_CONGESTION, name, &size), kOk);
  EXPECT_EQ(std::string(name), "reno");
  EXPECT_EQ(options_.Set(host_, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6),
            SysResult::Error(ENOENT));
}

TEST_F(OptionsTest, TheDeviceHasAName) {
  EXPECT_EQ(options_.Set(host_, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), kOk);
  EXPECT_EQ(options_.bound_interface(), 1);
  EXPECT_EQ(options_.Set(host_, SOL_SOCKET, SO_BINDTODEVICE, "nosuch", 6),
            SysResult::Error(ENODEV));
}

TEST_F(OptionsTest, BadAddressesAreNotTouched) {
  EXPECT_EQ(options_.Set(host_, SOL_SOCKET, SO_KEEPALIVE, nullptr, 4),
            SysResult::Error(EFAULT));
  EXPECT_EQ(options_.Get(host_, SOL_SOCKET, SO_KEEPALIVE, nullptr, nullptr),
            SysResult::Error(EFAULT));
  // SOL_SOCKET writes the length after the value, the other levels before it.
  socklen_t size = 8;
  EXPECT_EQ(options_.Get(host_, SOL_SOCKET, SO_KEEPALIVE, nullptr, &size),
            SysResult::Error(EFAULT));
  EXPECT_EQ(size, 8);
  EXPECT_EQ(options_.Get(host_, IPPROTO_TCP, TCP_NODELAY, nullptr, &size),
            SysResult::Error(EFAULT));
  EXPECT_EQ(size, 4);
}

TEST_F(OptionsTest, LevelsOfOtherProtocolsAreUnknown) {
  EXPECT_EQ(Get(IPPROTO_IPV6, IPV6_V6ONLY), -EOPNOTSUPP);
  EXPECT_EQ(Set(IPPROTO_IPV6, IPV6_V6ONLY, 1), SysResult::Error(ENOPROTOOPT));
  host_.socket.type = SOCK_DGRAM;
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_NODELAY), -EOPNOTSUPP);
  EXPECT_EQ(Get(SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
  host_.socket.family = AF_UNIX;
  EXPECT_EQ(Get(SOL_SOCKET, SO_PROTOCOL), 0);
  EXPECT_EQ(Get(IPPROTO_IP, IP_TTL), -EOPNOTSUPP);
}

}  // namespace
}  // namespace net::fake
