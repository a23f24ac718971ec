// The options of IPPROTO_IPV6.

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectedPair;
using loopback::Pair;
using loopback::RawSocket;

constexpr int kIpv6UnicastIf = 76;

SysResult SetV6(const RawSocket& socket, int name, int value) {
  return socket.SetOption(IPPROTO_IPV6, name, value);
}
absl::StatusOr<int> V6(const RawSocket& socket, int name) {
  return socket.Option(IPPROTO_IPV6, name);
}

void OnIpv4(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetV6(socket, IPV6_V6ONLY, 1), IsErrno(ENOPROTOOPT));
  EXPECT_THAT(V6(socket, IPV6_V6ONLY), IsErrno(EOPNOTSUPP));
}

void V6OnlyFollowsSysctl(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(V6(socket, IPV6_V6ONLY), IsOkAndHolds(0));
  c.env().SetSysctl("net.ipv6.bindv6only", "1");
  EXPECT_THAT(V6(socket, IPV6_V6ONLY), IsOkAndHolds(0));
  ASSERT_OK_AND_ASSIGN(const RawSocket later, NewTcp(c));
  EXPECT_THAT(V6(later, IPV6_V6ONLY), IsOkAndHolds(1));
}

void V6OnlyAfterBinding(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket specific, NewTcp(c));
  ASSERT_THAT(Bind(specific, {ip::kLocalV6, 0}), IsOk());
  EXPECT_THAT(V6(specific, IPV6_V6ONLY), IsOkAndHolds(1));
  ASSERT_OK_AND_ASSIGN(const RawSocket wildcard, NewTcp(c));
  ASSERT_THAT(Bind(wildcard, {ip::kAnyV6, 0}), IsOk());
  EXPECT_THAT(V6(wildcard, IPV6_V6ONLY), IsOkAndHolds(0));
}

void V6OnlyOfConnections(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(V6(pair.client, IPV6_V6ONLY), IsOkAndHolds(0));
  EXPECT_THAT(V6(pair.server, IPV6_V6ONLY), IsOkAndHolds(1));
  EXPECT_THAT(SetV6(pair.client, IPV6_V6ONLY, 1), IsErrno(EINVAL));
}

void UnicastHops(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const int usual, V6(socket, IPV6_UNICAST_HOPS));
  ExpectTakes(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, {0, 1, 255}, {-2, 256});
  EXPECT_THAT(SetV6(socket, IPV6_UNICAST_HOPS, -1), IsOk());
  EXPECT_THAT(V6(socket, IPV6_UNICAST_HOPS), IsOkAndHolds(usual));
}

void Tclass(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_IPV6, IPV6_TCLASS, {0x10, 0xfc}, {-2, 256});
  EXPECT_THAT(SetV6(socket, IPV6_TCLASS, 0xff), IsOk());
  EXPECT_THAT(V6(socket, IPV6_TCLASS), IsOkAndHolds(0xfc));
  EXPECT_THAT(SetV6(socket, IPV6_TCLASS, -1), IsOk());
  EXPECT_THAT(V6(socket, IPV6_TCLASS), IsOkAndHolds(0));
}

void TclassIsNotTos(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetV6(socket, IPV6_TCLASS, 0x10), IsOk());
  EXPECT_THAT(socket.Option(IPPROTO_IP, IP_TOS), IsOkAndHolds(0));
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PRIORITY), IsOkAndHolds(0));
}

void Mtu(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(V6(socket, IPV6_MTU), IsErrno(ENOTCONN));
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(V6(pair.client, IPV6_MTU), IsOkAndHolds(65536));
}

void MtuTooSmall(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetV6(socket, IPV6_MTU, 1279), IsErrno(EINVAL));
  EXPECT_THAT(SetV6(socket, IPV6_MTU, 1280), IsOk());
  EXPECT_THAT(SetV6(socket, IPV6_MTU, 0), IsOk());
}

void PathMtu(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(
      const ip6_mtuinfo info,
      OptionOf<ip6_mtuinfo>(pair.client, IPPROTO_IPV6, IPV6_PATHMTU));
  EXPECT_EQ(info.ip6m_mtu, 65536);
  EXPECT_THAT(V6(pair.client, IPV6_PATHMTU), IsErrno(EINVAL));
}

