// bind(2) of one socket: the valid addresses, and the address afterwards.

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Bind;
using loopback::ConnectTo;
using loopback::RawSocket;

// Below 1024, the usual net.ipv4.ip_unprivileged_port_start.
constexpr uint16_t kPrivilegedPort = 80;

// Binds a new socket to `addr` and port 0. Expects that this fails with
// `error`, or, if `error` is 0, succeeds and that getsockname(2) returns
// `addr`.
void ExpectBind(Context& c, const ip::Addr& addr, int error = 0) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  if (error != 0) {
    EXPECT_THAT(Bind(socket, {addr, 0}), IsErrno(error));
    return;
  }
  ASSERT_THAT(Bind(socket, {addr, 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, socket.LocalEndpoint());
  EXPECT_EQ(local.addr, addr);
  EXPECT_NE(local.port, 0);
}

// ---- Addresses and ports ----------------------------------------------------

void NamedPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Loopback(), kPort}), IsOk());
  EXPECT_THAT(socket.LocalEndpoint(),
              IsOkAndHolds(ip::Endpoint{c.Loopback(), kPort}));
}

void UnboundHasNoName(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(socket.LocalEndpoint(), IsOkAndHolds(ip::Endpoint{c.Any(), 0}));
}

// Returns fe80::1 with a scope id; 0: none.
ip::Addr LinkLocal(uint32_t scope) {
  return ip::Addr::V6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
                      scope);
}

void MappedNeedsTwoFamilies(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(socket.SetOption(IPPROTO_IPV6, IPV6_V6ONLY, 1), IsOk());
  EXPECT_THAT(Bind(socket, {ip::kLocalV4.Mapped(), 0}), IsErrno(EINVAL));
}

void V6OnlyIsFixed(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  EXPECT_THAT(socket.SetOption(IPPROTO_IPV6, IPV6_V6ONLY, 1), IsErrno(EINVAL));
}

// Calls bind(2) with a sockaddr_in whose family is AF_UNSPEC.
SysResult BindUnspecified(const RawSocket& socket, const ip::Addr& addr) {
  const ip::SockAddr address(ip::Endpoint{addr, 0});
  sockaddr_in in = {};
  std::memcpy(&in, address.get(), sizeof(in));
  in.sin_family = AF_UNSPEC;
  sockaddr any = {};
  std::memcpy(&any, &in, sizeof(any));
  return socket.syscalls().Bind(socket.fd(), &any, sizeof(any));
}

void UnspecifiedFamilyWildcard(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(BindUnspecified(socket, ip::kAnyV4), IsOk());
}

void UnspecifiedFamilyAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(BindUnspecified(socket, ip::kLocalV4), IsErrno(EAFNOSUPPORT));
}

void BoundDoesNotListen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, socket.LocalEndpoint());
  EXPECT_THAT(ConnectTo(c.sys(), local), IsErrno(ECONNREFUSED));
}

// ---- A second bind(2) -------------------------------------------------------

void Twice(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, socket.LocalEndpoint());
  EXPECT_THAT(Bind(socket, {c.Loopback(), 0}), IsErrno(EINVAL));
  EXPECT_THAT(socket.LocalEndpoint(), IsOkAndHolds(local));
}

void AfterListen(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Listen(socket), IsOk());
  EXPECT_THAT(Bind(socket, {c.Loopback(), 0}), IsErrno(EINVAL));
}

void AfterConnect(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::Pair pair,
                       loopback::ConnectedPair(c.sys(), c.family()));
  EXPECT_THAT(Bind(pair.client, {c.Loopback(), 0}), IsErrno(EINVAL));
  EXPECT_THAT(Bind(pair.server, {c.Loopback(), 0}), IsErrno(EINVAL));
}

void AfterFailure(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Foreign(), 0}), IsErrno(EADDRNOTAVAIL));
  EXPECT_THAT(socket.LocalEndpoint(), IsOkAndHolds(ip::Endpoint{c.Any(), 0}));
  EXPECT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
}

void AfterPortInUse(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket holder, NewTcp(c));
  ASSERT_THAT(Bind(holder, {c.Loopback(), 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint held, holder.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, held), IsErrno(EADDRINUSE));
  EXPECT_THAT(socket.LocalEndpoint(), IsOkAndHolds(ip::Endpoint{c.Any(), 0}));
  EXPECT_THAT(Bind(socket, {c.Any(), 0}), IsOk());
}

