#include "syscalls/net/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"

namespace net::ip {
namespace {

std::vector<Endpoint> Ascending() {
  return {
      {},
      {kAnyV4, 1},
      {kLocalV4, 0},
      {kLocalV4, 65535},
      {kAnyV6, 0},
      {kLocalV6, 80},
      {kLocalV6, 443},
      {kLocalV4.Mapped(), 80},
      {*Addr::Parse("fe80::1%1"), 80},
      {*Addr::Parse("fe80::1%2"), 80},
  };
}

TEST(EndpointTest, ParsesBothFamilies) {
  EXPECT_EQ(Endpoint::Parse("127.0.0.1:80"), (Endpoint{kLocalV4, 80}));
  EXPECT_EQ(Endpoint::Parse("[::1]:65535"), (Endpoint{kLocalV6, 65535}));
  EXPECT_EQ(Endpoint::Parse("0.0.0.0:0"), Endpoint());
  EXPECT_EQ(Endpoint::Parse("[fe80::1%2]:80"),
            (Endpoint{*Addr::Parse("fe80::1%2"), 80}));
}

class BadEndpoint : public testing::TestWithParam<absl::string_view> {};

TEST_P(BadEndpoint, IsRejected) {
  EXPECT_EQ(Endpoint::Parse(GetParam()), std::nullopt)
      << '"' << GetParam() << '"';
}

INSTANTIATE_TEST_SUITE_P(Port, BadEndpoint,
                         testing::Values("127.0.0.1",
                                         "127.0.0.1:", "127.0.0.1:65536",
                                         "127.0.0.1:-1", "127.0.0.1:+1",
                                         "127.0.0.1: 1", "127.0.0.1:1 ",
                                         "127.0.0.1:http", "127.0.0.1:1:2",
                                         "127.0.0.1:99999999999", ":80", "",
                                         "[::1]", "[::1]:", "[::1]80"));

INSTANTIATE_TEST_SUITE_P(Brackets, BadEndpoint,
                         testing::Values("::1:80", "[127.0.0.1]:80", "[::1:80",
                                         "::1]:80", "[]:80", "[[::1]]:80",
                                         "[::1] :80", "fe80::1%2:80"));

TEST(EndpointTest, EveryTextReadsBack) {
  for (const Endpoint& endpoint : Ascending()) {
    EXPECT_EQ(Endpoint::Parse(endpoint.ToString()), endpoint) << endpoint;
  }
}

TEST(EndpointTest, PrintsItsText) {
  std::ostringstream os;
  os << Endpoint{kLocalV4, 80} << ' ' << Endpoint{kLocalV6, 80};
  EXPECT_EQ(os.str(), "127.0.0.1:80 [::1]:80");
}

TEST(EndpointTest, IsOrderedByAddressAndPort) {
  const std::vector<Endpoint> all = Ascending();
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < all.size(); ++j) {
      EXPECT_TRUE((all[i] <=> all[j]) == (i <=> j)) << all[i] << " " << all[j];
      EXPECT_EQ(all[i] == all[j], i == j) << all[i] << " " << all[j];
    }
  }
}

TEST(EndpointTest, HashesAllThatItCompares) {
  const absl::Hash<Endpoint> hash;
  for (const Endpoint& a : Ascending()) {
    for (const Endpoint& b : Ascending()) {
      EXPECT_EQ(hash(a) == hash(b), a == b) << a << " " << b;
    }
  }
}

