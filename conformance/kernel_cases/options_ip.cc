// The options of IPPROTO_IP, which IPv6 sockets also have.

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectedPair;
using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

constexpr int kIpLocalPortRange = 51;

SysResult SetIp(const RawSocket& socket, int name, int value) {
  return socket.SetOption(IPPROTO_IP, name, value);
}
absl::StatusOr<int> Ip(const RawSocket& socket, int name) {
  return socket.Option(IPPROTO_IP, name);
}

void Ttl(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_OK_AND_ASSIGN(const int usual, Ip(socket, IP_TTL));
  ExpectTakes(socket, IPPROTO_IP, IP_TTL, {1, 255}, {0, -2, 256});
  EXPECT_THAT(SetIp(socket, IP_TTL, -1), IsOk());
  EXPECT_THAT(Ip(socket, IP_TTL), IsOkAndHolds(usual));
}

void Tos(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Ip(socket, IP_TOS), IsOkAndHolds(0));
  ExpectTakes(socket, IPPROTO_IP, IP_TOS, {0x10, 0x08, 0xfc, 0}, {});
}

void TosWithoutEcn(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetIp(socket, IP_TOS, 0xff), IsOk());
  EXPECT_THAT(Ip(socket, IP_TOS), IsOkAndHolds(0xfc));
  EXPECT_THAT(SetIp(socket, IP_TOS, 0x103), IsOk());
  EXPECT_THAT(Ip(socket, IP_TOS), IsOkAndHolds(0));
}

void TosSetsPriority(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetIp(socket, IP_TOS, IPTOS_LOWDELAY), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PRIORITY), IsOkAndHolds(6));
  EXPECT_THAT(SetIp(socket, IP_TOS, IPTOS_THROUGHPUT), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PRIORITY), IsOkAndHolds(2));
  EXPECT_THAT(SetIp(socket, IP_TOS, 0), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PRIORITY), IsOkAndHolds(0));
}

void SameTosLeavesPriority(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetSocketOption(socket, SO_PRIORITY, 5), IsOk());
  EXPECT_THAT(SetIp(socket, IP_TOS, 0), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_PRIORITY), IsOkAndHolds(5));
}

void SetByAByte(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const unsigned char bytes[4] = {0x10, 0xff, 0xff, 0xff};
  for (const int size : {1, 2, 3}) {
    EXPECT_THAT(SetIp(socket, IP_TTL, 64), IsOk());
    EXPECT_THAT(SetOptionAt(socket, IPPROTO_IP, IP_TTL, bytes, size), IsOk());
    EXPECT_THAT(Ip(socket, IP_TTL), IsOkAndHolds(0x10));
  }
}

void SetByNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetIp(socket, IP_TOS, 0x10), IsOk());
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_IP, IP_TOS, nullptr, 0), IsOk());
  EXPECT_THAT(Ip(socket, IP_TOS), IsOkAndHolds(0));
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_IP, IP_TTL, nullptr, 0),
              IsErrno(EINVAL));
}

void ToldInAByte(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetIp(socket, IP_TTL, 77), IsOk());
  unsigned char bytes[4] = {0, 0xee, 0xee, 0xee};
  socklen_t size = 3;
  EXPECT_THAT(c.sys().GetSockOpt(socket.fd(), IPPROTO_IP, IP_TTL, bytes, &size),
              IsOk());
  EXPECT_EQ(size, 1);
  EXPECT_EQ(bytes[0], 77);
  EXPECT_EQ(bytes[1], 0xee);
}

void MtuUnconnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Ip(socket, IP_MTU), IsErrno(ENOTCONN));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  EXPECT_THAT(Ip(socket, IP_MTU), IsErrno(ENOTCONN));
  EXPECT_THAT(SetIp(socket, IP_MTU, 1500), IsErrno(ENOPROTOOPT));
}

// 65535 is the maximum of an IPv4 packet, 65536 the MTU of the loopback device.
void MtuConnected(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(Ip(pair.client, IP_MTU), IsOkAndHolds(c.v6() ? 65536 : 65535));
  EXPECT_THAT(Ip(pair.server, IP_MTU), IsOkAndHolds(c.v6() ? 65536 : 65535));
}

void MtuDiscover(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_IP, IP_MTU_DISCOVER, {0, 1, 2, 3, 4, 5}, {-1, 6});
}

