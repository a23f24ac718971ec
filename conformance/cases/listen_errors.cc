// The errors of Listen, except EADDRINUSE, and the state after a failure and
// after Close.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "conformance/cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/option_lists.h"
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
using loopback::RefusedPort;

// ---- Addresses that are not available ---------------------------------------

void ForeignAddress(Context& c) {
  EXPECT_THAT(c.Listen({c.Foreign(), 0}), Fails(EADDRNOTAVAIL));
}

void ForeignMappedAddress(Context& c) {
  EXPECT_THAT(c.Listen({ip::Addr::V4(192, 0, 2, 1).Mapped(), 0}),
              Fails(EADDRNOTAVAIL));
}

void MappedAddressWithBindv6only(Context& c) {
  c.env().SetSysctl("net.ipv6.bindv6only", "1");
  const Result<Sock> listener = c.Listen({ip::kLocalV4.Mapped(), 0});
  if (listener.ok()) return c.Variation("dual_stack_all_the_same");
  EXPECT_THAT(listener, Fails(EINVAL));
}

void LinkLocalWithoutScope(Context& c) {
  const ip::Addr link_local = *ip::Addr::Parse("fe80::1");
  const Result<Sock> listener = c.Listen({link_local, 0});
  EXPECT_THAT(listener, testing::AnyOf(Fails(EINVAL), Fails(EADDRNOTAVAIL)));
  if (testing::Value(listener, Fails(EADDRNOTAVAIL))) {
    c.Variation("address_not_available");
  }
}

void Multicast(Context& c) {
  const ip::Addr all_hosts =
      c.v6() ? *ip::Addr::Parse("ff02::1") : ip::Addr::V4(224, 0, 0, 1);
  const Result<Sock> listener = c.Listen({all_hosts, 0});
  if (listener.ok()) {
    if (c.v6()) c.Variation("multicast_v6_allowed");
    return;
  }
  EXPECT_THAT(listener, testing::AnyOf(Fails(EINVAL), Fails(EADDRNOTAVAIL)));
  if (!c.v6()) c.Variation("multicast_v4_refused");
  if (c.v6() && testing::Value(listener, Fails(EADDRNOTAVAIL))) {
    c.Variation("address_not_available");
  }
}

void LoopbackDown(Context& c) {
  c.env().SetLoopbackUp(false);
  const Result<Sock> listener = c.Listen();
  if (listener.ok()) {
    if (c.v6()) c.Variation("v6_address_stays");
  } else {
    EXPECT_THAT(listener, Fails(EADDRNOTAVAIL));
    if (!c.v6()) c.Variation("v4_address_goes");
  }
}

void LoopbackDownWildcard(Context& c) {
  c.env().SetLoopbackUp(false);
  EXPECT_THAT(c.Listen({c.Any(), 0}), IsOk());
}

void Ipv6Disabled(Context& c) {
  c.env().SetSysctl("net.ipv6.conf.all.disable_ipv6", "1");
  EXPECT_THAT(c.Listen({ip::kLocalV6, 0}), Fails(EADDRNOTAVAIL));
}

// ---- Privileged ports -------------------------------------------------------

void PrivilegedPort(Context& c) {
  c.env().DropPrivilegedPorts();
  EXPECT_THAT(c.Listen({c.Loopback(), 80}), Fails(EACCES));
}

void PrivilegedPortsEnd(Context& c) {
  c.env().DropPrivilegedPorts();
  EXPECT_THAT(c.Listen({c.Loopback(), 1023}), Fails(EACCES));
  EXPECT_THAT(c.Listen({c.Loopback(), 1024}), IsOk());
}

void PrivilegedPortsSysctl(Context& c) {
  c.env().DropPrivilegedPorts();
  c.env().SetSysctl("net.ipv4.ip_unprivileged_port_start", "80");
  EXPECT_THAT(c.Listen({c.Loopback(), 79}), Fails(EACCES));
  EXPECT_THAT(c.Listen({c.Loopback(), 80}), IsOk());
}

