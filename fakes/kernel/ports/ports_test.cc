#include "fakes/kernel/ports/ports.h"

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

constexpr uint16_t kPort = 4711;
constexpr PortTable::Range kRange = {40000, 40003};
constexpr PortTable::Range kOnePort = {40000, 40000};

class Owner final : public PortOwner {
 public:
  explicit Owner(PortTable& ports, const PortClaim& claim = {})
      : ports_(ports), claim_(claim) {}
  ~Owner() override { ports_.Release(*this); }

  PortClaim claim() const override { return claim_; }
  PortClaim& mutable_claim() { return claim_; }

  bool Claim(uint16_t port) { return ports_.Claim(*this, port, kRange); }
  bool ClaimForConnect(PortTable::Range range) {
    return ports_.ClaimForConnect(*this, range, [](uint16_t) { return true; });
  }

 private:
  PortTable& ports_;
  PortClaim claim_;
};

ip::Addr A(absl::string_view text) {
  const auto addr = ip::Addr::Parse(text);
  EXPECT_TRUE(addr.has_value()) << text;
  return addr.value_or(ip::Addr());
}

// --- Who conflicts with whom: the matrix -------------------------------------

// Two addresses, of which the first owns the port, and whether they overlap:
// ip(7) for INADDR_ANY, ipv6(7) for IPv4 and IPV6_V6ONLY. As in a socket, an
// IPv6 address implies IPV6_V6ONLY.
struct Addresses {
  const char* held;
  bool held_v6only;
  const char* wanted;
  bool wanted_v6only;
  bool overlap;
};
constexpr Addresses kAddresses[] = {
    // IPv4
    {"127.0.0.1", false, "127.0.0.1", false, true},
    {"127.0.0.1", false, "127.0.0.2", false, false},
    {"127.0.0.1", false, "0.0.0.0", false, true},
    {"0.0.0.0", false, "127.0.0.1", false, true},
    {"0.0.0.0", false, "0.0.0.0", false, true},
    // IPv6
    {"::1", true, "::1", true, true},
    {"::1", true, "2001:db8::1", true, false},
    {"::1", true, "::", false, true},
    {"::1", true, "::", true, true},
    {"::", false, "::1", true, true},
    {"::", true, "::1", true, true},
    {"::", true, "::", false, true},
    // An IPv6 socket that also accepts IPv4
    {"::", false, "127.0.0.1", false, true},
    {"::", false, "0.0.0.0", false, true},
    {"127.0.0.1", false, "::", false, true},
    {"0.0.0.0", false, "::", false, true},
    {"::ffff:127.0.0.1", false, "127.0.0.1", false, true},
    {"::ffff:127.0.0.1", false, "127.0.0.2", false, false},
    {"::ffff:127.0.0.1", false, "0.0.0.0", false, true},
    {"::ffff:127.0.0.1", false, "::", false, true},
    {"0.0.0.0", false, "::ffff:127.0.0.1", false, true},
    // An IPv6 socket that does not
    {"::", true, "127.0.0.1", false, false},
    {"::", true, "0.0.0.0", false, false},
    {"127.0.0.1", false, "::", true, false},
    {"0.0.0.0", false, "::", true, false},
    {"::ffff:127.0.0.1", false, "::", true, false},
    {"::1", true, "0.0.0.0", false, false},
    {"::1", true, "127.0.0.1", false, false},
    {"0.0.0.0", false, "::1", true, false},
};