void Switches(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  for (const int name : {IP_RECVTTL, IP_RECVTOS, IP_RECVERR, IP_PKTINFO,
                         IP_FREEBIND, IP_BIND_ADDRESS_NO_PORT}) {
    ExpectSwitch(socket, IPPROTO_IP, name);
  }
}

void FreeBind(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Bind(socket, {c.Foreign(), 0}), IsErrno(EADDRNOTAVAIL));
  ASSERT_THAT(SetIp(socket, IP_FREEBIND, 1), IsOk());
  EXPECT_THAT(Bind(socket, {c.Foreign(), 0}), IsOk());
}

// Over IPv4 there is no route from a foreign address. Over IPv6 there is none
// back to it.
void FreeBoundConnects(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(SetIp(socket, IP_FREEBIND, 1), IsOk());
  ASSERT_THAT(Bind(socket, {c.Foreign(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint bound, socket.LocalEndpoint());
  const bool v4 = c.family() == AF_INET;
  EXPECT_THAT(Connect(socket, listener.endpoint()),
              IsErrno(v4 ? ENETUNREACH : EINPROGRESS));
  EXPECT_THAT(socket.TcpState(), IsOkAndHolds(v4 ? TCP_CLOSE : TCP_SYN_SENT));
  EXPECT_THAT(socket.LocalEndpoint(), IsOkAndHolds(bound));
}

void AddressWithoutPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetIp(socket, IP_BIND_ADDRESS_NO_PORT, 1), IsOk());
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint before, socket.LocalEndpoint());
  EXPECT_EQ(before.addr, c.Loopback());
  EXPECT_EQ(before.port, 0);
  ASSERT_THAT(Connect(socket, listener.endpoint()), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint after, socket.LocalEndpoint());
  EXPECT_NE(after.port, 0);
}

void PortRangeReadsBack(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Ip(socket, kIpLocalPortRange), IsOkAndHolds(0));
  ExpectTakes(socket, IPPROTO_IP, kIpLocalPortRange,
              {20001 << 16 | 20000, 20000, 20000 << 16, 0},
              {20000 << 16 | 20001});
  const int64_t wide = 0;
  EXPECT_THAT(SetOptionTo(socket, IPPROTO_IP, kIpLocalPortRange, wide),
              IsErrno(EINVAL));
}

// The socket's range is within the system's range.
void PortRangeIsKept(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "40000 49999");
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(SetIp(socket, kIpLocalPortRange, 40401 << 16 | 40400), IsOk());
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, socket.LocalEndpoint());
  EXPECT_THAT(local.port, ::testing::AnyOf(40400, 40401));
}

void PortRangeOutside(Context& c) {
  // Few ports, so that a bound that counts shows itself.
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "40400 40401");
  struct Range {
    int first;
    int last;
  };
  for (const auto& [first, last] :
       {Range{50000, 50010}, Range{100, 40399}, Range{50000, 0}, Range{0, 100},
        Range{65535, 0}, Range{100, 50000}}) {
    SCOPED_TRACE(absl::StrCat(first, " to ", last));
    ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
    const auto range =
        static_cast<uint32_t>(last) << 16 | static_cast<uint32_t>(first);
    ASSERT_THAT(SetOptionTo(socket, IPPROTO_IP, kIpLocalPortRange, range),
                IsOk());
    ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, socket.LocalEndpoint());
    EXPECT_THAT(local.port, ::testing::AnyOf(40400, 40401));
    ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
    ASSERT_THAT(SetOptionTo(client, IPPROTO_IP, kIpLocalPortRange, range),
                IsOk());
    EXPECT_THAT(Connect(client, {c.Loopback(), kPort}), IsErrno(EINPROGRESS));
    EXPECT_THAT(client.PendingError(), IsOkAndHolds(ECONNREFUSED));
  }
}

void MinTtl(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ExpectTakes(socket, IPPROTO_IP, IP_MINTTL, {1, 255, 0}, {-1, 256});
}

// Set the TTL of packets that are sent, and the least one of packets that are
// received, in the case's address family.
SysResult SetTtl(Context& c, const RawSocket& socket, int ttl) {
  return c.v6() ? socket.SetOption(IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl)
                : SetIp(socket, IP_TTL, ttl);
}
SysResult SetMinTtl(Context& c, const RawSocket& socket, int ttl) {
  constexpr int kIpv6MinHopCount = 73;
  return c.v6() ? socket.SetOption(IPPROTO_IPV6, kIpv6MinHopCount, ttl)
                : SetIp(socket, IP_MINTTL, ttl);
}

