// The errors of Connect, and that a failing Connect leaves nothing behind.

#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <vector>

#include "conformance/cases/connected.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

using loopback::FullQueue;
using loopback::ListenAnywhere;
using loopback::Listener;
using loopback::ListenOn;
using loopback::RawSocket;
using loopback::RefusedPort;
using testing::AnyOf;
using testing::Eq;
using testing::Value;

// Leaves the system a single ephemeral port.
void AllowOnePort(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "40000 40000");
}

void NothingListens(Context& c) {
  EXPECT_THAT(c.Connect({c.Loopback(), kPort}), Fails(ECONNREFUSED));
}

void BoundNotListening(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  EXPECT_THAT(c.Connect(refused.endpoint()), Fails(ECONNREFUSED));
}

void ListenerGone(Context& c) {
  const ip::Endpoint remote{c.Loopback(), kPort};
  {
    ASSERT_OK_AND_ASSIGN(const Listener listener, ListenOn(c.sys(), remote));
    ASSERT_THAT(c.Connect(remote), IsOk());
  }
  EXPECT_THAT(c.Connect(remote), Fails(ECONNREFUSED));
}

void PortZero(Context& c) {
  const Result<Sock> client = c.Connect({c.Loopback(), 0});
  if (Value(client, AnyOf(Fails(EADDRNOTAVAIL), Fails(EINVAL)))) {
    c.Variation("port_zero_is_no_address");
    return;
  }
  EXPECT_THAT(client, Fails(ECONNREFUSED));
}

void ClosesItsDescriptor(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort refused,
                       RefusedPort::Reserve(c.sys(), c.family()));
  const auto before = c.env().OpenDescriptors();
  for (const ConnectOptions& options :
       {ConnectOptions{}, ConnectOptions{.keepalive = true},
        ConnectOptions{.no_cloexec = true}}) {
    ASSERT_THAT(c.Connect(refused.endpoint(), options), Fails(ECONNREFUSED));
    EXPECT_EQ(c.env().OpenDescriptors(), before);
  }
}

void FreesItsPort(Context& c) {
  AllowOnePort(c);
  ASSERT_THAT(c.Connect({c.Loopback(), kPort}), Fails(ECONNREFUSED));
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {c.Loopback(), kPort}));
  EXPECT_THAT(c.Connect(listener.endpoint()), IsOk());
}

void UnknownFlag(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  for (const uint32_t flag : UnknownFlags()) {
    EXPECT_THAT(c.ConnectWithList(listener.endpoint(), {.unknown_flag = flag}),
                Fails(EINVAL))
        << "with the unknown flag " << flag;
  }
  EXPECT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(Eq(0)));
}

void TooManyFiles(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.Connect(listener.endpoint()), Fails(EMFILE));
  EXPECT_THAT(listener.socket().Ready(POLLIN), IsOkAndHolds(Eq(0)));
}

void TooManyFilesRecovers(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  c.env().LimitDescriptors(0);
  ASSERT_THAT(c.Connect(listener.endpoint()), Fails(EMFILE));
  c.env().LimitDescriptors(std::nullopt);
  EXPECT_THAT(c.Connect(listener.endpoint()), IsOk());
}

void OneDescriptorSuffices(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  c.env().LimitDescriptors(1);
  EXPECT_THAT(c.Connect(listener.endpoint()), IsOk());
  // A refused Connect frees its descriptor.
  ASSERT_THAT(c.Connect({c.Loopback(), kPort}), Fails(ECONNREFUSED));
  EXPECT_THAT(c.Connect(listener.endpoint()), IsOk());
}

void NoRoute(Context& c) {
  EXPECT_THAT(c.Connect({c.Foreign(), kPort}), Fails(ENETUNREACH));
}

void UnreachableRoute(Context& c) {
  c.env().AddFailingRoute(c.Foreign(), EHOSTUNREACH);
  EXPECT_THAT(c.Connect({c.Foreign(), kPort}), Fails(EHOSTUNREACH));
}

void ProhibitRoute(Context& c) {
  c.env().AddFailingRoute(c.Foreign(), EACCES);
  EXPECT_THAT(c.Connect({c.Foreign(), kPort}), Fails(EACCES));
}

void BlackholeRoute(Context& c) {
  c.env().AddFailingRoute(c.Foreign(), EINVAL);
  EXPECT_THAT(c.Connect({c.Foreign(), kPort}), Fails(EINVAL));
}

// Non-blocking, because over IPv4 Linux retransmits the SYN and gets no reply.
void LoopbackDown(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenAnywhere(c.sys(), c.family()));
  c.env().SetLoopbackUp(false);
  const Result<Sock> client =
      c.Connect(listener.endpoint(), {.nonblock = true});
  if (Value(client, Fails(ENETUNREACH))) {
    c.Variation("network_unreachable");
  } else if (c.v6()) {
    EXPECT_THAT(client, Fails(EADDRNOTAVAIL));
  } else {
    ASSERT_THAT(client, IsOk());
    ASSERT_OK_AND_ASSIGN(const Witness witness, client->Inspect());
    ASSERT_OK_AND_ASSIGN(const Witness::TcpInfo info, witness.Info());
    EXPECT_EQ(info.state, TCP_SYN_SENT);
  }
}

