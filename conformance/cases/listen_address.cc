// The addresses on which a listener accepts connections, and those on which it
// does not.

#include <cerrno>
#include <vector>

#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ConnectTo;
using loopback::RawSocket;

constexpr ip::Addr kOtherLocalV4 = ip::Addr::V4(127, 0, 0, 2);
constexpr ip::Addr kMappedLocal = ip::kLocalV4.Mapped();
constexpr ip::Addr kMappedAny = ip::kAnyV4.Mapped();

// ---- Within one family ------------------------------------------------------

void LoopbackAccepts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({c.Loopback(), 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ExpectTakes(c, listener, at);
}

void WildcardAccepts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({c.Any(), 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ExpectTakes(c, listener, {c.Loopback(), at.port});
}

void WildcardAcceptsOnEach(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({ip::kAnyV4, 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  for (const ip::Addr& addr :
       {ip::kLocalV4, kOtherLocalV4, ip::Addr::V4(127, 255, 255, 254)}) {
    SCOPED_TRACE(addr.ToString());
    ExpectTakes(c, listener, {addr, at.port});
  }
}

void OtherLoopbackAccepts(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({kOtherLocalV4, 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  EXPECT_EQ(at.addr, kOtherLocalV4);
  ExpectTakes(c, listener, at);
}

void SpecificRefusesOthers(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({ip::kLocalV4, kPort}));
  ExpectRefused(c, {kOtherLocalV4, kPort});
}

void SideBySide(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock one, c.Listen({ip::kLocalV4, kPort}));
  ASSERT_OK_AND_ASSIGN(const Sock other, c.Listen({kOtherLocalV4, kPort}));
  ExpectTakes(c, other, {kOtherLocalV4, kPort});
  ExpectTakes(c, one, {ip::kLocalV4, kPort});
}

// ---- IPv4 and IPv6 ----------------------------------------------------------

void LoopbacksOfBothSideBySide(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock v6, c.Listen({ip::kLocalV6, kPort}));
  ASSERT_OK_AND_ASSIGN(const Sock v4, c.Listen({ip::kLocalV4, kPort}));
  ExpectTakes(c, v4, {ip::kLocalV4, kPort});
  ExpectTakes(c, v6, {ip::kLocalV6, kPort});
}

void LoopbackV6RefusesIpv4(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({ip::kLocalV6, kPort}));
  ExpectRefused(c, {ip::kLocalV4, kPort});
}

void WildcardV4RefusesIpv6(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({ip::kAnyV4, kPort}));
  ExpectRefused(c, {ip::kLocalV6, kPort});
}

void WildcardV4BesideLoopbackV6(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock v4, c.Listen({ip::kAnyV4, kPort}));
  ASSERT_OK_AND_ASSIGN(const Sock v6, c.Listen({ip::kLocalV6, kPort}));
  ExpectTakes(c, v4, {ip::kLocalV4, kPort});
  ExpectTakes(c, v6, {ip::kLocalV6, kPort});
}

void DualStackTakesBoth(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({ip::kAnyV6, 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ExpectTakes(c, listener, {ip::kLocalV6, at.port});
  ExpectTakes(c, listener, {ip::kLocalV4, at.port});
  ExpectTakes(c, listener, {kOtherLocalV4, at.port});
}

void DualStackLocalAddressIsMapped(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({ip::kAnyV6, 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       ConnectTo(c.sys(), {ip::kLocalV4, at.port}));
  ASSERT_OK_AND_ASSIGN(const Sock server, listener.Accept());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, server.LocalAddr());
  ExpectMapped(c, local, {kMappedLocal, at.port});
}

void V6OnlyRefusesIpv4(Context& c) {
  c.env().SetSysctl("net.ipv6.bindv6only", "1");
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({ip::kAnyV6, kPort}));
  ExpectTakes(c, listener, {ip::kLocalV6, kPort});
  const auto client = ConnectTo(c.sys(), {ip::kLocalV4, kPort});
  if (client.ok()) return c.Variation("dual_stack_all_the_same");
  EXPECT_THAT(client, IsErrno(ECONNREFUSED));
}

void V6OnlyLeavesTheIpv4PortFree(Context& c) {
  c.env().SetSysctl("net.ipv6.bindv6only", "1");
  ASSERT_OK_AND_ASSIGN(const Sock v6, c.Listen({ip::kAnyV6, kPort}));
  const Result<Sock> v4 = c.Listen({ip::kAnyV4, kPort});
  if (testing::Value(v4, Fails(EADDRINUSE))) {
    return c.Variation("dual_stack_all_the_same");
  }
  ASSERT_THAT(v4, IsOk());
  ExpectTakes(c, v6, {ip::kLocalV6, kPort});
  ExpectTakes(c, *v4, {ip::kLocalV4, kPort});
}

// ---- IPv4 addresses written as IPv6 -----------------------------------------

void MappedIsReported(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({kMappedLocal, 0}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalAddr());
  EXPECT_NE(at.port, 0);
  ExpectMapped(c, at, {kMappedLocal, at.port});
}

void MappedTakesIpv4(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({kMappedLocal, kPort}));
  ExpectTakes(c, listener, {ip::kLocalV4, kPort});
  ExpectRefused(c, {kOtherLocalV4, kPort});
}

void MappedRefusesIpv6(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({kMappedLocal, kPort}));
  ExpectRefused(c, {ip::kLocalV6, kPort});
}