void PrivilegedPortWithCapability(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({c.Loopback(), 80}));
  ExpectTakes(c, listener, {c.Loopback(), 80});
}

void PortZeroNeedsNoPrivilege(Context& c) {
  c.env().DropPrivilegedPorts();
  EXPECT_THAT(c.Listen({c.Loopback(), 0}), IsOk());
}

// ---- Descriptors ------------------------------------------------------------

void TooManyFiles(Context& c) {
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.Listen(), Fails(EMFILE));
}

void TooManyFilesThenFewer(Context& c) {
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.Listen(), Fails(EMFILE));
  c.env().LimitDescriptors(std::nullopt);
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ExpectTakes(c, listener, at);
}

void OneDescriptorIsEnough(Context& c) {
  // An implementation may open descriptors on its first call and keep them.
  { ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen()); }
  c.env().LimitDescriptors(1);
  EXPECT_THAT(c.Listen({.keepalive = true, .reuseaddr = true}), IsOk());
}

// ---- Arguments --------------------------------------------------------------

void UnknownFlag(Context& c) {
  for (const uint32_t flag : UnknownFlags()) {
    EXPECT_THAT(c.ListenWithList({.unknown_flag = flag}), Fails(EINVAL))
        << "with the unknown flag " << flag;
  }
}

void UnknownFlagAmongKnown(Context& c) {
  for (const uint32_t flag : UnknownFlags()) {
    const ListenOptionList list{
        .options = {.nonblock = true, .no_cloexec = true, .keepalive = true},
        .times = 2,
        .unknown_flag = flag};
    EXPECT_THAT(c.ListenWithList(list), Fails(EINVAL))
        << "with the unknown flag " << flag;
  }
}

// The kernel would fail with another errno.
void UnknownFlagComesFirst(Context& c) {
  const ListenOptionList unknown{.unknown_flag = kUnknownFlag};
  EXPECT_THAT(c.ListenWithList({c.Foreign(), 0}, unknown), Fails(EINVAL));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.ListenWithList(unknown), Fails(EINVAL));
}

void NullAssignment(Context& c) {
  EXPECT_THAT(c.ListenWithList({.ports = {nullptr}}), Fails(EINVAL));
}

void NullAmongAssignments(Context& c) {
  uint16_t before = 1;
  uint16_t after = 1;
  EXPECT_THAT(c.ListenWithList({.ports = {&before, nullptr, &after}}),
              Fails(EINVAL));
  EXPECT_EQ(before, 1);
  EXPECT_EQ(after, 1);
}

void NullAssignmentComesFirst(Context& c) {
  const ListenOptionList null{.ports = {nullptr}};
  EXPECT_THAT(c.ListenWithList({c.Foreign(), 0}, null), Fails(EINVAL));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(c.ListenWithList(null), Fails(EINVAL));
}

// ---- After a failure --------------------------------------------------------

// Expects that `listen` fails for three reasons, each at a different system
// call.
void FailInEachWay(
    Context& c,
    absl::FunctionRef<Result<Sock>(const ip::Endpoint& local)> listen) {
  ASSERT_OK_AND_ASSIGN(const RefusedPort held,
                       RefusedPort::Reserve(c.sys(), c.family()));
  EXPECT_THAT(listen(held.endpoint()), Fails(EADDRINUSE));
  EXPECT_THAT(listen({c.Foreign(), 0}), Fails(EADDRNOTAVAIL));
  c.env().LimitDescriptors(0);
  EXPECT_THAT(listen({c.Loopback(), 0}), Fails(EMFILE));
  c.env().LimitDescriptors(std::nullopt);
}

void FailureKeepsNoDescriptor(Context& c) {
  const size_t before = c.env().OpenDescriptors().size();
  for (int i = 0; i < 3; ++i) {
    FailInEachWay(c, [&](const ip::Endpoint& at) { return c.Listen(at); });
  }
  EXPECT_EQ(c.env().OpenDescriptors().size(), before);
}

