// The options that an accepted socket inherits from its listener, and those
// that it does not.

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "conformance/kernel_cases/helpers.h"
#include "conformance/kernel_cases/options_helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

// Expects that an accepted socket has the value of `option` that was set on its
// listener.
void ExpectInherits(Context& c, const IntOption& option) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, AcceptWith(c, {option}));
  EXPECT_THAT(pair.server.Option(option.level, option.name),
              IsOkAndHolds(option.value))
      << option.level << " " << option.name;
}

void ExpectIsNew(Context& c, const IntOption& option, int usual) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, AcceptWith(c, {option}));
  EXPECT_THAT(pair.server.Option(option.level, option.name),
              IsOkAndHolds(usual))
      << option.level << " " << option.name;
}

void OfTheSocket(Context& c) {
  for (const int name :
       {SO_KEEPALIVE, SO_REUSEADDR, SO_REUSEPORT, SO_OOBINLINE, SO_DONTROUTE}) {
    ExpectInherits(c, {SOL_SOCKET, name, 1});
  }
  ExpectInherits(c, {SOL_SOCKET, SO_RCVLOWAT, 1000});
}

void OfTcp(Context& c) {
  for (const IntOption& option :
       {IntOption{IPPROTO_TCP, TCP_NODELAY, 1},
        IntOption{IPPROTO_TCP, TCP_KEEPIDLE, 30},
        IntOption{IPPROTO_TCP, TCP_KEEPINTVL, 31},
        IntOption{IPPROTO_TCP, TCP_KEEPCNT, 32},
        IntOption{IPPROTO_TCP, TCP_SYNCNT, 3},
        IntOption{IPPROTO_TCP, TCP_LINGER2, 33},
        IntOption{IPPROTO_TCP, TCP_USER_TIMEOUT, 34000},
        IntOption{IPPROTO_TCP, TCP_NOTSENT_LOWAT, 35},
        IntOption{IPPROTO_TCP, TCP_INQ, 1}}) {
    ExpectInherits(c, option);
  }
}

void OfIp(Context& c) {
  ExpectInherits(c, {IPPROTO_IP, IP_TTL, 44});
  ExpectInherits(c, {IPPROTO_IP, IP_TOS, 0x10});
  ExpectInherits(c, {IPPROTO_IP, IP_FREEBIND, 1});
  ExpectInherits(c, {IPPROTO_IP, IP_MTU_DISCOVER, 0});
}

void OfIpv6(Context& c) {
  ExpectInherits(c, {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44});
  ExpectInherits(c, {IPPROTO_IPV6, IPV6_TCLASS, 0x10});
  ExpectInherits(c, {IPPROTO_IPV6, IPV6_RECVTCLASS, 1});
}

void Cork(Context& c) { ExpectInherits(c, {IPPROTO_TCP, TCP_CORK, 1}); }

void Priority(Context& c) { ExpectIsNew(c, {SOL_SOCKET, SO_PRIORITY, 5}, 0); }

void PriorityOfTos(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair,
                       AcceptWith(c, {{IPPROTO_IP, IP_TOS, IPTOS_LOWDELAY}}));
  EXPECT_THAT(pair.server.Option(IPPROTO_IP, IP_TOS),
              IsOkAndHolds(IPTOS_LOWDELAY));
  EXPECT_THAT(pair.server.Option(SOL_SOCKET, SO_PRIORITY), IsOkAndHolds(0));
}

void DeferAccept(Context& c) {
  ExpectIsNew(c, {IPPROTO_TCP, TCP_DEFER_ACCEPT, 3}, 0);
}

void FastOpen(Context& c) { ExpectIsNew(c, {IPPROTO_TCP, TCP_FASTOPEN, 5}, 0); }

void MulticastHops(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, AcceptWith(c, {}));
  const int level = c.v6() ? +IPPROTO_IPV6 : +IPPROTO_IP;
  const int name = c.v6() ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL;
  EXPECT_THAT(pair.client.Option(level, name), IsOkAndHolds(1));
  EXPECT_THAT(pair.server.Option(level, name), IsOkAndHolds(64));
}

void MulticastHopsOverIpv4(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       loopback::ListenOn(c.sys(), {ip::kAnyV6, 0}));
  ASSERT_OK_AND_ASSIGN(
      const RawSocket client,
      loopback::ConnectTo(c.sys(), {ip::kLocalV4, listener.endpoint().port}));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(server.Option(IPPROTO_IP, IP_MULTICAST_TTL), IsOkAndHolds(64));
  EXPECT_THAT(server.Option(IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
              IsOkAndHolds(64));
  EXPECT_THAT(server.Option(IPPROTO_IPV6, IPV6_MULTICAST_IF), IsOkAndHolds(1));
}

void LingerToo(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_THAT(
      SetOptionTo(listener.socket(), SOL_SOCKET, SO_LINGER, linger{1, 0}),
      IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       loopback::ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(RawSocket server, listener.Accept());
  ASSERT_THAT(server.Close(), IsOk());
  EXPECT_THAT(RecvOnce(client), IsErrno(ECONNRESET));
}

void WhenConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       loopback::ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_THAT(SetSocketOption(listener.socket(), SO_KEEPALIVE, 1), IsOk());
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  EXPECT_THAT(server.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(0));
}

void ApartAfterwards(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client,
                       loopback::ConnectTo(c.sys(), listener.endpoint()));
  ASSERT_OK_AND_ASSIGN(const RawSocket server, listener.Accept());
  ASSERT_THAT(SetSocketOption(server, SO_KEEPALIVE, 1), IsOk());
  EXPECT_THAT(listener.socket().Option(SOL_SOCKET, SO_KEEPALIVE),
              IsOkAndHolds(0));
  EXPECT_THAT(client.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(0));
}