void Switches(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int name :
       {IPV6_RECVTCLASS, IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVERR,
        IPV6_DONTFRAG, IPV6_FREEBIND, IPV6_RECVPATHMTU}) {
    ExpectSwitch(socket, IPPROTO_IPV6, name);
  }
}

void NullIsZero(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetV6(socket, IPV6_RECVTCLASS, 1), IsOk());
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_IPV6, IPV6_RECVTCLASS, nullptr, 4),
              IsOk());
  EXPECT_THAT(V6(socket, IPV6_RECVTCLASS), IsOkAndHolds(0));
}

void TooShort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const int on = 1;
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, 3),
              IsErrno(EINVAL));
  EXPECT_THAT(SetV6(socket, IPV6_DONTFRAG, 1), IsOk());
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_IPV6, IPV6_DONTFRAG, &on, 3), IsOk());
  EXPECT_THAT(V6(socket, IPV6_DONTFRAG), IsOkAndHolds(0));
}

void NegativeRoom(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  int value = -1;
  socklen_t size = static_cast<socklen_t>(-1);
  EXPECT_THAT(
      c.sys().GetSockOpt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &value, &size),
      IsOk());
  EXPECT_EQ(size, sizeof(value));
  EXPECT_EQ(value, 0);
}

void SharedWithIp(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetV6(socket, IPV6_FREEBIND, 1), IsOk());
  EXPECT_THAT(socket.Option(IPPROTO_IP, IP_FREEBIND), IsOkAndHolds(1));
  EXPECT_THAT(socket.SetOption(IPPROTO_IP, IP_FREEBIND, 0), IsOk());
  EXPECT_THAT(V6(socket, IPV6_FREEBIND), IsOkAndHolds(0));
}

void AddrForm(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(V6(socket, IPV6_ADDRFORM), IsErrno(ENOTCONN));
  EXPECT_THAT(SetV6(socket, IPV6_ADDRFORM, AF_INET6), IsErrno(EINVAL));
  EXPECT_THAT(SetV6(socket, IPV6_ADDRFORM, AF_INET), IsErrno(ENOTCONN));
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(V6(pair.client, IPV6_ADDRFORM), IsOkAndHolds(AF_INET6));
  EXPECT_THAT(SetV6(pair.client, IPV6_ADDRFORM, AF_INET),
              IsErrno(EADDRNOTAVAIL));
}

void AddrPreferences(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(V6(socket, IPV6_ADDR_PREFERENCES), IsOkAndHolds(0x500));
  EXPECT_THAT(SetV6(socket, IPV6_ADDR_PREFERENCES, 1), IsOk());
  EXPECT_THAT(V6(socket, IPV6_ADDR_PREFERENCES), IsOkAndHolds(0x401));
  EXPECT_THAT(SetV6(socket, IPV6_ADDR_PREFERENCES, 4), IsOk());
  EXPECT_THAT(V6(socket, IPV6_ADDR_PREFERENCES), IsOkAndHolds(0x104));
  EXPECT_THAT(SetV6(socket, IPV6_ADDR_PREFERENCES, 3), IsErrno(EINVAL));
}

void UnicastInterface(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetV6(socket, kIpv6UnicastIf, static_cast<int>(htonl(1))),
              IsOk());
  EXPECT_THAT(SetV6(socket, kIpv6UnicastIf, static_cast<int>(htonl(99))),
              IsErrno(EADDRNOTAVAIL));
}

void NoGroups(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const ipv6_mreq group = {};
  EXPECT_THAT(SetOptionTo(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, group),
              IsErrno(EPROTO));
  EXPECT_THAT(SetV6(socket, IPV6_MULTICAST_HOPS, 1), IsErrno(ENOPROTOOPT));
}

}  // namespace