TEST(SockAddrTest, IsWhatTheManPagesDescribe) {
  const SockAddr v4(Endpoint{Addr::V4(192, 0, 2, 1), 0x1234});
  ASSERT_EQ(v4.size(), sizeof(sockaddr_in));
  sockaddr_in in;
  std::memcpy(&in, v4.get(), sizeof(in));
  EXPECT_EQ(in.sin_family, AF_INET);
  EXPECT_EQ(ntohs(in.sin_port), 0x1234);
  EXPECT_EQ(ntohl(in.sin_addr.s_addr), 0xc0000201u);

  const SockAddr v6(Endpoint{*Addr::Parse("2001:db8::1%9"), 0x1234});
  ASSERT_EQ(v6.size(), sizeof(sockaddr_in6));
  sockaddr_in6 in6;
  std::memcpy(&in6, v6.get(), sizeof(in6));
  EXPECT_EQ(in6.sin6_family, AF_INET6);
  EXPECT_EQ(ntohs(in6.sin6_port), 0x1234);
  EXPECT_EQ(in6.sin6_flowinfo, 0u);
  EXPECT_EQ(in6.sin6_scope_id, 9u);
  EXPECT_EQ(in6.sin6_addr.s6_addr[0], 0x20);
  EXPECT_EQ(in6.sin6_addr.s6_addr[15], 1);
}

TEST(SockAddrTest, EveryEndpointComesBack) {
  for (const Endpoint& endpoint : Ascending()) {
    EXPECT_EQ(SockAddr(endpoint).ToEndpoint(), endpoint) << endpoint;
  }
}

TEST(SockAddrTest, AnEmptyOneHasRoomForBothFamilies) {
  SockAddr address;
  EXPECT_GE(address.size(), sizeof(sockaddr_in6));
  EXPECT_EQ(address.get()->sa_family, AF_UNSPEC);
  EXPECT_EQ(address.ToEndpoint(), std::nullopt);
}

TEST(SockAddrTest, HoldsWhatACallFillsIn) {
  const SockAddr answer(Endpoint{kLocalV6, 80});
  SockAddr address;
  std::memcpy(address.get(), answer.get(), answer.size());
  *address.size_ptr() = answer.size();
  EXPECT_EQ(address.ToEndpoint(), (Endpoint{kLocalV6, 80}));
}

// A kernel returns the length that the whole address has, which can exceed the
// capacity.
TEST(SockAddrTest, ALengthBeyondTheRoomIsNotBelieved) {
  SockAddr address(Endpoint{kLocalV6, 80});
  *address.size_ptr() = sizeof(sockaddr_storage);
  EXPECT_EQ(address.ToEndpoint(), (Endpoint{kLocalV6, 80}));
}

TEST(SockAddrTest, CutShortItIsNoEndpoint) {
  for (const Endpoint& endpoint :
       {Endpoint{kLocalV4, 80}, Endpoint{kLocalV6, 80}}) {
    const SockAddr whole(endpoint);
    for (socklen_t size = 0; size < whole.size(); ++size) {
      // On the heap, with exactly the given length, so that AddressSanitizer
      // detects a read past the end.
      const std::vector<char> bytes(
          reinterpret_cast<const char*>(whole.get()),
          reinterpret_cast<const char*>(whole.get()) + size);
      EXPECT_EQ(EndpointFromSockaddr(
                    reinterpret_cast<const sockaddr*>(bytes.data()), size),
                std::nullopt)
          << endpoint << " cut to " << size;
    }
  }
}

TEST(SockAddrTest, OtherFamiliesAreNoEndpoint) {
  sockaddr_un unix_address = {};
  unix_address.sun_family = AF_UNIX;
  EXPECT_EQ(
      EndpointFromSockaddr(reinterpret_cast<const sockaddr*>(&unix_address),
                           sizeof(unix_address)),
      std::nullopt);
  sockaddr_storage unspecified = {};
  EXPECT_EQ(
      EndpointFromSockaddr(reinterpret_cast<const sockaddr*>(&unspecified),
                           sizeof(unspecified)),
      std::nullopt);
}

TEST(SockAddrTest, FlowLabelsAreIgnored) {
  sockaddr_in6 in6 = {};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(80);
  in6.sin6_flowinfo = htonl(0x12345);
  in6.sin6_addr = in6addr_loopback;
  EXPECT_EQ(EndpointFromSockaddr(reinterpret_cast<const sockaddr*>(&in6),
                                 sizeof(in6)),
            (Endpoint{kLocalV6, 80}));
}

}  // namespace
}  // namespace net::ip