// The options of the owner and of the newcomer, and whether they may share a
// port of one address: socket(7) for SO_REUSEADDR and SO_REUSEPORT.
struct Sharing {
  const char* name;
  PortClaim held;
  PortClaim wanted;
  bool may_share;
};
constexpr PortClaim kPlain = {};
constexpr PortClaim kReuseAddr = {.reuse_addr = true};
constexpr PortClaim kReusePort = {.reuse_port = true};
constexpr PortClaim kBoth = {.reuse_addr = true, .reuse_port = true};
constexpr PortClaim Listening(PortClaim claim) {
  claim.listening = true;
  return claim;
}
constexpr PortClaim InTimeWait(PortClaim claim) {
  claim.time_wait = true;
  return claim;
}
constexpr PortClaim OtherUsers(PortClaim claim) {
  claim.uid = 1;
  return claim;
}
constexpr Sharing kSharings[] = {
    {"Plain", kPlain, kPlain, false},
    {"AddrOfHolder", kReuseAddr, kPlain, false},
    {"AddrOfNewcomer", kPlain, kReuseAddr, false},
    {"AddrOfBoth", kReuseAddr, kReuseAddr, true},
    {"AddrOfBothListening", Listening(kReuseAddr), kReuseAddr, false},
    {"AddrOfBothTimeWait", InTimeWait(kReuseAddr), kReuseAddr, true},
    {"AddrOfNewcomerTimeWait", InTimeWait(kPlain), kReuseAddr, false},
    {"AddrOfTwoUsers", OtherUsers(kReuseAddr), kReuseAddr, true},
    {"PortOfHolder", kReusePort, kPlain, false},
    {"PortOfNewcomer", kPlain, kReusePort, false},
    {"PortOfBoth", kReusePort, kReusePort, true},
    {"PortOfBothListening", Listening(kReusePort), kReusePort, true},
    {"PortOfTwoUsers", OtherUsers(kReusePort), kReusePort, false},
    {"PortOfTwoUsersTimeWait", InTimeWait(OtherUsers(kReusePort)), kReusePort,
     true},
    {"AddrAndPort", kReuseAddr, kReusePort, false},
    {"PortAndAddr", kReusePort, kReuseAddr, false},
    {"BothAndAddr", kBoth, kReuseAddr, true},
    {"BothListeningAndAddr", Listening(kBoth), kReuseAddr, false},
    {"BothListeningAndPort", Listening(kBoth), kReusePort, true},
    {"BothOfTwoUsers", OtherUsers(kBoth), kBoth, true},
};

void PrintTo(const Sharing& sharing, std::ostream* os) { *os << sharing.name; }

class Matrix : public testing::TestWithParam<Sharing> {};

PortClaim At(PortClaim claim, const char* addr, bool v6only) {
  claim.addr = A(addr);
  claim.v6only = v6only;
  return claim;
}

TEST_P(Matrix, HoldsForAllAddresses) {
  for (const Addresses& pair : kAddresses) {
    PortTable ports(1);
    Owner holder(ports, At(GetParam().held, pair.held, pair.held_v6only));
    Owner newcomer(ports,
                   At(GetParam().wanted, pair.wanted, pair.wanted_v6only));
    ASSERT_TRUE(holder.Claim(kPort));
    EXPECT_EQ(newcomer.Claim(kPort), !pair.overlap || GetParam().may_share)
        << pair.wanted << (pair.wanted_v6only ? " (v6only)" : "") << " beside "
        << pair.held << (pair.held_v6only ? " (v6only)" : "");
  }
}

INSTANTIATE_TEST_SUITE_P(, Matrix, testing::ValuesIn(kSharings),
                         [](const testing::TestParamInfo<Sharing>& test) {
                           return std::string(test.param.name);
                         });

// --- Having and giving back --------------------------------------------------

TEST(Ports, AnOwnerHasThePortThatItClaimed) {
  PortTable ports(1);
  Owner owner(ports);
  EXPECT_EQ(owner.port(), 0);
  EXPECT_TRUE(owner.Claim(kPort));
  EXPECT_EQ(owner.port(), kPort);
}

TEST(Ports, WhoWasRefusedHasNone) {
  PortTable ports(1);
  Owner owner(ports);
  Owner other(ports);
  ASSERT_TRUE(owner.Claim(kPort));
  EXPECT_FALSE(other.Claim(kPort));
  EXPECT_EQ(other.port(), 0);
}

TEST(Ports, AReleasedPortIsFree) {
  PortTable ports(1);
  Owner owner(ports);
  Owner other(ports);
  ASSERT_TRUE(owner.Claim(kPort));
  ports.Release(owner);
  EXPECT_EQ(owner.port(), 0);
  EXPECT_TRUE(other.Claim(kPort));
  ports.Release(owner);  // It has none.
  EXPECT_EQ(other.port(), kPort);
}

TEST(Ports, TheFirstAndTheLastAreAsGoodAsOthers) {
  PortTable ports(1);
  Owner first(ports);
  Owner last(ports);
  EXPECT_TRUE(first.Claim(1));
  EXPECT_TRUE(last.Claim(65535));
}

