#include "fakes/kernel/ports/machine.h"

#include <cerrno>

#include "absl/strings/string_view.h"
#include "fakes/kernel/sysctls.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

ip::Addr A(absl::string_view text) {
  const auto addr = ip::Addr::Parse(text);
  EXPECT_TRUE(addr.has_value()) << text;
  return addr.value_or(ip::Addr());
}

TEST(Machine, HasItsLoopbackAddresses) {
  const Machine machine({});
  EXPECT_TRUE(machine.IsLocal(A("127.0.0.1")));
  EXPECT_TRUE(machine.IsLocal(A("127.1.2.3")));
  EXPECT_TRUE(machine.IsLocal(A("::1")));
  EXPECT_FALSE(machine.IsLocal(A("192.0.2.1")));
  EXPECT_FALSE(machine.IsLocal(A("2001:db8::1")));
}

TEST(Machine, HasTheAddressesThatItIsGiven) {
  Machine machine({});
  machine.AddAddress(A("192.0.2.1"));
  EXPECT_TRUE(machine.IsLocal(A("192.0.2.1")));
  EXPECT_TRUE(machine.CanBind(A("192.0.2.1")));
  EXPECT_EQ(machine.RouteError(A("192.0.2.1")), 0);
  EXPECT_FALSE(machine.IsLocal(A("192.0.2.2")));
}

// bind(2), EADDRNOTAVAIL; ip(7), "Address format".
TEST(Machine, BindsToItsOwnAndToThoseOfMany) {
  const Machine machine({});
  for (const char* addr : {"0.0.0.0", "::", "127.0.0.1", "::1", "224.0.0.1",
                           "255.255.255.255", "127.255.255.255"}) {
    EXPECT_TRUE(machine.CanBind(A(addr))) << addr;
  }
  for (const char* addr : {"192.0.2.1", "2001:db8::1"}) {
    EXPECT_FALSE(machine.CanBind(A(addr))) << addr;
  }
}

// connect(2), ENETUNREACH.
TEST(Machine, ReachesOnlyItself) {
  const Machine machine({});
  EXPECT_EQ(machine.RouteError(A("127.0.0.1")), 0);
  EXPECT_EQ(machine.RouteError(A("::1")), 0);
  EXPECT_EQ(machine.RouteError(A("127.0.0.0")), 0);
  for (const char* addr : {"192.0.2.1", "2001:db8::1", "127.255.255.255",
                           "224.0.0.1", "ff02::1"}) {
    EXPECT_EQ(machine.RouteError(A(addr)), ENETUNREACH) << addr;
  }
}

// net/ipv4/route.c, ip_route_output_key_hash_rcu(); seen on Linux 6.18.
TEST(Machine, AssumesIpv4AddressesOnTheLink) {
  Machine machine({});
  for (const char* addr : {"192.0.2.1", "240.0.0.1"}) {
    EXPECT_TRUE(machine.IsAssumedOnLink(A(addr))) << addr;
  }
  for (const char* addr : {"127.0.0.1", "127.255.255.255", "224.0.0.1",
                           "255.255.255.255", "2001:db8::1", "::1"}) {
    EXPECT_FALSE(machine.IsAssumedOnLink(A(addr))) << addr;
  }
  machine.AddFailingRoute(A("192.0.2.1"), EHOSTUNREACH);
  EXPECT_TRUE(machine.IsAssumedOnLink(A("192.0.2.1")));
  machine.set_loopback_up(false);
  EXPECT_FALSE(machine.IsAssumedOnLink(A("192.0.2.1")));
}

// ip-route(8): unreachable, prohibit, blackhole.
TEST(Machine, RoutesFailAsTheyAreTold) {
  Machine machine({});
  machine.AddFailingRoute(A("192.0.2.1"), EHOSTUNREACH);
  machine.AddFailingRoute(A("2001:db8::1"), EACCES);
  EXPECT_EQ(machine.RouteError(A("192.0.2.1")), EHOSTUNREACH);
  EXPECT_EQ(machine.RouteError(A("2001:db8::1")), EACCES);
  EXPECT_EQ(machine.RouteError(A("127.0.0.1")), 0);
}

TEST(Machine, AnInterfaceThatIsDownTakesIpv6sLoopbackAddressAlong) {
  Machine machine({});
  machine.set_loopback_up(false);
  EXPECT_FALSE(machine.IsLocal(A("::1")));
  EXPECT_FALSE(machine.CanBind(A("::1")));
  EXPECT_EQ(machine.RouteError(A("::1")), EADDRNOTAVAIL);
  EXPECT_TRUE(machine.IsLocal(A("127.0.0.1")));
  EXPECT_EQ(machine.RouteError(A("127.0.0.1")), 0);
}

TEST(Machine, WithoutIpv6ThereIsNoIpv6Address) {
  Machine machine({});
  machine.AddAddress(A("2001:db8::1"));
  EXPECT_TRUE(machine.IsLocal(A("2001:db8::1")));
  machine.sysctls().disable_ipv6 = true;
  EXPECT_FALSE(machine.IsLocal(A("2001:db8::1")));
  EXPECT_FALSE(machine.IsLocal(A("::1")));
  EXPECT_EQ(machine.RouteError(A("::1")), EADDRNOTAVAIL);
}

TEST(Machine, TheSourceIsTheDestinationOrTheLoopbackAddress) {
  Machine machine({});
  machine.AddAddress(A("192.0.2.1"));
  EXPECT_EQ(machine.SourceFor(A("127.0.0.1")), A("127.0.0.1"));
  EXPECT_EQ(machine.SourceFor(A("127.9.9.9")), A("127.0.0.1"));
  EXPECT_EQ(machine.SourceFor(A("192.0.2.1")), A("192.0.2.1"));
  EXPECT_EQ(machine.SourceFor(A("::1")), A("::1"));
}

}  // namespace
}  // namespace net::fake