const std::vector<Case>& OptionsIpv6KernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.options.ipv6.on_ipv4",
       .requirement = "On an IPv4 socket, setting an IPv6 option must fail "
                      "with ENOPROTOOPT, and reading it with EOPNOTSUPP.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &OnIpv4},
      {.id = "kernel.options.ipv6.v6only.default",
       .requirement = "IPV6_V6ONLY of a new socket must be the value that "
                      "net.ipv6.bindv6only has at that moment.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &V6OnlyFollowsSysctl},
      {.id = "kernel.options.ipv6.v6only.after_binding",
       .requirement = "IPV6_V6ONLY must read back 1 after bind(2) to an IPv6 "
                      "address other than the wildcard.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &V6OnlyAfterBinding},
      {.id = "kernel.options.ipv6.v6only.of_connections",
       .requirement = "IPV6_V6ONLY must be inherited by accepted sockets, and "
                      "not be set by connect(2).",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &V6OnlyOfConnections},
      {.id = "kernel.options.ipv6.unicast_hops",
       .requirement =
           "IPV6_UNICAST_HOPS must accept 0 to 255, and -1 for the default.",
       .source = "ipv6(7), IPV6_UNICAST_HOPS",
       .families = AddressFamilies::kV6,
       .run = &UnicastHops},
      {.id = "kernel.options.ipv6.tclass",
       .requirement =
           "IPV6_TCLASS must accept 0 to 255, and ignore the two ECN bits.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &Tclass},
      {.id = "kernel.options.ipv6.tclass.is_not_tos",
       .requirement = "IPV6_TCLASS must set neither IP_TOS nor SO_PRIORITY.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &TclassIsNotTos},
      {.id = "kernel.options.ipv6.mtu",
       .requirement =
           "Reading IPV6_MTU must fail with ENOTCONN without a connection, and "
           "return the loopback interface's MTU on a loopback connection.",
       .source = "ipv6(7), IPV6_MTU",
       .families = AddressFamilies::kV6,
       .run = &Mtu},
      {.id = "kernel.options.ipv6.mtu.too_small",
       .requirement = "IPV6_MTU must accept 0 and values from 1280.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &MtuTooSmall},
      {.id = "kernel.options.ipv6.pathmtu",
       .requirement = "IPV6_PATHMTU must return the MTU, and fail with EINVAL "
                      "if the struct does not fit.",
       .source = "RFC 3542, section 11.4",
       .families = AddressFamilies::kV6,
       .run = &PathMtu},
      {.id = "kernel.options.ipv6.switches",
       .requirement =
           "The on-off options of IPPROTO_IPV6 must be off by default.",
       .source = "ipv6(7)",
       .families = AddressFamilies::kV6,
       .run = &Switches},
      {.id = "kernel.options.ipv6.null_is_zero",
       .requirement =
           "Setting an IPv6 option from a null pointer must set it to 0.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &NullIsZero},
      {.id = "kernel.options.ipv6.too_short",
       .requirement = "Setting an IPv6 option by fewer bytes than an int has "
                      "must fail with EINVAL, but must set IPV6_DONTFRAG to 0.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &TooShort},
      {.id = "kernel.options.ipv6.negative_room",
       .requirement = "getsockopt(2) of IPPROTO_IPV6 must treat a negative "
                      "length as large enough.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &NegativeRoom},
      {.id = "kernel.options.ipv6.shared_with_ip",
       .requirement = "IPV6_FREEBIND and IP_FREEBIND must be the same option.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &SharedWithIp},
      {.id = "kernel.options.ipv6.addrform",
       .requirement = "IPV6_ADDRFORM must not convert an IPv6 socket to IPv4 "
                      "unless its connection is v4-mapped.",
       .source = "ipv6(7), IPV6_ADDRFORM",
       .families = AddressFamilies::kV6,
       .run = &AddrForm},
      {.id = "kernel.options.ipv6.addr_preferences",
       .requirement = "IPV6_ADDR_PREFERENCES must hold two choices, and set "
                      "each choice that is not given to its default.",
       .source = "RFC 5014",
       .families = AddressFamilies::kV6,
       .run = &AddrPreferences},
      {.id = "kernel.options.ipv6.unicast_if",
       .requirement = "Setting IPV6_UNICAST_IF must fail with EADDRNOTAVAIL "
                      "for an interface that does not exist.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &UnicastInterface},
      {.id = "kernel.options.ipv6.no_groups",
       .requirement = "Joining a multicast group must fail with EPROTO on a "
                      "stream socket.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &NoGroups},
  };
  return cases;
}

}  // namespace net::conformance