void MinTtlOfListener(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_THAT(SetMinTtl(c, listener.socket(), 255), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket far, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(SetTtl(c, far, 254), IsOk());
  EXPECT_THAT(Connect(far, listener.endpoint()), IsErrno(EINPROGRESS));
  EXPECT_THAT(far.TcpState(), IsOkAndHolds(TCP_SYN_SENT));
  ASSERT_OK_AND_ASSIGN(const RawSocket near, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(SetTtl(c, near, 255), IsOk());
  EXPECT_THAT(Connect(near, listener.endpoint()), IsErrno(EINPROGRESS));
  EXPECT_THAT(near.TcpState(), IsOkAndHolds(TCP_ESTABLISHED));
  EXPECT_THAT(listener.Accept(), IsOk());
}

void MinTtlOfClient(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const auto refused,
                       loopback::RefusedPort::Reserve(c.sys(), c.family()));
  for (const ip::Endpoint& remote : {listener.endpoint(), refused.endpoint()}) {
    ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c, SOCK_NONBLOCK));
    ASSERT_THAT(SetMinTtl(c, client, 255), IsOk());
    EXPECT_THAT(Connect(client, remote), IsErrno(EINPROGRESS));
    EXPECT_THAT(client.TcpState(), IsOkAndHolds(TCP_SYN_SENT));
  }
}

void NotForStreams(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(SetIp(socket, IP_HDRINCL, 1), IsErrno(ENOPROTOOPT));
  EXPECT_THAT(SetIp(socket, IP_NODEFRAG, 1), IsErrno(ENOPROTOOPT));
  EXPECT_THAT(SetIp(socket, IP_ROUTER_ALERT, 1), IsErrno(EINVAL));
  EXPECT_THAT(SetIp(socket, IP_MULTICAST_TTL, 1), IsErrno(EINVAL));
  const ip_mreqn group = {};
  EXPECT_THAT(SetOptionTo(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, group),
              IsErrno(EPROTO));
}

void TooManyOptions(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const unsigned char options[44] = {};
  EXPECT_THAT(SetOptionTo(socket, IPPROTO_IP, IP_OPTIONS, options),
              IsErrno(EINVAL));
  EXPECT_THAT(SetOptionAt(socket, IPPROTO_IP, IP_OPTIONS, options, 0), IsOk());
}

}  // namespace

