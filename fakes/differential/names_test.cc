#include "fakes/differential/names.h"

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::differential {
namespace {

constexpr std::array<uint16_t, 3> kFixed = {20000, 20001, 20002};

std::string BytesOf(Names& names, const ip::SockAddr& address, size_t size) {
  return names.Bytes(
      absl::string_view(reinterpret_cast<const char*>(address.get()), size));
}

TEST(NamesTest, NumbersPickedPortsAsTheyCome) {
  Names names(kFixed);
  EXPECT_EQ(names.Port(40000), "picked0");
  EXPECT_EQ(names.Port(33333), "picked1");
  EXPECT_EQ(names.Port(40000), "picked0");
}

TEST(NamesTest, NamesFixedAndSmallPorts) {
  Names names(kFixed);
  EXPECT_EQ(names.Port(20001), "fixed1");
  EXPECT_EQ(names.Port(0), "0");
  EXPECT_EQ(names.Port(80), "80");
}

TEST(NamesTest, NamesAddresses) {
  Names names(kFixed);
  const ip::SockAddr address({ip::kLocalV4, 45678});
  EXPECT_EQ(BytesOf(names, address, address.size()),
            "family 2 port picked0 rest 7f0000010000000000000000");
}

TEST(NamesTest, NamesTruncatedAddresses) {
  Names names(kFixed);
  const ip::SockAddr address({ip::kLocalV4, 20000});
  EXPECT_EQ(BytesOf(names, address, 6), "family 2 port fixed0 rest 7f00");
  EXPECT_EQ(BytesOf(names, address, 4), "family 2 port fixed0 rest ");
  EXPECT_EQ(BytesOf(names, address, 2), "cut 0200");
}

}  // namespace
}  // namespace net::differential