TEST(Ports, OwnersMayGoInAnyOrder) {
  std::array<size_t, 4> order = {0, 1, 2, 3};
  do {
    PortTable ports(1);
    std::deque<Owner> owners;
    for (size_t i = 0; i < order.size(); ++i) {
      ASSERT_TRUE(owners.emplace_back(ports, kReuseAddr).Claim(kPort));
    }
    Owner plain(ports);
    for (const size_t index : order) {
      EXPECT_FALSE(plain.Claim(kPort));
      ports.Release(owners[index]);
    }
    EXPECT_TRUE(plain.Claim(kPort));
  } while (std::next_permutation(order.begin(), order.end()));
}

// listen(2), EADDRINUSE: two sockets were bound with SO_REUSEADDR.
TEST(Ports, AnOwnerMayHaveToShareNoMore) {
  PortTable ports(1);
  Owner first(ports, kReuseAddr);
  Owner second(ports, kReuseAddr);
  ASSERT_TRUE(first.Claim(kPort));
  ASSERT_TRUE(second.Claim(kPort));
  first.mutable_claim().listening = true;
  EXPECT_TRUE(first.Claim(kPort));
  second.mutable_claim().listening = true;
  EXPECT_FALSE(second.Claim(kPort));
  EXPECT_EQ(second.port(), kPort) << "it stays bound";
}

// --- Ephemeral ports ---------------------------------------------------------

TEST(Ports, PortZeroIsOneOfTheRange) {
  PortTable ports(1);
  std::vector<std::unique_ptr<Owner>> owners;
  std::set<uint16_t> taken;
  for (int i = 0; i < 4; ++i) {
    owners.push_back(std::make_unique<Owner>(ports));
    ASSERT_TRUE(owners.back()->Claim(0));
    taken.insert(owners.back()->port());
  }
  EXPECT_EQ(taken, (std::set<uint16_t>{40000, 40001, 40002, 40003}));
  Owner more(ports);
  EXPECT_FALSE(more.Claim(0));
  EXPECT_EQ(more.port(), 0);
  owners[2].reset();
  EXPECT_TRUE(more.Claim(0));
}

// bind(2) to port 0 never shares a port, whatever the options.
TEST(Ports, PortZeroIsNotShared) {
  PortTable ports(1);
  Owner owner(ports, kBoth);
  Owner other(ports, kBoth);
  ASSERT_TRUE(ports.Claim(owner, 0, kOnePort));
  EXPECT_FALSE(ports.Claim(other, 0, kOnePort));
  EXPECT_TRUE(other.Claim(kOnePort.first));
}

TEST(Ports, AnotherAddressHasPortsOfItsOwn) {
  PortTable ports(1);
  Owner owner(ports, {.addr = A("127.0.0.1")});
  Owner other(ports, {.addr = A("127.0.0.2")});
  ASSERT_TRUE(ports.Claim(owner, 0, kOnePort));
  EXPECT_TRUE(ports.Claim(other, 0, kOnePort));
}

TEST(Ports, TheWholeNumberSpaceIsARange) {
  PortTable ports(1);
  Owner owner(ports);
  EXPECT_TRUE(ports.Claim(owner, 0, {1, 65535}));
  EXPECT_GT(owner.port(), 0);
}

TEST(Ports, TheSeedDecidesAndNothingElse) {
  const auto first_port = [](uint64_t seed) {
    PortTable ports(seed);
    Owner owner(ports);
    EXPECT_TRUE(ports.Claim(owner, 0, {32768, 60999}));
    return owner.port();
  };
  EXPECT_EQ(first_port(1), first_port(1));
  EXPECT_NE(first_port(1), first_port(2));
}

// --- Ports by connect(2) -----------------------------------------------------

TEST(Ports, ConnectionsShareAPortWhileTheyDiffer) {
  PortTable ports(1);
  Owner first(ports);
  Owner second(ports);
  EXPECT_TRUE(first.ClaimForConnect(kOnePort));
  EXPECT_TRUE(second.ClaimForConnect(kOnePort));
  Owner third(ports);
  EXPECT_FALSE(
      ports.ClaimForConnect(third, kOnePort, [](uint16_t) { return false; }));
  EXPECT_EQ(third.port(), 0);
}

TEST(Ports, EveryPortOfTheRangeIsTried) {
  PortTable ports(1);
  Owner owner(ports);
  EXPECT_TRUE(ports.ClaimForConnect(
      owner, kRange, [](uint16_t port) { return port == 40002; }));
  EXPECT_EQ(owner.port(), 40002);
}

