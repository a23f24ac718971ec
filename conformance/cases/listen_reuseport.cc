// Listeners that share a port: SO_REUSEPORT.

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::RawSocket;

// The reference peer listens as configured by `held`. Expects that Listen with
// `options` on the same endpoint fails with EADDRINUSE.
void ExpectExcludes(Context& c, const loopback::ListenConfig& held,
                    const ListenOptions& options) {
  ASSERT_OK_AND_ASSIGN(const Listener holder,
                       ListenAnywhere(c.sys(), c.family(), held));
  EXPECT_THAT(c.Listen(holder.endpoint(), options), Fails(EADDRINUSE));
}

void TwoListeners(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock one, c.Listen({.reuseport = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, one.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const Sock other, c.Listen(at, {.reuseport = true}));
  EXPECT_THAT(other.LocalEndpoint(), IsOkAndHolds(at));
}

void WithAnotherProgram(Context& c) {
  ASSERT_OK_AND_ASSIGN(
      const Listener holder,
      ListenAnywhere(c.sys(), c.family(), {.reuse_port = true}));
  EXPECT_THAT(c.Listen(holder.endpoint(), {.reuseport = true}), IsOk());
}

void BothOptionsOnBoth(Context& c) {
  const ListenOptions both{.reuseaddr = true, .reuseport = true};
  ASSERT_OK_AND_ASSIGN(const Sock one, c.Listen(both));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, one.LocalEndpoint());
  EXPECT_THAT(c.Listen(at, both), IsOk());
}

void OnlyNew(Context& c) { ExpectExcludes(c, {}, {.reuseport = true}); }

void OnlyOld(Context& c) { ExpectExcludes(c, {.reuse_port = true}, {}); }

void NewWithOldReuseaddr(Context& c) {
  ExpectExcludes(c, {.reuse_addr = true}, {.reuseport = true});
}

void OldWithNewReuseaddr(Context& c) {
  ExpectExcludes(c, {.reuse_port = true}, {.reuseaddr = true});
}

void OtherUser(Context& c) {
  absl::StatusOr<Listener> holder;
  c.env().AsOtherUser([&] {
    holder = ListenAnywhere(c.sys(), c.family(), {.reuse_port = true});
  });
  ASSERT_THAT(holder, IsOk());
  EXPECT_THAT(c.Listen(holder->endpoint(), {.reuseport = true}),
              Fails(EADDRINUSE));
}

void WildcardAndAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock wildcard,
                       c.Listen({c.Any(), kPort}, {.reuseport = true}));
  ASSERT_OK_AND_ASSIGN(const Sock specific,
                       c.Listen({c.Loopback(), kPort}, {.reuseport = true}));
  for (int i = 0; i < 8; ++i) {
    ExpectTakes(c, specific, {c.Loopback(), kPort});
  }
}

void WildcardsOfBothFamilies(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock v6,
                       c.Listen({ip::kAnyV6, kPort}, {.reuseport = true}));
  ASSERT_OK_AND_ASSIGN(const Sock v4,
                       c.Listen({ip::kAnyV4, kPort}, {.reuseport = true}));
  for (int i = 0; i < 8; ++i) {
    ExpectTakes(c, v4, {ip::kLocalV4, kPort});
    ExpectTakes(c, v6, {ip::kLocalV6, kPort});
  }
}

// Returns the number of connections in the accept queue.
Result<uint32_t> Queued(const Sock& listener) {
  const Result<Witness> witness = listener.Inspect();
  if (!witness.ok()) return witness.As<uint32_t>();
  const auto info = witness->Info();
  EXPECT_THAT(info, IsOk());
  return info.ok() ? info->queued : 0;
}

// The kernel distributes connections by a random seed. The probability that one
// listener gets all 64 connections is 1 in 2^63.
void ConnectionsSpread(Context& c) {
  constexpr uint32_t kConnections = 64;
  const ListenOptions options{.reuseport = true, .backlog = kConnections};
  ASSERT_OK_AND_ASSIGN(const Sock first, c.Listen(options));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const Sock second, c.Listen(at, options));
  std::vector<RawSocket> clients;
  for (uint32_t i = 0; i < kConnections; ++i) {
    ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
    clients.push_back(std::move(client));
  }
  ASSERT_OK_AND_ASSIGN(const uint32_t of_first, Queued(first));
  ASSERT_OK_AND_ASSIGN(const uint32_t of_second, Queued(second));
  EXPECT_EQ(of_first + of_second, kConnections);
  if (of_second == 0) c.Variation("oldest_takes_all");
  if (of_first == 0) c.Variation("newest_takes_all");
}