void Multicast(Context& c) {
  const ip::Addr group =
      c.v6()
          ? ip::Addr::V6({0xff, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1})
          : ip::Addr::V4(224, 0, 1, 1);
  EXPECT_THAT(c.Connect({group, kPort}), Fails(ENETUNREACH));
}

void Broadcast(Context& c) {
  EXPECT_THAT(c.Connect({ip::Addr::V4(127, 255, 255, 255), kPort}),
              Fails(ENETUNREACH));
}

void LinkLocalWithoutScope(Context& c) {
  const ip::Addr link_local = ip::Addr::V6(
      {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, /*scope=*/0);
  EXPECT_THAT(c.Connect({link_local, kPort}), Fails(EINVAL));
}

void PortsUsedUp(Context& c) {
  AllowOnePort(c);
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {c.Loopback(), kPort}));
  ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(listener.endpoint()));
  EXPECT_THAT(c.Connect(listener.endpoint()), Fails(EADDRNOTAVAIL));
}

void PortsUsedUpRecovers(Context& c) {
  AllowOnePort(c);
  ASSERT_OK_AND_ASSIGN(const Listener listener,
                       ListenOn(c.sys(), {c.Loopback(), kPort}));
  {
    ASSERT_OK_AND_ASSIGN(const Sock client, c.Connect(listener.endpoint()));
    ASSERT_THAT(c.Connect(listener.endpoint()), Fails(EADDRNOTAVAIL));
    // A reset leaves no connection in TIME-WAIT.
    ASSERT_OK_AND_ASSIGN(RawSocket server, listener.Accept());
    ASSERT_THAT(server.Reset(), IsOk());
  }
  EXPECT_THAT(c.Connect(listener.endpoint()), IsOk());
}

void PortsPerDestination(Context& c) {
  AllowOnePort(c);
  ASSERT_OK_AND_ASSIGN(const Listener one,
                       ListenOn(c.sys(), {c.Loopback(), kPort}));
  ASSERT_OK_AND_ASSIGN(const Listener two,
                       ListenOn(c.sys(), {c.Loopback(), kPort + 1}));
  ASSERT_OK_AND_ASSIGN(const Sock first, c.Connect(one.endpoint()));
  ASSERT_OK_AND_ASSIGN(const Sock second, c.Connect(two.endpoint()));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint local, first.LocalEndpoint());
  EXPECT_THAT(second.LocalEndpoint(), IsOkAndHolds(local));
}