TEST(Ports, ABoundPortIsNotForConnections) {
  PortTable ports(1);
  Owner bound(ports, kBoth);
  Owner connects(ports, kBoth);
  ASSERT_TRUE(bound.Claim(kOnePort.first));
  EXPECT_FALSE(connects.ClaimForConnect(kOnePort));
  ports.Release(bound);
  EXPECT_TRUE(connects.ClaimForConnect(kOnePort));
}

// For bind(2), the port of a connection follows the same rules as any other.
TEST(Ports, AConnectionsPortIsInUse) {
  PortTable ports(1);
  Owner connection(ports, {.addr = A("127.0.0.1")});
  ASSERT_TRUE(connection.ClaimForConnect(kOnePort));
  Owner same(ports, {.addr = A("127.0.0.1")});
  EXPECT_FALSE(same.Claim(kOnePort.first));
  Owner other(ports, {.addr = A("127.0.0.2")});
  EXPECT_TRUE(other.Claim(kOnePort.first));
}

// --- Heirs and TIME-WAIT -----------------------------------------------------

TEST(Ports, AnHeirKeepsThePort) {
  PortTable ports(1);
  Owner listener(ports, {.addr = A("127.0.0.1"), .listening = true});
  Owner accepted(ports, {.addr = A("127.0.0.1")});
  ASSERT_TRUE(listener.Claim(kPort));
  ports.Inherit(accepted, listener);
  EXPECT_EQ(accepted.port(), kPort);
  ports.Release(listener);
  Owner next(ports, {.addr = A("127.0.0.1")});
  EXPECT_FALSE(next.Claim(kPort));
  ports.Release(accepted);
  EXPECT_TRUE(next.Claim(kPort));
}

TEST(Ports, OfAnOwnerWithoutPortNothingIsInherited) {
  PortTable ports(1);
  Owner owner(ports);
  Owner heir(ports);
  Owner timewait(ports);
  ports.Inherit(heir, owner);
  ports.Remain(timewait, owner);
  EXPECT_EQ(heir.port(), 0);
  EXPECT_EQ(timewait.port(), 0);
}

// connect(2) does not choose the port of an accepted connection. It can choose
// that of a TIME-WAIT entry whose connection it made itself.
TEST(Ports, ATimeWaitHasThePortAsItsOwnerHadIt) {
  PortTable ports(1);
  Owner connection(ports);
  ASSERT_TRUE(connection.ClaimForConnect(kOnePort));
  Owner timewait(ports);
  ports.Remain(timewait, connection);
  ports.Release(connection);
  Owner connects(ports);
  EXPECT_TRUE(connects.ClaimForConnect(kOnePort));

  Owner bound(ports);
  ASSERT_TRUE(bound.Claim(kPort));
  Owner timewait_of_bound(ports);
  ports.Remain(timewait_of_bound, bound);
  ports.Release(bound);
  Owner another(ports);
  EXPECT_FALSE(another.ClaimForConnect({kPort, kPort}));
}

// --- What the port remembers -------------------------------------------------

// Linux checks the record of earlier claims before it checks the owners.
TEST(Ports, ReusePortThatWasTakenBackStillCounts) {
  PortTable ports(1);
  Owner first(ports, kReusePort);
  ASSERT_TRUE(first.Claim(kPort));
  first.mutable_claim().reuse_port = false;
  Owner second(ports, kReusePort);
  EXPECT_TRUE(second.Claim(kPort));
}

TEST(Ports, ReuseAddrThatWasTakenBackDoesNotCount) {
  PortTable ports(1);
  Owner first(ports, kReuseAddr);
  ASSERT_TRUE(first.Claim(kPort));
  first.mutable_claim().reuse_addr = false;
  Owner second(ports, kReuseAddr);
  EXPECT_FALSE(second.Claim(kPort));
}

TEST(Ports, WithItsLastOwnerThePortForgets) {
  PortTable ports(1);
  Owner first(ports, kReusePort);
  ASSERT_TRUE(first.Claim(kPort));
  ports.Release(first);
  Owner plain(ports);
  ASSERT_TRUE(plain.Claim(kPort));
  Owner second(ports, kReusePort);
  EXPECT_FALSE(second.Claim(kPort));
}

}  // namespace
}  // namespace net::fake