// ---- Privileged ports -------------------------------------------------------

void Privileged(Context& c) {
  c.env().DropPrivilegedPorts();
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Bind(socket, {c.Loopback(), kPrivilegedPort}), IsErrno(EACCES));
}

void PrivilegedStart(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_unprivileged_port_start", "80");
  c.env().DropPrivilegedPorts();
  ASSERT_OK_AND_ASSIGN(const RawSocket first, NewTcp(c));
  EXPECT_THAT(Bind(first, {c.Loopback(), 80}), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket below, NewTcp(c));
  EXPECT_THAT(Bind(below, {c.Loopback(), 79}), IsErrno(EACCES));
}

void PrivilegedAndHeld(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket holder, NewTcp(c));
  ASSERT_THAT(Bind(holder, {c.Loopback(), kPrivilegedPort}), IsOk());
  c.env().DropPrivilegedPorts();
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  EXPECT_THAT(Bind(socket, {c.Loopback(), kPrivilegedPort}), IsErrno(EACCES));
}

void ForeignAndPrivileged(Context& c) {
  c.env().DropPrivilegedPorts();
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const int seen = net::ErrnoOf(Bind(socket, {c.Foreign(), kPrivilegedPort}));
  // IPv4 checks the address first, IPv6 the port.
  EXPECT_EQ(seen, c.v6() ? EACCES : EADDRNOTAVAIL);
}

void TwiceAndForeign(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {c.Loopback(), 0}), IsOk());
  EXPECT_THAT(Bind(socket, {c.Foreign(), 0}),
              IsErrno(c.v6() ? EINVAL : EADDRNOTAVAIL));
}

// The refused connect(2) has set the local address.
void FailedForgetsTheAddress(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::RefusedPort refused,
                       loopback::RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const loopback::Listener listener, NewListener(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(Connect(socket, refused.endpoint()), IsErrno(EINPROGRESS));
  ASSERT_OK_AND_ASSIGN(ip::Endpoint local, socket.LocalEndpoint());
  ASSERT_EQ(local.addr, c.Loopback());
  ASSERT_THAT(Bind(socket, listener.endpoint()), IsErrno(EADDRINUSE));
  ASSERT_OK_AND_ASSIGN(local, socket.LocalEndpoint());
  EXPECT_EQ(local.addr, c.Any());
}

void AnyFromBroadcast(Context& c) {
  const ip::Addr broadcast = ip::Addr::V4(127, 255, 255, 255);
  ASSERT_OK_AND_ASSIGN(const RawSocket refused, NewTcp(c, SOCK_NONBLOCK));
  ASSERT_THAT(Bind(refused, {broadcast, 0}), IsOk());
  EXPECT_THAT(Connect(refused, {ip::kAnyV4, 1}), IsErrno(EINPROGRESS));
  EXPECT_THAT(refused.PendingError(), IsOkAndHolds(ECONNREFUSED));
  // Connects to its own port.
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  ASSERT_THAT(Bind(socket, {broadcast, 0}), IsOk());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint bound, socket.LocalEndpoint());
  ASSERT_THAT(Connect(socket, {ip::kAnyV4, bound.port}), IsOk());
  const ip::Endpoint name = {ip::kLocalV4, bound.port};
  EXPECT_THAT(socket.LocalEndpoint(), IsOkAndHolds(name));
  EXPECT_THAT(socket.PeerEndpoint(), IsOkAndHolds(name));
}

}  // namespace