const std::vector<Case>& OptionsIpKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.options.ip.ttl",
       .requirement = "IP_TTL must accept 1 to 255, and -1 for the default.",
       .source = "ip(7), IP_TTL",
       .run = &Ttl},
      {.id = "kernel.options.ip.tos",
       .requirement =
           "IP_TOS must be 0 by default, and read back the value that was set.",
       .source = "ip(7), IP_TOS",
       .run = &Tos},
      {.id = "kernel.options.ip.tos.without_ecn",
       .requirement = "IP_TOS must ignore the two ECN bits and every bit above "
                      "the low byte.",
       .source = "measured on Linux 6.18",
       .run = &TosWithoutEcn},
      {.id = "kernel.options.ip.tos.sets_priority",
       .requirement = "IP_TOS must set SO_PRIORITY.",
       .source = "socket(7), SO_PRIORITY",
       .run = &TosSetsPriority},
      {.id = "kernel.options.ip.tos.same",
       .requirement = "IP_TOS must not change SO_PRIORITY if it is set to the "
                      "value that it has.",
       .source = "measured on Linux 6.18",
       .run = &SameTosLeavesPriority},
      {.id = "kernel.options.ip.set_by_a_byte",
       .requirement = "An option of IPPROTO_IP must be set by the first byte "
                      "if the length is less than an int's.",
       .source = "measured on Linux 6.18",
       .run = &SetByAByte},
      {.id = "kernel.options.ip.set_by_nothing",
       .requirement = "With a length of 0, IP_TOS must be set to 0, and "
                      "setting IP_TTL must fail with EINVAL.",
       .source = "measured on Linux 6.18",
       .run = &SetByNothing},
      {.id = "kernel.options.ip.told_in_a_byte",
       .requirement = "getsockopt(2) of IPPROTO_IP must return a small value "
                      "as one byte if the length is less than an int's.",
       .source = "measured on Linux 6.18",
       .run = &ToldInAByte},
      {.id = "kernel.options.ip.mtu.unconnected",
       .requirement = "Reading IP_MTU must fail with ENOTCONN without a "
                      "connection, and setting it with ENOPROTOOPT.",
       .source = "ip(7), IP_MTU",
       .run = &MtuUnconnected},
      {.id = "kernel.options.ip.mtu.connected",
       .requirement = "IP_MTU of a loopback connection must be the loopback "
                      "interface's MTU, limited to 65535 over IPv4.",
       .source = "ip(7), IP_MTU",
       .run = &MtuConnected},
      {.id = "kernel.options.ip.mtu_discover",
       .requirement = "IP_MTU_DISCOVER must accept 0 to 5.",
       .source = "ip(7), IP_MTU_DISCOVER",
       .run = &MtuDiscover},
      {.id = "kernel.options.ip.switches",
       .requirement =
           "The on-off options of IPPROTO_IP must be off by default.",
       .source = "ip(7)",
       .run = &Switches},
      {.id = "kernel.options.ip.freebind",
       .requirement = "IP_FREEBIND must let bind(2) succeed on an address that "
                      "is not local.",
       .source = "ip(7), IP_FREEBIND",
       .run = &FreeBind},
      {.id = "kernel.options.ip.freebind.connects_to_nobody",
       .requirement =
           "A socket bound to an address that is not local must not be able to "
           "connect: over IPv4 with ENETUNREACH, over IPv6 without a reply.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &FreeBoundConnects},
      {.id = "kernel.options.ip.bind_address_no_port",
       .requirement = "With IP_BIND_ADDRESS_NO_PORT, connect(2) must pick the "
                      "port, not bind(2).",
       .source = "ip(7), IP_BIND_ADDRESS_NO_PORT",
       .run = &AddressWithoutPort},
      {.id = "kernel.options.ip.local_port_range",
       .requirement = "IP_LOCAL_PORT_RANGE must reject a range whose lower end "
                      "is above its upper end, unless one end is 0.",
       .source = "ip(7), IP_LOCAL_PORT_RANGE",
       .run = &PortRangeReadsBack},
      {.id = "kernel.options.ip.local_port_range.kept",
       .requirement = "bind(2) must pick a port in IP_LOCAL_PORT_RANGE.",
       .source = "ip(7), IP_LOCAL_PORT_RANGE",
       .needs = Need::kOwnNetwork,
       .run = &PortRangeIsKept},
      {.id = "kernel.options.ip.local_port_range.outside",
       .requirement = "A bound of IP_LOCAL_PORT_RANGE outside of the sysctl "
                      "net.ipv4.ip_local_port_range must be ignored.",
       .source = "ip(7), IP_LOCAL_PORT_RANGE; measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &PortRangeOutside},
      {.id = "kernel.options.ip.minttl",
       .requirement = "IP_MINTTL must accept 0 to 255.",
       .source = "measured on Linux 6.18",
       .run = &MinTtl},
      {.id = "kernel.options.ip.minttl.of_listener",
       .requirement = "A listener must drop a SYN whose TTL is below its "
                      "IP_MINTTL (IPv6: hop limit, IPV6_MINHOPCOUNT).",
       .source = "ip(7), IP_MINTTL; measured on Linux 6.18",
       .run = &MinTtlOfListener},
      {.id = "kernel.options.ip.minttl.of_client",
       .requirement =
           "A client must drop an answer to its SYN, a SYN-ACK or a RST, whose "
           "TTL is below its IP_MINTTL (IPv6: hop limit, IPV6_MINHOPCOUNT).",
       .source = "ip(7), IP_MINTTL; measured on Linux 6.18",
       .run = &MinTtlOfClient},
      {.id = "kernel.options.ip.not_for_streams",
       .requirement = "Setting an IPPROTO_IP option that is not for stream "
                      "sockets must fail, each option with its own errno.",
       .source = "measured on Linux 6.18",
       .run = &NotForStreams},
      {.id = "kernel.options.ip.too_many_options",
       .requirement = "Setting IP_OPTIONS must fail with EINVAL for more than "
                      "40 bytes, and succeed for 0 bytes.",
       .source = "ip(7), IP_OPTIONS",
       .run = &TooManyOptions},
  };
  return cases;
}

}  // namespace net::conformance