// With an even distribution, the probability that any of the four gets fewer
// than 24 or more than 110 of 256 connections is below 1 in 10^9 (binomial).
void Balance(Context& c) {
  constexpr uint32_t kConnections = 256;
  constexpr uint32_t kFewest = 24;
  constexpr uint32_t kMost = 110;
  const ListenOptions options{.reuseport = true, .backlog = kConnections};
  std::vector<Sock> listeners;
  ip::Endpoint at{c.Loopback(), 0};
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen(at, options));
    ASSERT_OK_AND_ASSIGN(at, listener.LocalEndpoint());
    listeners.push_back(std::move(listener));
  }
  std::vector<RawSocket> clients;
  for (uint32_t i = 0; i < kConnections; ++i) {
    ASSERT_OK_AND_ASSIGN(RawSocket client, ConnectTo(c.sys(), at));
    clients.push_back(std::move(client));
  }
  uint32_t total = 0;
  bool even = true;
  for (const Sock& listener : listeners) {
    ASSERT_OK_AND_ASSIGN(const uint32_t queued, Queued(listener));
    total += queued;
    even = even && queued >= kFewest && queued <= kMost;
  }
  EXPECT_EQ(total, kConnections);
  if (!even) c.Variation("uneven");
}

void SurvivorTakesAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock first, c.Listen({.reuseport = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, first.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const Sock second, c.Listen(at, {.reuseport = true}));
  EXPECT_THAT(first.Close(), IsOk());
  for (int i = 0; i < 8; ++i) ExpectTakes(c, second, at);
}

}  // namespace

const std::vector<Case>& ListenReuseportCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "listen.reuseport.two_listeners",
       .requirement = "Two listeners with SO_REUSEPORT must be able to share "
                      "an address and port.",
       .source = "socket(7), SO_REUSEPORT",
       .run = &TwoListeners},
      {.id = "listen.reuseport.with_another_program",
       .requirement = "A listener with SO_REUSEPORT must be able to share its "
                      "port with a listener that is not the implementation's.",
       .source = "socket(7), SO_REUSEPORT",
       .run = &WithAnotherProgram},
      {.id = "listen.reuseport.and_reuseaddr",
       .requirement = "Two listeners with SO_REUSEPORT and SO_REUSEADDR must "
                      "be able to share an address and port.",
       .source = "socket(7), SO_REUSEPORT",
       .run = &BothOptionsOnBoth},
      {.id = "listen.reuseport.only_new",
       .requirement = "Listen with SO_REUSEPORT must fail with EADDRINUSE on "
                      "the port of a listener without it.",
       .source = "socket(7), SO_REUSEPORT",
       .run = &OnlyNew},
      {.id = "listen.reuseport.only_old",
       .requirement = "Listen without SO_REUSEPORT must fail with EADDRINUSE "
                      "on the port of a listener with it.",
       .source = "socket(7), SO_REUSEPORT",
       .run = &OnlyOld},
      {.id = "listen.reuseport.new_with_old_reuseaddr",
       .requirement = "Listen with SO_REUSEPORT must fail with EADDRINUSE on "
                      "the port of a listener that has only SO_REUSEADDR.",
       .source = "socket(7), SO_REUSEADDR, SO_REUSEPORT",
       .run = &NewWithOldReuseaddr},
      {.id = "listen.reuseport.old_with_new_reuseaddr",
       .requirement = "Listen with SO_REUSEADDR must fail with EADDRINUSE on "
                      "the port of a listener that has only SO_REUSEPORT.",
       .source = "socket(7), SO_REUSEADDR, SO_REUSEPORT",
       .run = &OldWithNewReuseaddr},
      {.id = "listen.reuseport.other_user",
       .requirement = "Listen with SO_REUSEPORT must fail with EADDRINUSE on "
                      "the port of another user's listener.",
       .source = "socket(7), SO_REUSEPORT",
       .needs = Need::kOtherUser,
       .run = &OtherUser},
      {.id = "listen.reuseport.wildcard_and_address",
       .requirement = "If a listener on a specific address shares its port "
                      "with one on the wildcard address, it must accept the "
                      "connections to that address.",
       .source = "socket(7), SO_REUSEPORT; RFC 9293, section 3.9.1.1",
       .needs = Need::kOwnNetwork,
       .run = &WildcardAndAddress},
      {.id = "listen.reuseport.wildcards_of_both_families",
       .requirement = "If listeners on :: and 0.0.0.0 share a port, each must "
                      "accept the connections of its own family.",
       .source = "socket(7), SO_REUSEPORT; ipv6(7)",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &WildcardsOfBothFamilies},
      {.id = "listen.reuseport.connections_spread",
       .requirement = "Connections may be distributed over the listeners that "
                      "share a port, but none may be lost.",
       .source = "socket(7), SO_REUSEPORT",
       .level = Level::kVariation,
       .run = &ConnectionsSpread},
      {.id = "listen.reuseport.balance",
       .requirement = "Connections may be distributed evenly over four "
                      "listeners that share a port, but none may be lost.",
       .source = "socket(7), SO_REUSEPORT; measured on Linux 6.18",
       .level = Level::kVariation,
       .run = &Balance},
      {.id = "listen.reuseport.survivor_takes_all",
       .requirement = "If one of two listeners that share a port is closed, "
                      "the other must accept all further connections.",
       .source = "socket(7), SO_REUSEPORT",
       .run = &SurvivorTakesAll},
  };
  return cases;
}

}  // namespace net::conformance
