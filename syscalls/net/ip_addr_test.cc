#include "syscalls/net/ip_addr.h"

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace net::ip {
namespace {

// A random number generator with the same sequence in each run (splitmix64).
class Random {
 public:
  uint64_t operator()() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_ = 1;
};

std::string Canonical(absl::string_view text) {
  const std::optional<Addr> addr = Addr::Parse(text);
  return addr.has_value() ? addr->ToString() : "not an address";
}

TEST(AddrTest, DefaultIsTheIpv4Wildcard) {
  EXPECT_EQ(Addr(), kAnyV4);
  EXPECT_EQ(Addr().ToString(), "0.0.0.0");
}

TEST(AddrTest, ConstantsAreWhatTheyAreCalled) {
  EXPECT_EQ(kAnyV4.ToString(), "0.0.0.0");
  EXPECT_EQ(kLocalV4.ToString(), "127.0.0.1");
  EXPECT_EQ(kAnyV6.ToString(), "::");
  EXPECT_EQ(kLocalV6.ToString(), "::1");
}

TEST(AddrTest, WorksInConstantExpressions) {
  static_assert(kLocalV4.is_v4() && !kLocalV4.is_v6());
  static_assert(kLocalV6.is_v6() && !kLocalV6.is_v4());
  static_assert(kLocalV4.family() == AF_INET && kAnyV6.family() == AF_INET6);
  static_assert(kLocalV4.Mapped().Unmapped() == kLocalV4);
  static_assert(kAnyV4 < kLocalV4 && kLocalV4 < kAnyV6);
  static_assert(Addr::V6({}, 5).scope() == 5);
}

TEST(AddrTest, BytesAreInNetworkOrder) {
  const Addr v4 = Addr::V4(192, 0, 2, 1);
  EXPECT_EQ(v4.v4_bytes(), (Addr::V4Bytes{192, 0, 2, 1}));
  EXPECT_EQ(v4, Addr::V4(Addr::V4Bytes{192, 0, 2, 1}));
  const std::optional<Addr> v6 = Addr::Parse("2001:db8::1");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->v6_bytes(), (Addr::V6Bytes{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0,
                                           0, 0, 0, 0, 0, 0, 1}));
}

TEST(AddrTest, ParsesIpv4) {
  EXPECT_EQ(Addr::Parse("0.0.0.0"), kAnyV4);
  EXPECT_EQ(Addr::Parse("127.0.0.1"), kLocalV4);
  EXPECT_EQ(Addr::Parse("255.255.255.255"), Addr::V4(255, 255, 255, 255));
}

// The three forms of RFC 4291, section 2.2, with its examples.
TEST(AddrTest, ParsesEveryFormOfIpv6) {
  EXPECT_EQ(Canonical("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789"),
            "abcd:ef01:2345:6789:abcd:ef01:2345:6789");
  EXPECT_EQ(Canonical("2001:DB8:0:0:8:800:200C:417A"),
            "2001:db8::8:800:200c:417a");
  EXPECT_EQ(Canonical("FF01:0:0:0:0:0:0:101"), "ff01::101");
  EXPECT_EQ(Canonical("FF01::101"), "ff01::101");
  EXPECT_EQ(Canonical("0:0:0:0:0:0:0:1"), "::1");
  EXPECT_EQ(Canonical("0:0:0:0:0:0:0:0"), "::");
  EXPECT_EQ(Canonical("0:0:0:0:0:FFFF:129.144.52.38"), "::ffff:129.144.52.38");
  EXPECT_EQ(Canonical("::FFFF:129.144.52.38"), "::ffff:129.144.52.38");
  EXPECT_EQ(Canonical("::13.1.68.3"), "::d01:4403");
  EXPECT_EQ(Canonical("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
}

class BadAddr : public testing::TestWithParam<absl::string_view> {};

TEST_P(BadAddr, IsRejected) {
  EXPECT_EQ(Addr::Parse(GetParam()), std::nullopt) << '"' << GetParam() << '"';
}

INSTANTIATE_TEST_SUITE_P(
    Ipv4, BadAddr,
    testing::Values("", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.",
                    ".1.2.3", "1..2.3", "01.2.3.4", "1.2.3.04", "0x1.2.3.4",
                    "1.2.3.4 ", " 1.2.3.4", "+1.2.3.4", "-1.2.3.4", "1.2.3.a",
                    "1.2.3.4:80", "1.2.3.4%1", "1.2.3.4/8", "localhost"));

INSTANTIATE_TEST_SUITE_P(
    Ipv6, BadAddr,
    testing::Values(":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                    "1:2:3:4:5:6:7:8::", "1::2::3", ":1:2:3:4:5:6:7:8",
                    "1:2:3:4:5:6:7:", "12345::", "::00001", "::g", "::1 ",
                    " ::1", "[::1]", "::1/128", "::ffff:1.2.3",
                    "::ffff:1.2.3.256", "1.2.3.4::"));

INSTANTIATE_TEST_SUITE_P(Scope, BadAddr,
                         testing::Values("fe80::1%", "fe80::1%eth0",
                                         "fe80::1%-1", "fe80::1%+1",
                                         "fe80::1% 1", "fe80::1%1 ",
                                         "fe80::1%1%2", "fe80::1%4294967296",
                                         "%1"));

INSTANTIATE_TEST_SUITE_P(EmbeddedNul, BadAddr,
                         testing::Values(absl::string_view("::1\0", 4),
                                         absl::string_view("127.0.0.1\0x", 11),
                                         absl::string_view("\0", 1),
                                         absl::string_view("fe80::1%1\0", 10),
                                         absl::string_view("fe80::1\0%1", 10)));

// The examples of RFC 5952, sections 4 and 5, and cases that they leave open.
struct Rfc5952Example {
  absl::string_view section;
  absl::string_view text;
  absl::string_view canonical;
};
void PrintTo(const Rfc5952Example& example, std::ostream* os) {
  *os << example.text;
}

class Rfc5952 : public testing::TestWithParam<Rfc5952Example> {};

TEST_P(Rfc5952, IsWrittenSo) {
  EXPECT_EQ(Canonical(GetParam().text), GetParam().canonical)
      << "section " << GetParam().section;
}

INSTANTIATE_TEST_SUITE_P(
    LeadingZeros, Rfc5952,
    testing::Values(Rfc5952Example{"4.1", "2001:0db8::0001", "2001:db8::1"},
                    Rfc5952Example{"4.1", "0:0:0:1:0:0:0:0", "0:0:0:1::"}));

INSTANTIATE_TEST_SUITE_P(
    Shortening, Rfc5952,
    testing::Values(
        Rfc5952Example{"4.2.1", "2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        Rfc5952Example{"4.2.1", "2001:db8::0:1", "2001:db8::1"},
        Rfc5952Example{"4.2.2", "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        Rfc5952Example{"4.2.2", "::1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
        Rfc5952Example{"4.2.3", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        Rfc5952Example{"4.2.3", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}));

INSTANTIATE_TEST_SUITE_P(LowerCase, Rfc5952,
                         testing::Values(Rfc5952Example{
                             "4.3", "2001:DB8::ABCD:EF", "2001:db8::abcd:ef"}));

// Mixed notation appears only where a well-known prefix requires it. glibc's
// inet_ntop would write ::1:2 as ::0.1.0.2.
INSTANTIATE_TEST_SUITE_P(
    EmbeddedIpv4, Rfc5952,
    testing::Values(Rfc5952Example{"5", "::ffff:c000:201", "::ffff:192.0.2.1"},
                    Rfc5952Example{"5", "0:0:0:0:0:ffff:192.0.2.1",
                                   "::ffff:192.0.2.1"},
                    Rfc5952Example{"5", "::ffff:0:0", "::ffff:0.0.0.0"},
                    Rfc5952Example{"5", "::fffe:1:2", "::fffe:1:2"},
                    Rfc5952Example{"5", "::ffff:0:1:2", "::ffff:0:1:2"},
                    Rfc5952Example{"5", "::1:2", "::1:2"},
                    Rfc5952Example{"5", "::1:0", "::1:0"},
                    Rfc5952Example{"5", "::192.0.2.1", "::c000:201"},
                    Rfc5952Example{"5", "::100:0", "::100:0"},
                    Rfc5952Example{"5", "::2", "::2"},
                    Rfc5952Example{"5", "::ffff", "::ffff"}));

TEST(AddrTest, EveryTextReadsBack) {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    Addr::V6Bytes bytes;
    const uint64_t keep = random();  // The text abbreviates zeros.
    for (size_t j = 0; j < bytes.size(); ++j) {
      const bool zero = (keep >> (j / 2) & 3) != 0;
      bytes[j] = zero ? 0 : static_cast<uint8_t>(random());
    }
    const Addr v6 = Addr::V6(bytes, i % 3 == 0 ? uint32_t(random()) : 0);
    EXPECT_EQ(Addr::Parse(v6.ToString()), v6) << v6;
    const Addr v4 = Addr::V4(bytes[0], bytes[1], bytes[2], bytes[3]);
    EXPECT_EQ(Addr::Parse(v4.ToString()), v4) << v4;
  }
}

TEST(AddrTest, ScopeIsPartOfTheAddress) {
  const std::optional<Addr> two = Addr::Parse("fe80::1%2");
  ASSERT_TRUE(two.has_value());
  EXPECT_EQ(two->scope(), 2u);
  EXPECT_EQ(two->ToString(), "fe80::1%2");
  EXPECT_NE(*two, Addr::Parse("fe80::1"));
  EXPECT_NE(*two, Addr::Parse("fe80::1%3"));
  EXPECT_EQ(Addr::Parse("fe80::1%0"), Addr::Parse("fe80::1"));
  EXPECT_EQ(Canonical("fe80::1%4294967295"), "fe80::1%4294967295");
  EXPECT_EQ(Canonical("::1:2%7"), "::1:2%7");
}

TEST(AddrTest, MappedAddressesStayIpv6) {
  const Addr mapped = kLocalV4.Mapped();
  EXPECT_TRUE(mapped.is_v6());
  EXPECT_TRUE(mapped.is_v4_mapped());
  EXPECT_NE(mapped, kLocalV4);
  EXPECT_EQ(mapped.ToString(), "::ffff:127.0.0.1");
  EXPECT_EQ(mapped.Unmapped(), kLocalV4);
  EXPECT_EQ(mapped.Mapped(), mapped);
}

TEST(AddrTest, OnlyThatPrefixIsMapped) {
  EXPECT_FALSE(kLocalV4.is_v4_mapped());
  EXPECT_FALSE(kLocalV6.is_v4_mapped());
  EXPECT_EQ(kLocalV6.Unmapped(), kLocalV6);
  for (size_t byte = 0; byte < 12; ++byte) {
    Addr::V6Bytes bytes = kLocalV4.Mapped().v6_bytes();
    bytes[byte] ^= 1;
    EXPECT_FALSE(Addr::V6(bytes).is_v4_mapped()) << byte;
    EXPECT_EQ(Addr::V6(bytes).Unmapped(), Addr::V6(bytes)) << byte;
  }
}

// Returns addresses in ascending order.
std::vector<Addr> Ascending() {
  return {
      kAnyV4,
      kLocalV4,
      Addr::V4(127, 0, 0, 2),
      Addr::V4(128, 0, 0, 0),
      Addr::V4(255, 255, 255, 255),
      kAnyV6,
      Addr::V6({}, 1),
      kLocalV6,
      kLocalV4.Mapped(),
      *Addr::Parse("fe80::1"),
      *Addr::Parse("fe80::1%1"),
      *Addr::Parse("fe80::1%2"),
      *Addr::Parse("fe80::2"),
  };
}

TEST(AddrTest, IsOrderedByFamilyBytesAndScope) {
  const std::vector<Addr> addrs = Ascending();
  for (size_t i = 0; i < addrs.size(); ++i) {
    for (size_t j = 0; j < addrs.size(); ++j) {
      EXPECT_TRUE((addrs[i] <=> addrs[j]) == (i <=> j))
          << addrs[i] << " " << addrs[j];
      EXPECT_EQ(addrs[i] == addrs[j], i == j) << addrs[i] << " " << addrs[j];
    }
  }
}

TEST(AddrTest, HashesAllThatItCompares) {
  const absl::Hash<Addr> hash;
  for (const Addr& a : Ascending()) {
    for (const Addr& b : Ascending()) {
      EXPECT_EQ(hash(a) == hash(b), a == b) << a << " " << b;
    }
  }
}

TEST(AddrTest, PrintsItsText) {
  std::ostringstream os;
  os << kLocalV4 << ' ' << kLocalV6;
  EXPECT_EQ(os.str(), "127.0.0.1 ::1");
}

}  // namespace
}  // namespace net::ip