void SurviveConnecting(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const RawSocket client, NewTcp(c));
  ASSERT_THAT(SetSocketOption(client, SO_KEEPALIVE, 1), IsOk());
  ASSERT_THAT(SetSocketOption(client, SO_PRIORITY, 5), IsOk());
  ASSERT_THAT(client.SetOption(IPPROTO_TCP, TCP_KEEPIDLE, 30), IsOk());
  ASSERT_THAT(Connect(client, listener.endpoint()), IsOk());
  ASSERT_THAT(Disconnect(client), IsOk());
  EXPECT_THAT(client.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(1));
  EXPECT_THAT(client.Option(SOL_SOCKET, SO_PRIORITY), IsOkAndHolds(5));
  EXPECT_THAT(client.Option(IPPROTO_TCP, TCP_KEEPIDLE), IsOkAndHolds(30));
}

void OfTheFileToo(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  const SysResult copied = c.sys().Dup(socket.fd());
  ASSERT_THAT(copied, IsOk());
  const RawSocket copy(copied.fd(), c.sys());
  ASSERT_THAT(SetSocketOption(copy, SO_KEEPALIVE, 1), IsOk());
  EXPECT_THAT(socket.Option(SOL_SOCKET, SO_KEEPALIVE), IsOkAndHolds(1));
}

}  // namespace

const std::vector<Case>& OptionsInheritedKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.options.inherited.socket",
       .requirement = "Accepted sockets must inherit the on-off options of "
                      "SOL_SOCKET, and SO_RCVLOWAT.",
       .source = "accept(2); measured on Linux 6.18",
       .run = &OfTheSocket},
      {.id = "kernel.options.inherited.tcp",
       .requirement =
           "Accepted sockets must inherit the options of IPPROTO_TCP.",
       .source = "accept(2); measured on Linux 6.18",
       .run = &OfTcp},
      {.id = "kernel.options.inherited.ip",
       .requirement =
           "Accepted sockets must inherit the options of IPPROTO_IP.",
       .source = "accept(2); measured on Linux 6.18",
       .run = &OfIp},
      {.id = "kernel.options.inherited.ipv6",
       .requirement =
           "Accepted sockets must inherit the options of IPPROTO_IPV6.",
       .source = "accept(2); measured on Linux 6.18",
       .families = AddressFamilies::kV6,
       .run = &OfIpv6},
      {.id = "kernel.options.inherited.cork",
       .requirement = "Accepted sockets must inherit TCP_CORK.",
       .source = "measured on Linux 6.18",
       .run = &Cork},
      {.id = "kernel.options.inherited.linger",
       .requirement = "Accepted sockets must inherit SO_LINGER: close(2) with "
                      "0 seconds must reset the connection.",
       .source = "measured on Linux 6.18",
       .run = &LingerToo},
      {.id = "kernel.options.inherited.not_priority",
       .requirement = "Accepted sockets must not inherit SO_PRIORITY.",
       .source = "measured on Linux 6.18",
       .run = &Priority},
      {.id = "kernel.options.inherited.not_priority_of_tos",
       .requirement = "Accepted sockets must inherit IP_TOS, but not the "
                      "SO_PRIORITY that it sets.",
       .source = "measured on Linux 6.18",
       .run = &PriorityOfTos},
      {.id = "kernel.options.inherited.not_defer_accept",
       .requirement = "Accepted sockets must not inherit TCP_DEFER_ACCEPT.",
       .source = "measured on Linux 6.18",
       .run = &DeferAccept},
      {.id = "kernel.options.inherited.not_fastopen",
       .requirement = "Accepted sockets must not inherit TCP_FASTOPEN.",
       .source = "measured on Linux 6.18",
       .run = &FastOpen},
      {.id = "kernel.options.inherited.multicast_hops",
       .requirement = "The multicast hop limit of an accepted socket must be "
                      "the hop limit of the peer's packet when it arrived.",
       .source = "measured on Linux 6.18",
       .run = &MulticastHops},
      {.id = "kernel.options.inherited.multicast_hops.mapped",
       .requirement = "An IPv6 socket that is accepted over IPv4 must have the "
                      "peer's TTL as its multicast hop limit, too.",
       .source = "found by fuzzing; Linux, tcp_v6_syn_recv_sock() in "
                 "net/ipv6/tcp_ipv6.c",
       .families = AddressFamilies::kV6,
       .run = &MulticastHopsOverIpv4},
      {.id = "kernel.options.inherited.when_connecting",
       .requirement = "Accepted sockets must not inherit options that were set "
                      "on the listener after the client connected.",
       .source = "measured on Linux 6.18",
       .run = &WhenConnecting},
      {.id = "kernel.options.inherited.apart",
       .requirement = "Options of an accepted socket must be independent of "
                      "the listener's and the client's.",
       .source = "accept(2)",
       .run = &ApartAfterwards},
      {.id = "kernel.options.survive_connecting",
       .requirement =
           "Options must survive connect(2) and its dissolution by AF_UNSPEC.",
       .source = "measured on Linux 6.18",
       .run = &SurviveConnecting},
      {.id = "kernel.options.of_duplicates",
       .requirement = "Duplicate descriptors must share the socket's options.",
       .source = "dup(2)",
       .run = &OfTheFileToo},
  };
  return cases;
}

}  // namespace net::conformance