void FailureAssignsNoPort(Context& c) {
  uint16_t port = 1;
  uint16_t other = 2;
  FailInEachWay(c, [&](const ip::Endpoint& at) {
    return c.ListenWithList(at, {.ports = {&port, &other}});
  });
  EXPECT_EQ(port, 1);
  EXPECT_EQ(other, 2);
}

void UnknownFlagAssignsNoPort(Context& c) {
  uint16_t port = 1;
  EXPECT_THAT(
      c.ListenWithList({.ports = {&port}, .unknown_flag = kUnknownFlag}),
      Fails(EINVAL));
  EXPECT_EQ(port, 1);
}

void FailureLeavesPortFree(Context& c) {
  const ip::Endpoint at{c.Loopback(), kPort};
  EXPECT_THAT(c.ListenWithList(at, {.ports = {nullptr}}), Fails(EINVAL));
  ExpectRefused(c, at);
  EXPECT_THAT(c.Listen(at), IsOk());
}

void SucceedsAfterFailures(Context& c) {
  FailInEachWay(c, [&](const ip::Endpoint& at) { return c.Listen(at); });
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ExpectTakes(c, listener, at);
}

// ---- After Close ------------------------------------------------------------

void CloseFreesPort(Context& c) {
  const ip::Endpoint at{c.Loopback(), kPort};
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen(at));
    ExpectTakes(c, listener, at);
    EXPECT_THAT(listener.Close(), IsOk());
  }
}

void CloseRefusesConnections(Context& c) {
  const ip::Endpoint at{c.Loopback(), kPort};
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen(at));
  EXPECT_THAT(listener.Close(), IsOk());
  ExpectRefused(c, at);
}

void CloseResetsQueued(Context& c) {
  const ip::Endpoint at{c.Loopback(), kPort};
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen(at));
  ASSERT_OK_AND_ASSIGN(const RawSocket one, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const RawSocket other, ConnectTo(c.sys(), at));
  EXPECT_THAT(listener.Close(), IsOk());
  EXPECT_THAT(loopback::RecvUntilEof(one), IsErrno(ECONNRESET));
  EXPECT_THAT(loopback::RecvUntilEof(other), IsErrno(ECONNRESET));
  EXPECT_THAT(c.Listen(at), IsOk());
}

void CloseKeepsAccepted(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const RawSocket client, ConnectTo(c.sys(), at));
  ASSERT_OK_AND_ASSIGN(const Sock connection, listener.Accept());
  EXPECT_THAT(listener.Close(), IsOk());
  EXPECT_THAT(connection.SendAll("still there"), IsOk());
  EXPECT_THAT(loopback::RecvExactly(client, 11), IsOkAndHolds("still there"));
}

void CloseKeepsOtherListeners(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock one, c.Listen());
  ASSERT_OK_AND_ASSIGN(const Sock other, c.Listen());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, other.LocalEndpoint());
  EXPECT_THAT(one.Close(), IsOk());
  ExpectTakes(c, other, at);
}

}  // namespace

