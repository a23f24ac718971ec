// Every address of a listener with every address to which a client connects.

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

using loopback::RawSocket;

constexpr ip::Addr kOtherLocalV4 = ip::Addr::V4(127, 0, 0, 2);

// The addresses, in the order of the columns of kReaches.
constexpr ip::Addr kAddresses[] = {
    ip::kAnyV4,          ip::kLocalV4,          kOtherLocalV4,
    ip::kAnyV4.Mapped(), ip::kLocalV4.Mapped(), ip::kAnyV6,
    ip::kLocalV6};
constexpr size_t kCount = std::size(kAddresses);

// Whether a client that connects to the address of a column reaches a listener
// on the address of a row. To connect(2), a wildcard address means the loopback
// address of its family.
constexpr bool kReaches[kCount][kCount] = {
    /* 0.0.0.0 */ {true, true, true, true, true, false, false},
    /* 127.0.0.1 */ {true, true, false, true, true, false, false},
    /* 127.0.0.2 */ {false, false, true, false, false, false, false},
    /* ::ffff:0.0.0.0 */ {true, true, true, true, true, false, false},
    /* ::ffff:127.0.0.1 */ {true, true, false, true, true, false, false},
    /* :: */ {true, true, true, true, true, true, true},
    /* ::1 */ {false, false, false, false, false, true, true},
};

bool IsWildcard(const ip::Addr& addr) {
  return addr == ip::kAnyV4 || addr == ip::kAnyV4.Mapped() ||
         addr == ip::kAnyV6;
}

// Calls `check` for each address to which a client can connect, with whether it
// reaches a listener on the address `listener`.
template <typename F>
void ForEachConnector(size_t listener, F&& check) {
  for (size_t i = 0; i < kCount; ++i) {
    SCOPED_TRACE(testing::Message() << "a listener on " << kAddresses[listener]
                                    << ", a client to " << kAddresses[i]);
    check(ip::Endpoint{kAddresses[i], kPort}, kReaches[listener][i]);
  }
}

template <size_t kListener>
void ListenOnOne(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener,
                       c.Listen({kAddresses[kListener], kPort}));
  ForEachConnector(kListener, [&](const ip::Endpoint& to, bool reaches) {
    if (reaches) {
      ExpectTakes(c, listener, to);
    } else {
      ExpectRefused(c, to);
    }
  });
}

template <size_t kListener>
void ConnectToEach(Context& c) {
  ASSERT_OK_AND_ASSIGN(
      const loopback::Listener listener,
      loopback::ListenOn(c.sys(), {kAddresses[kListener], kPort}));
  ForEachConnector(kListener, [&](const ip::Endpoint& to, bool reaches) {
    const Result<Sock> client = c.Connect(to);
    // An API may have another meaning for a wildcard address.
    if (IsWildcard(to.addr) && client.ok() != reaches) {
      c.Variation("another_wildcard");
      return;
    }
    if (!reaches) {
      EXPECT_THAT(client, Fails(ECONNREFUSED));
      return;
    }
    ASSERT_THAT(client, IsOk());
    ASSERT_OK_AND_ASSIGN(RawSocket server, listener.Accept());
    ASSERT_THAT(client->SendAll("x"), IsOk());
    EXPECT_THAT(loopback::RecvExactly(server, 1), IsOkAndHolds("x"));
    EXPECT_THAT(server.Reset(), IsOk());
  });
}

Case Pair(absl::string_view id, absl::string_view requirement,
          void (*run)(Context&)) {
  return {.id = id,
          .requirement = requirement,
          .source =
              "ip(7), INADDR_ANY; ipv6(7), NOTES; connect to a wildcard "
              "address: measured on Linux 6.18",
          .families = AddressFamilies::kV6,
          .needs = Need::kOwnNetwork,
          .run = run};
}

}  // namespace

const std::vector<Case>& AddressPairsCases() {
  static const auto& cases = *new std::vector<Case>{
      Pair("listen.pairs.any",
           "A listener on 0.0.0.0 must be reached through each IPv4 address, "
           "and through no IPv6 address.",
           &ListenOnOne<0>),
      Pair("listen.pairs.loopback",
           "A listener on 127.0.0.1 must be reached through that address, its "
           "v4-mapped form and the IPv4 wildcards, and through no other.",
           &ListenOnOne<1>),
      Pair("listen.pairs.other_loopback",
           "A listener on 127.0.0.2 must be reached through that address only.",
           &ListenOnOne<2>),
      Pair("listen.pairs.mapped_any",
           "A listener on ::ffff:0.0.0.0 must be reached through each IPv4 "
           "address, and through no IPv6 address.",
           &ListenOnOne<3>),
      Pair("listen.pairs.mapped_loopback",
           "A listener on ::ffff:127.0.0.1 must be reached through 127.0.0.1, "
           "its v4-mapped form and the IPv4 wildcards, and through no other.",
           &ListenOnOne<4>),
      Pair("listen.pairs.any_v6",
           "A listener on :: must be reached through each address.",
           &ListenOnOne<5>),
      Pair("listen.pairs.loopback_v6",
           "A listener on ::1 must be reached through ::1 and ::, and through "
           "no IPv4 address.",
           &ListenOnOne<6>),
      Pair("connect.pairs.any",
           "Connect to each IPv4 address must reach a listener on 0.0.0.0, and "
           "Connect to an IPv6 address must not.",
           &ConnectToEach<0>),
      Pair(
          "connect.pairs.loopback",
          "Connect to 127.0.0.1, to its v4-mapped form and to the IPv4 "
          "wildcards must reach a listener on 127.0.0.1, and no other Connect.",
          &ConnectToEach<1>),
      Pair("connect.pairs.other_loopback",
           "Only Connect to 127.0.0.2 must reach a listener on that address.",
           &ConnectToEach<2>),
      Pair("connect.pairs.mapped_any",
           "Connect to each IPv4 address must reach a listener on "
           "::ffff:0.0.0.0, and Connect to an IPv6 address must not.",
           &ConnectToEach<3>),
      Pair("connect.pairs.mapped_loopback",
           "Connect to 127.0.0.1, to its v4-mapped form and to the IPv4 "
           "wildcards must reach a listener on ::ffff:127.0.0.1, and no other "
           "Connect.",
           &ConnectToEach<4>),
      Pair("connect.pairs.any_v6",
           "Connect to each address must reach a listener on ::.",
           &ConnectToEach<5>),
      Pair("connect.pairs.loopback_v6",
           "Connect to ::1 and to :: must reach a listener on ::1, and Connect "
           "to an IPv4 address must not.",
           &ConnectToEach<6>),
  };
  return cases;
}

}  // namespace net::conformance