// Both at the same time, because each takes 3 s on a kernel with real time.
void TimedOut(Context& c) {
  c.env().SetSysctl("net.ipv4.tcp_syn_retries", "1");
  ASSERT_OK_AND_ASSIGN(const FullQueue queue,
                       FullQueue::Make(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(const Sock nonblocking,
                       c.Connect(queue.endpoint(), {.nonblock = true}));
  EXPECT_THAT(c.Connect(queue.endpoint()), Fails(ETIMEDOUT));
  ASSERT_THAT(WaitFor(c, nonblocking, POLLOUT), IsOk());
  EXPECT_THAT(nonblocking.PendingError(), Fails(ETIMEDOUT));
}

}  // namespace

const std::vector<Case>& ConnectErrorsCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "connect.refused.nothing_listens",
       .requirement = "Connect to an unused port must fail with ECONNREFUSED.",
       .source = "connect(2), ECONNREFUSED; RFC 9293, section 3.5.2",
       .needs = Need::kOwnNetwork,
       .run = &NothingListens},
      {.id = "connect.refused.bound_not_listening",
       .requirement = "Connect to a port that is bound but not listening must "
                      "fail with ECONNREFUSED.",
       .source = "connect(2), ECONNREFUSED; listen(2), DESCRIPTION",
       .run = &BoundNotListening},
      {.id = "connect.refused.listener_gone",
       .requirement = "Connect must fail with ECONNREFUSED as soon as the "
                      "listener is closed.",
       .source = "connect(2), ECONNREFUSED; close(2)",
       .needs = Need::kOwnNetwork,
       .run = &ListenerGone},
      {.id = "connect.refused.port_zero",
       .requirement = "Connect to port 0 should fail with ECONNREFUSED.",
       .source = "Linux; RFC 6335, section 6 (port 0 is reserved)",
       .level = Level::kVariation,
       .run = &PortZero},
      {.id = "connect.failure.closes_its_descriptor",
       .requirement =
           "A Connect that fails must close its descriptor before it returns.",
       .source = "contract: any failure",
       .run = &ClosesItsDescriptor},
      {.id = "connect.failure.frees_its_port",
       .requirement = "A Connect that fails must free its local port.",
       .source = "contract: any failure",
       .needs = Need::kOwnNetwork,
       .run = &FreesItsPort},
      {.id = "connect.flags.unknown",
       .requirement = "Connect with an unknown flag must fail with EINVAL, and "
                      "make no connection.",
       .source = "contract: flags; socket(2), EINVAL",
       .needs = Need::kOptionLists,
       .run = &UnknownFlag},
      {.id = "connect.too_many_files",
       .requirement =
           "Connect must fail with EMFILE when the process has reached its "
           "limit of open descriptors, and make no connection.",
       .source = "socket(2), EMFILE",
       .run = &TooManyFiles},
      {.id = "connect.too_many_files.then_recovered",
       .requirement = "Connect must succeed again once a descriptor is free.",
       .source = "socket(2), EMFILE",
       .run = &TooManyFilesRecovers},
      {.id = "connect.too_many_files.one_suffices",
       .requirement = "Connect should need only one free descriptor, even "
                      "after a Connect that failed.",
       .source = "contract: any success; contract: any failure",
       .level = Level::kShould,
       .needs = Need::kOwnNetwork,
       .run = &OneDescriptorSuffices},
      {.id = "connect.unreachable.no_route",
       .requirement =
           "Connect to an address without a route must fail with ENETUNREACH.",
       .source = "connect(2), ENETUNREACH",
       .needs = Need::kOwnNetwork,
       .run = &NoRoute},
      {.id = "connect.unreachable.route",
       .requirement =
           "Connect over an `unreachable` route must fail with EHOSTUNREACH.",
       .source = "ip(7), EHOSTUNREACH; rtnetlink(7), RTN_UNREACHABLE",
       .needs = Need::kOwnNetwork,
       .run = &UnreachableRoute},
      {.id = "connect.unreachable.prohibited",
       .requirement = "Connect over a `prohibit` route must fail with EACCES.",
       .source = "connect(2), EACCES; rtnetlink(7), RTN_PROHIBIT",
       .needs = Need::kOwnNetwork,
       .run = &ProhibitRoute},
      {.id = "connect.unreachable.blackhole",
       .requirement = "Connect over a `blackhole` route must fail with EINVAL.",
       .source = "Linux; rtnetlink(7), RTN_BLACKHOLE",
       .needs = Need::kOwnNetwork,
       .run = &BlackholeRoute},
      {.id = "connect.unreachable.loopback_down",
       .requirement = "Connect should not succeed while the loopback interface "
                      "is down: over IPv4 nothing replies; over IPv6 the "
                      "address is gone and Connect fails at once.",
       .source = "Linux; connect(2), EADDRNOTAVAIL",
       .level = Level::kVariation,
       .needs = Need::kOwnNetwork,
       .run = &LoopbackDown},
      {.id = "connect.unreachable.multicast",
       .requirement =
           "Connect to a multicast address must fail with ENETUNREACH.",
       .source = "RFC 9293, section 3.9.1.1 (MUST-46); connect(2), ENETUNREACH",
       .needs = Need::kOwnNetwork,
       .run = &Multicast},
      {.id = "connect.unreachable.broadcast",
       .requirement =
           "Connect to a broadcast address must fail with ENETUNREACH.",
       .source = "RFC 9293, section 3.9.1.1 (MUST-46); connect(2), ENETUNREACH",
       .families = AddressFamilies::kV4,
       .needs = Need::kOwnNetwork,
       .run = &Broadcast},
      {.id = "connect.unreachable.link_local_without_scope",
       .requirement = "Connect to a link-local address without a scope id must "
                      "fail with EINVAL, because the link is unknown.",
       .source = "ipv6(7), sin6_scope_id; RFC 4007, section 6",
       .families = AddressFamilies::kV6,
       .run = &LinkLocalWithoutScope},
      {.id = "connect.ports_used_up",
       .requirement =
           "Connect must fail with EADDRNOTAVAIL when every ephemeral port is "
           "used for connections to that endpoint.",
       .source = "connect(2), EADDRNOTAVAIL; ip(7), ip_local_port_range",
       .needs = Need::kOwnNetwork,
       .run = &PortsUsedUp},
      {.id = "connect.ports_used_up.then_recovered",
       .requirement = "Connect must succeed again once a connection has ended "
                      "and its port is free.",
       .source = "connect(2), EADDRNOTAVAIL; ip(7), ip_local_port_range",
       .needs = Need::kOwnNetwork,
       .run = &PortsUsedUpRecovers},
      {.id = "connect.ports_used_up.for_one_endpoint_only",
       .requirement = "Connect should use a local port again that is used for "
                      "a connection to another endpoint.",
       .source = "RFC 9293, section 3.4.1; Linux",
       .level = Level::kShould,
       .needs = Need::kOwnNetwork,
       .run = &PortsPerDestination},
      {.id = "connect.timed_out",
       .requirement = "An attempt that gets no reply must end with ETIMEDOUT: "
                      "a blocking Connect fails with it, a non-blocking one "
                      "has it as its pending error.",
       .source = "connect(2), ETIMEDOUT; RFC 9293, section 3.8.3 (MUST-23)",
       .needs = Need::kOwnNetwork,
       .run = &TimedOut},
  };
  return cases;
}

}  // namespace net::conformance
