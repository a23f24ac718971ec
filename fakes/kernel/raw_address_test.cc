#include "fakes/kernel/raw_address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::fake {
namespace {

ip::Endpoint E(absl::string_view text) {
  const auto endpoint = ip::Endpoint::Parse(text);
  EXPECT_TRUE(endpoint.has_value()) << text;
  return endpoint.value_or(ip::Endpoint{});
}

TEST(RawAddress, AnIpv4SocketTellsASockaddrIn) {
  const RawAddress raw = ToRawAddress(E("127.0.0.1:4711"), AF_INET);
  EXPECT_EQ(raw.size, static_cast<int>(sizeof(sockaddr_in)));
  EXPECT_EQ(FamilyOf(raw), AF_INET);
  EXPECT_EQ(AsV4(raw), E("127.0.0.1:4711"));
}

TEST(RawAddress, AnIpv6SocketTellsASockaddrIn6) {
  const RawAddress raw = ToRawAddress(E("[::1]:4711"), AF_INET6);
  EXPECT_EQ(raw.size, static_cast<int>(sizeof(sockaddr_in6)));
  EXPECT_EQ(FamilyOf(raw), AF_INET6);
  EXPECT_EQ(AsV6(raw), E("[::1]:4711"));
}

// ipv6(7): an IPv6 socket returns v4-mapped addresses for IPv4.
TEST(RawAddress, AnIpv6SocketTellsIpv4Mapped) {
  const RawAddress raw = ToRawAddress(E("127.0.0.1:4711"), AF_INET6);
  EXPECT_EQ(FamilyOf(raw), AF_INET6);
  EXPECT_EQ(AsV6(raw), E("[::ffff:127.0.0.1]:4711"));
}

TEST(RawAddress, TooShortForAFamilyHasNone) {
  RawAddress raw = ToRawAddress(E("127.0.0.1:4711"), AF_INET);
  raw.size = sizeof(sa_family_t);
  EXPECT_EQ(FamilyOf(raw), AF_INET);
  raw.size = sizeof(sa_family_t) - 1;
  EXPECT_EQ(FamilyOf(raw), AF_UNSPEC);
  raw.size = 0;
  EXPECT_EQ(FamilyOf(raw), AF_UNSPEC);
}

// RFC 4007, section 11: addresses that are not link-local have one zone.
TEST(RawAddress, OnlyLinkLocalAddressesHaveAScope) {
  const auto with_scope = [](absl::string_view addr) {
    RawAddress raw = ToRawAddress(E(addr), AF_INET6);
    sockaddr_in6 v6 = {};
    std::memcpy(&v6, &raw.storage, sizeof(v6));
    v6.sin6_scope_id = 7;
    std::memcpy(&raw.storage, &v6, sizeof(v6));
    return AsV6(raw).addr.scope();
  };
  EXPECT_EQ(with_scope("[fe80::1]:1"), 7U);
  EXPECT_EQ(with_scope("[febf::1]:1"), 7U);
  EXPECT_EQ(with_scope("[fec0::1]:1"), 0U);
  EXPECT_EQ(with_scope("[::1]:1"), 0U);
}

TEST(RawAddress, TheShortSockaddrIn6HasNoScope) {
  EXPECT_EQ(kV4Size, static_cast<int>(sizeof(sockaddr_in)));
  EXPECT_EQ(kV6Size, static_cast<int>(offsetof(sockaddr_in6, sin6_scope_id)));
}

}  // namespace
}  // namespace net::fake
