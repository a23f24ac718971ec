#include "fakes/kernel/tcp/listeners.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/short_calls.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Tests which listener gets a connection.

namespace net::fake {
namespace {

constexpr uint16_t kPort = 4711;

ip::Addr A(absl::string_view text) {
  const auto addr = ip::Addr::Parse(text);
  EXPECT_TRUE(addr.has_value()) << text;
  return addr.value_or(ip::Addr());
}

class ListenersTest : public testing::Test {
 protected:
  // Returns a listener on the port, with options.
  int Listen(absl::string_view addr,
             std::vector<std::pair<int, int>> options = {}) {
    const ip::Endpoint local{A(addr), kPort};
    const int fd = NewTcp(sys_, local.addr.family());
    for (const auto& [level, name] : options) {
      EXPECT_THAT(SetOption(sys_, fd, level, name, 1), IsOk());
    }
    EXPECT_THAT(BindTo(sys_, fd, local), IsOk());
    EXPECT_THAT(sys_.Listen(fd, 1024), IsOk());
    EXPECT_THAT(sys_.Fcntl(fd, F_SETFL, O_NONBLOCK), IsOk());
    return fd;
  }

  // Connects, accepts, and returns the listener that got the connection.
  int WhoGets(absl::string_view addr, const std::vector<int>& listeners) {
    const int client = NewConnection(sys_, {A(addr), kPort});
    int got = -1;
    for (const int listener : listeners) {
      const SysResult taken = sys_.Accept4(listener, nullptr, nullptr, 0);
      if (!taken.ok()) continue;
      EXPECT_EQ(got, -1) << "two got it";
      got = listener;
      EXPECT_THAT(sys_.Close(taken.fd()), IsOk());
    }
    EXPECT_THAT(sys_.Close(client), IsOk());
    return got;
  }

  SysResult Connect(absl::string_view addr) {
    const ip::Endpoint remote{A(addr), kPort};
    return ConnectTo(sys_, NewTcp(sys_, remote.addr.family()), remote);
  }

  FakeKernel kernel_{{.addresses = {A("192.0.2.1"), A("2001:db8::1")}}};
  FakeProcess& sys_ = kernel_.NewProcess();
  FakeKernel::Participant self_{kernel_};
};

constexpr std::pair<int, int> kV6Only = {IPPROTO_IPV6, IPV6_V6ONLY};
constexpr std::pair<int, int> kReusePort = {SOL_SOCKET, SO_REUSEPORT};

TEST_F(ListenersTest, TheAddressDecides) {
  const int one = Listen("127.0.0.1");
  const int two = Listen("127.0.0.2");
  EXPECT_EQ(WhoGets("127.0.0.1", {one, two}), one);
  EXPECT_EQ(WhoGets("127.0.0.2", {one, two}), two);
  EXPECT_THAT(Connect("127.0.0.3"), IsErrno(ECONNREFUSED));
}

TEST_F(ListenersTest, TheWildcardGetsAllOfItsFamily) {
  const int all = Listen("0.0.0.0");
  EXPECT_EQ(WhoGets("127.0.0.1", {all}), all);
  EXPECT_EQ(WhoGets("192.0.2.1", {all}), all);
  EXPECT_THAT(Connect("::1"), IsErrno(ECONNREFUSED));
}

// ipv6(7), IPV6_V6ONLY.
TEST_F(ListenersTest, TheIpv6WildcardGetsIpv4Too) {
  const int all = Listen("::");
  EXPECT_EQ(WhoGets("::1", {all}), all);
  EXPECT_EQ(WhoGets("2001:db8::1", {all}), all);
  EXPECT_EQ(WhoGets("127.0.0.1", {all}), all);
}

TEST_F(ListenersTest, UnlessItIsOnlyForIpv6) {
  const int only = Listen("::", {kV6Only});
  EXPECT_EQ(WhoGets("::1", {only}), only);
  EXPECT_THAT(Connect("127.0.0.1"), IsErrno(ECONNREFUSED));
  const int v4 = Listen("0.0.0.0");
  EXPECT_EQ(WhoGets("127.0.0.1", {only, v4}), v4);
  EXPECT_EQ(WhoGets("::1", {only, v4}), only);
}

TEST_F(ListenersTest, AMappedAddressGetsIpv4Only) {
  const int mapped = Listen("::ffff:127.0.0.1");
  EXPECT_EQ(WhoGets("127.0.0.1", {mapped}), mapped);
  EXPECT_EQ(WhoGets("::ffff:127.0.0.1", {mapped}), mapped);
  EXPECT_THAT(Connect("::1"), IsErrno(ECONNREFUSED));
  EXPECT_THAT(Connect("127.0.0.2"), IsErrno(ECONNREFUSED));
}

// Only with SO_REUSEPORT can an address and the wildcard listen on one port.
TEST_F(ListenersTest, AnAddressGoesBeforeTheWildcard) {
  const int all = Listen("0.0.0.0", {kReusePort});
  const int one = Listen("127.0.0.1", {kReusePort});
  EXPECT_EQ(WhoGets("127.0.0.1", {all, one}), one);
  EXPECT_EQ(WhoGets("127.0.0.2", {all, one}), all);
  const int all6 = Listen("::", {kReusePort});
  const int one6 = Listen("::1", {kReusePort});
  EXPECT_EQ(WhoGets("::1", {all, one, all6, one6}), one6);
  EXPECT_EQ(WhoGets("2001:db8::1", {all, one, all6, one6}), all6);
}

TEST_F(ListenersTest, AnIpv4SocketGoesBeforeAnIpv6One) {
  const int v6 = Listen("::", {kReusePort});
  const int mapped = Listen("::ffff:127.0.0.1", {kReusePort});
  EXPECT_EQ(WhoGets("127.0.0.1", {v6, mapped}), mapped);
  const int v4 = Listen("0.0.0.0", {kReusePort});
  EXPECT_EQ(WhoGets("127.0.0.2", {v6, mapped, v4}), v4);
  const int one = Listen("127.0.0.1", {kReusePort});
  EXPECT_EQ(WhoGets("127.0.0.1", {v6, mapped, v4, one}), one);
}

TEST_F(ListenersTest, AClosedListenerGetsNothing) {
  const int one = Listen("127.0.0.1", {kReusePort});
  const int all = Listen("0.0.0.0", {kReusePort});
  EXPECT_THAT(sys_.Close(one), IsOk());
  EXPECT_EQ(WhoGets("127.0.0.1", {all}), all);
  EXPECT_THAT(sys_.Shutdown(all, SHUT_RD), IsOk());
  EXPECT_THAT(Connect("127.0.0.1"), IsErrno(ECONNREFUSED));
}

// SO_REUSEPORT (socket(7)) distributes connections among the listeners.
TEST_F(ListenersTest, SeveralOfOnePortAllGetSome) {
  const std::vector<int> listeners = {Listen("127.0.0.1", {kReusePort}),
                                      Listen("127.0.0.1", {kReusePort}),
                                      Listen("127.0.0.1", {kReusePort})};
  std::vector<int> got(listeners.size());
  for (int i = 0; i < 300; ++i) {
    const int who = WhoGets("127.0.0.1", listeners);
    for (size_t j = 0; j < listeners.size(); ++j) {
      if (who == listeners[j]) ++got[j];
    }
  }
  EXPECT_EQ(got[0] + got[1] + got[2], 300);
  for (const int count : got) EXPECT_GT(count, 30);
}

}  // namespace
}  // namespace net::fake