void MappedWildcardTakesIpv4Only(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({kMappedAny, kPort}));
  ExpectTakes(c, listener, {kOtherLocalV4, kPort});
  ExpectRefused(c, {ip::kLocalV6, kPort});
}

void MappedNextToIpv6(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock mapped, c.Listen({kMappedLocal, kPort}));
  ASSERT_OK_AND_ASSIGN(const Sock v6, c.Listen({ip::kLocalV6, kPort}));
  ExpectTakes(c, v6, {ip::kLocalV6, kPort});
  ExpectTakes(c, mapped, {ip::kLocalV4, kPort});
}

}  // namespace

const std::vector<Case>& ListenAddressCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "listen.address.loopback_accepts",
       .requirement =
           "A listener on the loopback address must accept connections to it.",
       .source = "listen(2); ip(7), INADDR_LOOPBACK",
       .run = &LoopbackAccepts},
      {.id = "listen.address.other_loopback_accepts",
       .requirement = "A listener on 127.0.0.2 must accept connections to it, "
                      "because every address in 127.0.0.0/8 is local.",
       .source = "RFC 1122, section 3.2.1.3 (g)",
       .families = AddressFamilies::kV4,
       .run = &OtherLoopbackAccepts},
      {.id = "listen.address.wildcard_accepts",
       .requirement = "A listener on a wildcard address must accept "
                      "connections to the loopback address.",
       .source = "ip(7), INADDR_ANY; ipv6(7), in6addr_any",
       .run = &WildcardAccepts},
      {.id = "listen.address.wildcard_accepts_on_each",
       .requirement = "A listener on 0.0.0.0 must accept connections to every "
                      "local address.",
       .source = "ip(7), INADDR_ANY",
       .families = AddressFamilies::kV4,
       .run = &WildcardAcceptsOnEach},
      {.id = "listen.address.specific_refuses_others",
       .requirement =
           "A listener on one address must not accept connections to another.",
       .source = "bind(2); ip(7)",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &SpecificRefusesOthers},
      {.id = "listen.address.side_by_side",
       .requirement =
           "Two listeners must be able to use the same port of two addresses, "
           "and each must accept the connections to its own address.",
       .source = "ip(7); RFC 9293, section 3.4",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &SideBySide},
      {.id = "listen.families.loopbacks_side_by_side",
       .requirement =
           "Two listeners must be able to use the same port of 127.0.0.1 and "
           "::1, and each must accept the connections to its own address.",
       .source = "ipv6(7)",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &LoopbacksOfBothSideBySide},
      {.id = "listen.families.loopback_v6_refuses_ipv4",
       .requirement = "A listener on ::1 must not accept IPv4 connections.",
       .source = "ipv6(7)",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &LoopbackV6RefusesIpv4},
      {.id = "listen.families.wildcard_v4_refuses_ipv6",
       .requirement = "A listener on 0.0.0.0 must not accept IPv6 connections.",
       .source = "ip(7), INADDR_ANY",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &WildcardV4RefusesIpv6},
      {.id = "listen.families.wildcard_v4_beside_loopback_v6",
       .requirement = "Two listeners must be able to use the same port of "
                      "0.0.0.0 and ::1.",
       .source = "ipv6(7)",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &WildcardV4BesideLoopbackV6},
      {.id = "listen.dual_stack.takes_both",
       .requirement =
           "A listener on :: should accept IPv6 and IPv4 connections.",
       .source = "ipv6(7), IPV6_V6ONLY; RFC 3493, section 5.3",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .run = &DualStackTakesBoth},
      {.id = "listen.dual_stack.local_address_is_mapped",
       .requirement = "The local address of an IPv4 connection that a listener "
                      "on :: accepted should be v4-mapped.",
       .source = "ipv6(7); RFC 3493, section 3.7",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .run = &DualStackLocalAddressIsMapped},
      {.id = "listen.dual_stack.bindv6only_refuses_ipv4",
       .requirement = "A listener on :: should accept only IPv6 connections if "
                      "net.ipv6.bindv6only is 1.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &V6OnlyRefusesIpv4},
      {.id = "listen.dual_stack.bindv6only_leaves_ipv4_port",
       .requirement = "Two listeners should be able to use the same port of "
                      "0.0.0.0 and :: if net.ipv6.bindv6only is 1.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &V6OnlyLeavesTheIpv4PortFree},
      {.id = "listen.mapped.is_reported",
       .requirement = "The local address of a listener on ::ffff:127.0.0.1 "
                      "should be that IPv6 address.",
       .source = "RFC 3493, section 3.7",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .run = &MappedIsReported},
      {.id = "listen.mapped.takes_ipv4",
       .requirement = "A listener on ::ffff:127.0.0.1 must accept IPv4 "
                      "connections to 127.0.0.1, and no others.",
       .source = "ipv6(7); RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &MappedTakesIpv4},
      {.id = "listen.mapped.refuses_ipv6",
       .requirement = "A listener on a v4-mapped address must not accept IPv6 "
                      "connections.",
       .source = "RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &MappedRefusesIpv6},
      {.id = "listen.mapped.wildcard_takes_ipv4_only",
       .requirement = "A listener on ::ffff:0.0.0.0 must accept IPv4 "
                      "connections to every address, and no IPv6 connections.",
       .source = "RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &MappedWildcardTakesIpv4Only},
      {.id = "listen.mapped.beside_ipv6",
       .requirement = "Two listeners must be able to use the same port of "
                      "::ffff:127.0.0.1 and ::1.",
       .source = "RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &MappedNextToIpv6},
  };
  return cases;
}

}  // namespace net::conformance