const std::vector<Case>& BindKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.bind.port_zero",
       .requirement = "bind(2) to port 0 must pick a port, which "
                      "getsockname(2) must return.",
       .source = "ip(7), Address format; getsockname(2)",
       .run = [](Context& c) { ExpectBind(c, c.Loopback()); }},
      {.id = "kernel.bind.wildcard",
       .requirement = "getsockname(2) of a socket bound to the wildcard "
                      "address must return the wildcard address.",
       .source = "ip(7), INADDR_ANY; getsockname(2)",
       .run = [](Context& c) { ExpectBind(c, c.Any()); }},
      {.id = "kernel.bind.named_port",
       .requirement = "bind(2) to a given port must bind that port.",
       .source = "bind(2), DESCRIPTION",
       .needs = Need::kOwnNetwork,
       .run = &NamedPort},
      {.id = "kernel.bind.unbound_name",
       .requirement = "getsockname(2) of a socket that is not bound must "
                      "return the wildcard address and port 0.",
       .source = "measured on Linux 6.18",
       .run = &UnboundHasNoName},
      {.id = "kernel.bind.address.loopback_network",
       .requirement = "bind(2) must succeed on every address in 127.0.0.0/8.",
       .source = "ip(7), INADDR_LOOPBACK; RFC 1122, section 3.2.1.3",
       .families = AddressFamilies::kV4,
       .run = [](Context& c) { ExpectBind(c, ip::Addr::V4(127, 9, 8, 7)); }},
      {.id = "kernel.bind.address.foreign",
       .requirement = "bind(2) must fail with EADDRNOTAVAIL on an address that "
                      "is not local.",
       .source = "bind(2), EADDRNOTAVAIL",
       .needs = Need::kOwnNetwork,
       .run = [](Context& c) { ExpectBind(c, c.Foreign(), EADDRNOTAVAIL); }},
      {.id = "kernel.bind.address.multicast_v4",
       .requirement = "bind(2) must succeed on an IPv4 multicast address.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = [](Context& c) { ExpectBind(c, ip::Addr::V4(224, 0, 0, 1)); }},
      {.id = "kernel.bind.address.multicast_v6",
       .requirement = "bind(2) of a TCP socket must fail with EINVAL on an "
                      "IPv6 multicast address.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run =
           [](Context& c) {
             ExpectBind(c,
                        ip::Addr::V6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                      0, 0, 0, 1}),
                        EINVAL);
           }},
      {.id = "kernel.bind.address.broadcast",
       .requirement = "bind(2) must succeed on the limited broadcast address.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run =
           [](Context& c) { ExpectBind(c, ip::Addr::V4(255, 255, 255, 255)); }},
      {.id = "kernel.bind.address.network_broadcast",
       .requirement = "bind(2) must succeed on the broadcast address of the "
                      "loopback network.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run =
           [](Context& c) { ExpectBind(c, ip::Addr::V4(127, 255, 255, 255)); }},
      {.id = "kernel.bind.address.link_local_without_scope",
       .requirement = "bind(2) must fail with EINVAL on a link-local address "
                      "without a scope id.",
       .source = "ipv6(7), sin6_scope_id; RFC 4007, section 6",
       .families = AddressFamilies::kV6,
       .run = [](Context& c) { ExpectBind(c, LinkLocal(0), EINVAL); }},
      {.id = "kernel.bind.address.link_local_elsewhere",
       .requirement = "bind(2) must fail with EADDRNOTAVAIL on a link-local "
                      "address that the interface does not have.",
       .source = "bind(2), EADDRNOTAVAIL",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = [](Context& c) { ExpectBind(c, LinkLocal(1), EADDRNOTAVAIL); }},
      {.id = "kernel.bind.address.link_local_no_interface",
       .requirement = "bind(2) must fail with ENODEV on a link-local address "
                      "whose scope id is not an interface.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = [](Context& c) { ExpectBind(c, LinkLocal(4711), ENODEV); }},
      {.id = "kernel.bind.address.mapped",
       .requirement = "bind(2) of an IPv6 socket must succeed on a v4-mapped "
                      "address, which getsockname(2) must return unchanged.",
       .source = "ipv6(7), DESCRIPTION; RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .run = [](Context& c) { ExpectBind(c, ip::kLocalV4.Mapped()); }},
      {.id = "kernel.bind.address.mapped_wildcard",
       .requirement = "bind(2) of an IPv6 socket must succeed on the v4-mapped "
                      "wildcard address.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = [](Context& c) { ExpectBind(c, ip::kAnyV4.Mapped()); }},
      {.id = "kernel.bind.address.mapped_foreign",
       .requirement = "bind(2) must fail with EADDRNOTAVAIL on a v4-mapped "
                      "address that is not local.",
       .source = "bind(2), EADDRNOTAVAIL",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run =
           [](Context& c) {
             ExpectBind(c, ip::Addr::V4(192, 0, 2, 1).Mapped(), EADDRNOTAVAIL);
           }},
      {.id = "kernel.bind.address.mapped_v6only",
       .requirement = "bind(2) must fail with EINVAL on a v4-mapped address if "
                      "IPV6_V6ONLY is set.",
       .source = "ipv6(7), IPV6_V6ONLY",
       .families = AddressFamilies::kV6,
       .run = &MappedNeedsTwoFamilies},
      {.id = "kernel.bind.v6only_is_fixed",
       .requirement = "Setting IPV6_V6ONLY must fail with EINVAL once the "
                      "socket is bound.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &V6OnlyIsFixed},
      {.id = "kernel.bind.unspecified_family.wildcard",
       .requirement = "bind(2) must treat AF_UNSPEC as AF_INET if the address "
                      "is the IPv4 wildcard.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &UnspecifiedFamilyWildcard},
      {.id = "kernel.bind.unspecified_family.address",
       .requirement = "bind(2) of AF_UNSPEC must fail with EAFNOSUPPORT if the "
                      "address is not the IPv4 wildcard.",
       .source = "measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &UnspecifiedFamilyAddress},
      {.id = "kernel.bind.does_not_listen",
       .requirement = "connect(2) to a port that is bound but not listening "
                      "must fail with ECONNREFUSED.",
       .source = "connect(2), ECONNREFUSED; RFC 9293, section 3.10.7.1",
       .run = &BoundDoesNotListen},
      {.id = "kernel.bind.twice",
       .requirement = "A second bind(2) must fail with EINVAL, and leave the "
                      "socket's address unchanged.",
       .source = "bind(2), EINVAL",
       .run = &Twice},
      {.id = "kernel.bind.after_listen",
       .requirement = "bind(2) must fail with EINVAL on a socket that "
                      "listen(2) has bound.",
       .source = "bind(2), EINVAL",
       .run = &AfterListen},
      {.id = "kernel.bind.after_connect",
       .requirement = "bind(2) must fail with EINVAL on a connected socket.",
       .source = "bind(2), EINVAL",
       .run = &AfterConnect},
      {.id = "kernel.bind.after_failure",
       .requirement = "A bind(2) that fails with EADDRNOTAVAIL must leave the "
                      "socket unbound.",
       .source = "bind(2), RETURN VALUE",
       .needs = Need::kOwnNetwork,
       .run = &AfterFailure},
      {.id = "kernel.bind.after_port_in_use",
       .requirement = "A bind(2) that fails with EADDRINUSE must leave the "
                      "socket unbound.",
       .source = "bind(2), RETURN VALUE",
       .run = &AfterPortInUse},
      {.id = "kernel.bind.privileged.denied",
       .requirement = "bind(2) to a port below ip_unprivileged_port_start must "
                      "fail with EACCES without CAP_NET_BIND_SERVICE.",
       .source = "bind(2), EACCES; ip(7), ip_unprivileged_port_start",
       .needs = Need::kOwnNetwork,
       .run = &Privileged},
      {.id = "kernel.bind.privileged.start",
       .requirement = "ip_unprivileged_port_start must be the first port that "
                      "needs no privilege.",
       .source = "ip(7), ip_unprivileged_port_start",
       .needs = Need::kOwnNetwork,
       .run = &PrivilegedStart},
      {.id = "kernel.bind.privileged.before_in_use",
       .requirement = "bind(2) to a privileged port must fail with EACCES, "
                      "even if the port is in use.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &PrivilegedAndHeld},
      {.id = "kernel.bind.privileged.and_foreign",
       .requirement =
           "bind(2) to a privileged port of an address that is not local must "
           "fail with EADDRNOTAVAIL over IPv4, and with EACCES over IPv6.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &ForeignAndPrivileged},
      {.id = "kernel.bind.failed_forgets_the_address",
       .requirement =
           "A bind(2) that fails with EADDRINUSE must clear the local address, "
           "including one that is left from a refused connect(2).",
       .source = "found by fuzzing; measured on Linux 6.18",
       .run = &FailedForgetsTheAddress},
      {.id = "kernel.bind.any_from_broadcast",
       .requirement =
           "connect(2) to the wildcard address must connect 127.0.0.1 to "
           "127.0.0.1, even if the socket is bound to a broadcast address.",
       .source = "found by fuzzing; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &AnyFromBroadcast},
      {.id = "kernel.bind.twice_and_foreign",
       .requirement =
           "A second bind(2) to an address that is not local must fail with "
           "EADDRNOTAVAIL over IPv4, and with EINVAL over IPv6.",
       .source = "measured on Linux 6.18",
       .needs = Need::kOwnNetwork,
       .run = &TwiceAndForeign},
  };
  return cases;
}

}  // namespace net::conformance