const std::vector<Case>& ListenErrorsCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "listen.address_not_available.foreign",
       .requirement = "Listen must fail with EADDRNOTAVAIL on an address that "
                      "is not local.",
       .source = "bind(2), EADDRNOTAVAIL",
       .run = &ForeignAddress},
      {.id = "listen.address_not_available.mapped",
       .requirement = "Listen on a v4-mapped address must fail with "
                      "EADDRNOTAVAIL if its IPv4 address is not local.",
       .source = "bind(2), EADDRNOTAVAIL; RFC 3493, section 3.7",
       .families = AddressFamilies::kV6,
       .run = &ForeignMappedAddress},
      {.id = "listen.address_not_available.ipv6_disabled",
       .requirement =
           "Listen on ::1 must fail with EADDRNOTAVAIL if IPv6 is disabled.",
       .source = "bind(2), EADDRNOTAVAIL",
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &Ipv6Disabled},
      {.id = "listen.address_not_available.loopback_down",
       .requirement = "While the loopback interface is down, Listen may fail "
                      "with EADDRNOTAVAIL on ::1 and succeed on 127.0.0.1.",
       .source = "bind(2), EADDRNOTAVAIL; netdevice(7), IFF_UP",
       .level = Level::kVariation,
       .needs = Need::kOwnNetwork,
       .run = &LoopbackDown},
      {.id = "listen.address.wildcard_without_interface",
       .requirement = "Listen on a wildcard address must succeed while no "
                      "interface is up.",
       .source = "ip(7), INADDR_ANY",
       .needs = Need::kOwnNetwork,
       .run = &LoopbackDownWildcard},
      {.id = "listen.address_invalid.mapped_with_bindv6only",
       .requirement = "Listen on a v4-mapped address should fail with EINVAL "
                      "if net.ipv6.bindv6only is 1.",
       .source = "ipv6(7), IPV6_V6ONLY; bind(2), EINVAL",
       .level = Level::kShould,
       .families = AddressFamilies::kV6,
       .needs = Need::kOwnNetwork,
       .run = &MappedAddressWithBindv6only},
      {.id = "listen.address_invalid.link_local_without_scope",
       .requirement = "Listen on a link-local address without a scope id may "
                      "fail with EINVAL.",
       .source = "ipv6(7), sin6_scope_id; RFC 4007, section 6",
       .level = Level::kVariation,
       .families = AddressFamilies::kV6,
       .run = &LinkLocalWithoutScope},
      {.id = "listen.address_invalid.multicast",
       .requirement = "Listen on a multicast address may succeed or fail; no "
                      "connection to it is possible in either case.",
       .source = "bind(2), EINVAL; RFC 9293, section 3.9.2.3 (MUST-57)",
       .level = Level::kVariation,
       .run = &Multicast},
      {.id = "listen.privileged.refused",
       .requirement = "Listen on a privileged port must fail with EACCES "
                      "without CAP_NET_BIND_SERVICE.",
       .source = "bind(2), EACCES; ip(7), EACCES; capabilities(7)",
       .needs = Need::kOwnNetwork,
       .run = &PrivilegedPort},
      {.id = "listen.privileged.end_at_1024",
       .requirement = "By default, 1023 must be the highest privileged port.",
       .source = "ip(7), ip_unprivileged_port_start",
       .needs = Need::kOwnNetwork,
       .run = &PrivilegedPortsEnd},
      {.id = "listen.privileged.end_is_configurable",
       .requirement =
           "net.ipv4.ip_unprivileged_port_start must be the first port that "
           "needs no privilege.",
       .source = "ip(7), ip_unprivileged_port_start",
       .needs = Need::kOwnNetwork,
       .run = &PrivilegedPortsSysctl},
      {.id = "listen.privileged.allowed_with_capability",
       .requirement = "Listen on a privileged port must succeed with "
                      "CAP_NET_BIND_SERVICE.",
       .source = "capabilities(7), CAP_NET_BIND_SERVICE",
       .needs = Need::kOwnNetwork,
       .run = &PrivilegedPortWithCapability},
      {.id = "listen.privileged.port_zero_is_not",
       .requirement = "Listen on port 0 must not require a privilege.",
       .source = "ip(7)",
       .run = &PortZeroNeedsNoPrivilege},
      {.id = "listen.too_many_files",
       .requirement = "Listen must fail with EMFILE when the process has "
                      "reached its limit of open descriptors.",
       .source = "socket(2), EMFILE; getrlimit(2), RLIMIT_NOFILE",
       .run = &TooManyFiles},
      {.id = "listen.too_many_files.then_fewer",
       .requirement = "Listen must succeed again once a descriptor is free.",
       .source = "socket(2), EMFILE; contract: any failure",
       .run = &TooManyFilesThenFewer},
      {.id = "listen.too_many_files.one_is_enough",
       .requirement = "Listen should need only one free descriptor.",
       .source = "contract: any success",
       .level = Level::kShould,
       .run = &OneDescriptorIsEnough},
      {.id = "listen.unknown_flag",
       .requirement = "Listen with an unknown flag must fail with EINVAL.",
       .source = "contract: flags",
       .needs = Need::kOptionLists,
       .run = &UnknownFlag},
      {.id = "listen.unknown_flag.among_known",
       .requirement = "Listen with an unknown flag must fail with EINVAL, even "
                      "if known flags are given with it.",
       .source = "contract: flags",
       .needs = Need::kOptionLists,
       .run = &UnknownFlagAmongKnown},
      {.id = "listen.unknown_flag.before_the_kernel",
       .requirement = "Listen with an unknown flag must fail with EINVAL "
                      "before the kernel can report another error.",
       .source = "contract: flags",
       .needs = Need::kOptionLists,
       .run = &UnknownFlagComesFirst},
      {.id = "listen.unknown_flag.assigns_no_port",
       .requirement =
           "Listen with an unknown flag must leave port assignments untouched.",
       .source = "contract: any failure",
       .needs = Need::kOptionLists,
       .run = &UnknownFlagAssignsNoPort},
      {.id = "listen.null_assignment",
       .requirement =
           "Listen with a null port assignment must fail with EINVAL.",
       .source = "contract: PortAssignment",
       .needs = Need::kOptionLists,
       .run = &NullAssignment},
      {.id = "listen.null_assignment.among_others",
       .requirement = "Listen with a null port assignment must leave its other "
                      "port assignments untouched.",
       .source = "contract: PortAssignment, any failure",
       .needs = Need::kOptionLists,
       .run = &NullAmongAssignments},
      {.id = "listen.null_assignment.before_the_kernel",
       .requirement = "Listen with a null port assignment must fail with "
                      "EINVAL before the kernel can report another error.",
       .source = "contract: PortAssignment",
       .needs = Need::kOptionLists,
       .run = &NullAssignmentComesFirst},
      {.id = "listen.failure.keeps_no_descriptor",
       .requirement = "A Listen that fails must leave no descriptor open.",
       .source = "contract: any failure",
       .run = &FailureKeepsNoDescriptor},
      {.id = "listen.failure.assigns_no_port",
       .requirement =
           "A Listen that fails must leave port assignments untouched.",
       .source = "contract: any failure",
       .needs = Need::kOptionLists,
       .run = &FailureAssignsNoPort},
      {.id = "listen.failure.leaves_port_free",
       .requirement = "A Listen that fails must leave the port neither bound "
                      "nor listening.",
       .source = "contract: any failure",
       .needs = Need::kOwnNetwork | Need::kOptionLists,
       .run = &FailureLeavesPortFree},
      {.id = "listen.failure.then_success",
       .requirement = "A Listen that fails must not affect later calls.",
       .source = "contract: any failure",
       .run = &SucceedsAfterFailures},
      {.id = "listen.close.frees_port",
       .requirement = "Closing a listener must free its port at once.",
       .source = "close(2); RFC 9293, section 3.10.4",
       .needs = Need::kOwnNetwork,
       .run = &CloseFreesPort},
      {.id = "listen.close.refuses_connections",
       .requirement =
           "Connections to the port of a closed listener must be refused.",
       .source = "connect(2), ECONNREFUSED; RFC 9293, section 3.10.7.1",
       .needs = Need::kOwnNetwork,
       .run = &CloseRefusesConnections},
      {.id = "listen.close.resets_queued",
       .requirement = "Closing a listener must reset the connections that are "
                      "still queued, and free the port.",
       .source = "close(2); RFC 9293, section 3.10.4",
       .needs = Need::kOwnNetwork,
       .run = &CloseResetsQueued},
      {.id = "listen.close.keeps_accepted",
       .requirement = "Closing a listener must not affect the connections that "
                      "it has accepted.",
       .source = "accept(2); close(2)",
       .run = &CloseKeepsAccepted},
      {.id = "listen.close.keeps_other_listeners",
       .requirement = "Closing a listener must not affect other listeners.",
       .source = "close(2)",
       .run = &CloseKeepsOtherListeners},
  };
  return cases;
}

}  // namespace net::conformance
