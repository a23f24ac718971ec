// The port of a listener, and port assignments.

#include <sys/socket.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/cases/helpers.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/witness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using testing::Each;
using testing::Field;

// The value of a port variable before an assignment. No case listens on this
// port.
constexpr uint16_t kUnassigned = 1;

void PortZeroIsPicked(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({c.Loopback(), 0}));
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
  EXPECT_THAT(witness.LocalEndpoint(),
              IsOkAndHolds(Field(&ip::Endpoint::port, testing::Ne(0))));
}

void PortZeroIsInRange(Context& c) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "20000 20003");
  std::vector<Sock> listeners;
  for (int i = 0; i < 4; ++i) {
    ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
    EXPECT_THAT(listener.LocalEndpoint(),
                IsOkAndHolds(Field(
                    &ip::Endpoint::port,
                    testing::AllOf(testing::Ge(20000), testing::Le(20003)))));
    listeners.push_back(std::move(listener));
  }
}

// Expects that two listeners on port 0 get different ports, although only two
// ports are available and `options` may allow sharing.
void ExpectDifferentPorts(Context& c, const ListenOptions& options) {
  c.env().SetSysctl("net.ipv4.ip_local_port_range", "20000 20001");
  ASSERT_OK_AND_ASSIGN(const Sock one, c.Listen(options));
  ASSERT_OK_AND_ASSIGN(const Sock other, c.Listen(options));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, one.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint other_at, other.LocalEndpoint());
  EXPECT_NE(at.port, other_at.port);
}

void PortZeroTwice(Context& c) { ExpectDifferentPorts(c, {}); }

void PortZeroTwiceWithReuse(Context& c) {
  ExpectDifferentPorts(c, {.reuseaddr = true, .reuseport = true});
}

void GivenPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({c.Loopback(), kPort}));
  ExpectTakes(c, listener, {c.Loopback(), kPort});
}

void HighestPort(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen({c.Loopback(), 65535}));
  ExpectTakes(c, listener, {c.Loopback(), 65535});
}

void PortZeroIsAssigned(Context& c) {
  uint16_t port = kUnassigned;
  ASSERT_OK_AND_ASSIGN(const Sock listener,
                       c.Listen({c.Loopback(), 0}, {.port = &port}));
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
  EXPECT_THAT(witness.LocalEndpoint(),
              IsOkAndHolds(ip::Endpoint{c.Loopback(), port}));
}

void AssignedPortAccepts(Context& c) {
  uint16_t port = kUnassigned;
  ASSERT_OK_AND_ASSIGN(const Sock listener,
                       c.Listen({c.Loopback(), 0}, {.port = &port}));
  ExpectTakes(c, listener, {c.Loopback(), port});
}

void GivenPortIsAssigned(Context& c) {
  uint16_t port = kUnassigned;
  ASSERT_OK_AND_ASSIGN(const Sock listener,
                       c.Listen({c.Loopback(), kPort}, {.port = &port}));
  EXPECT_EQ(port, kPort);
}

void WildcardPortIsAssigned(Context& c) {
  uint16_t port = kUnassigned;
  ASSERT_OK_AND_ASSIGN(const Sock listener,
                       c.Listen({c.Any(), 0}, {.port = &port}));
  ExpectTakes(c, listener, {c.Loopback(), port});
}

void SeveralAssignments(Context& c) {
  std::vector<uint16_t> ports(3, kUnassigned);
  ASSERT_OK_AND_ASSIGN(
      const Sock listener,
      c.ListenWithList({c.Loopback(), 0},
                       {.ports = {&ports[0], &ports[1], &ports[2]}}));
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, witness.LocalEndpoint());
  EXPECT_THAT(ports, Each(at.port));
}

void AssignedTwiceToOne(Context& c) {
  uint16_t port = kUnassigned;
  ASSERT_OK_AND_ASSIGN(
      const Sock listener,
      c.ListenWithList({c.Loopback(), 0}, {.ports = {&port, &port}}));
  ExpectTakes(c, listener, {c.Loopback(), port});
}

void AssignmentNextToOptions(Context& c) {
  uint16_t port = kUnassigned;
  const ListenOptions every{.nonblock = true,
                            .no_cloexec = true,
                            .keepalive = true,
                            .reuseaddr = true,
                            .reuseport = true,
                            .backlog = 3,
                            .port = &port};
  ASSERT_OK_AND_ASSIGN(
      const Sock listener,
      c.ListenWithList({c.Loopback(), 0}, {.options = every, .times = 2}));
  ExpectTakes(c, listener, {c.Loopback(), port});
}

// An option of Listen, and whether a witness sees that it took effect.
struct ListenOption {
  absl::string_view name;
  void (*give)(ListenOptions& options);
  bool (*is_set)(const Witness& witness);
};

bool IsOn(const Witness& witness, int name) {
  const absl::StatusOr<int> value = witness.Option(SOL_SOCKET, name);
  return value.ok() && *value != 0;
}

constexpr ListenOption kOptions[] = {
    {"nonblock", [](ListenOptions& o) { o.nonblock = true; },
     [](const Witness& w) { return w.Nonblocking().value_or(false); }},
    {"no_cloexec", [](ListenOptions& o) { o.no_cloexec = true; },
     [](const Witness& w) { return !w.CloseOnExec().value_or(true); }},
    {"keepalive", [](ListenOptions& o) { o.keepalive = true; },
     [](const Witness& w) { return IsOn(w, SO_KEEPALIVE); }},
    {"reuseaddr", [](ListenOptions& o) { o.reuseaddr = true; },
     [](const Witness& w) { return IsOn(w, SO_REUSEADDR); }},
    {"reuseport", [](ListenOptions& o) { o.reuseport = true; },
     [](const Witness& w) { return IsOn(w, SO_REUSEPORT); }},
    {"backlog", [](ListenOptions& o) { o.backlog = 3; },
     [](const Witness& w) {
       const auto info = w.Info();
       return info.ok() && info->backlog == 3;
     }},
};

void AssignmentWithEachOption(Context& c) {
  for (const ListenOption& option : kOptions) {
    SCOPED_TRACE(option.name);
    uint16_t port = kUnassigned;
    ListenOptions options{.port = &port};
    option.give(options);
    ASSERT_OK_AND_ASSIGN(const Sock listener, c.Listen(options));
    ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
    EXPECT_THAT(witness.LocalEndpoint(),
                IsOkAndHolds(ip::Endpoint{c.Loopback(), port}));
    EXPECT_TRUE(option.is_set(witness));
  }
}

}  // namespace

const std::vector<Case>& ListenPortCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "listen.port.zero_is_picked",
       .requirement = "The system must pick a port if port 0 is given.",
       .source = "ip(7), ip_local_port_range",
       .run = &PortZeroIsPicked},
      {.id = "listen.port.zero_is_in_range",
       .requirement = "The port that the system picks must be in "
                      "net.ipv4.ip_local_port_range, and every port in that "
                      "range must be usable.",
       .source = "ip(7), ip_local_port_range",
       .needs = Need::kOwnNetwork,
       .run = &PortZeroIsInRange},
      {.id = "listen.port.zero_twice",
       .requirement = "Two listeners on port 0 must get different ports.",
       .source = "ip(7), ip_local_port_range",
       .needs = Need::kOwnNetwork,
       .run = &PortZeroTwice},
      {.id = "listen.port.zero_twice_with_reuse",
       .requirement =
           "The port that the system picks must not be one of another "
           "listener, even with SO_REUSEADDR and SO_REUSEPORT.",
       .source = "ip(7), ip_local_port_range; socket(7), SO_REUSEPORT",
       .needs = Need::kOwnNetwork,
       .run = &PortZeroTwiceWithReuse},
      {.id = "listen.port.given",
       .requirement = "Listen must use the given port.",
       .source = "bind(2); ip(7)",
       .needs = Need::kOwnNetwork,
       .run = &GivenPort},
      {.id = "listen.port.highest",
       .requirement =
           "Listen on port 65535 must succeed, because ports are unsigned.",
       .source = "RFC 9293, section 3.1",
       .needs = Need::kOwnNetwork,
       .run = &HighestPort},
      {.id = "listen.port.assigned",
       .requirement =
           "A port assignment must hold the port that the system picked.",
       .source = "getsockname(2); contract: PortAssignment",
       .run = &PortZeroIsAssigned},
      {.id = "listen.port.assigned_accepts",
       .requirement = "Connections to the assigned port must be accepted.",
       .source = "contract: PortAssignment",
       .run = &AssignedPortAccepts},
      {.id = "listen.port.assigned_on_wildcard",
       .requirement = "A listener on a wildcard address must have its port "
                      "assigned, and accept connections to it.",
       .source = "contract: PortAssignment",
       .run = &WildcardPortIsAssigned},
      {.id = "listen.port.given_is_assigned",
       .requirement = "A port assignment must hold the port even if the caller "
                      "gave the port.",
       .source = "contract: PortAssignment",
       .needs = Need::kOwnNetwork,
       .run = &GivenPortIsAssigned},
      {.id = "listen.port.several_assignments",
       .requirement =
           "Every port assignment must be filled if several are given.",
       .source = "contract: PortAssignment",
       .needs = Need::kOptionLists,
       .run = &SeveralAssignments},
      {.id = "listen.port.assigned_twice_to_one",
       .requirement = "Two port assignments may point to one variable, which "
                      "must then hold the port.",
       .source = "contract: PortAssignment",
       .needs = Need::kOptionLists,
       .run = &AssignedTwiceToOne},
      {.id = "listen.port.assigned_next_to_options",
       .requirement =
           "The port must be assigned in combination with every other option.",
       .source = "contract: PortAssignment",
       .needs = Need::kOptionLists,
       .run = &AssignmentNextToOptions},
      {.id = "listen.port.assigned_with_each_option",
       .requirement = "A port assignment and any other option must both take "
                      "effect if both are given.",
       .source = "contract: PortAssignment; contract: any success",
       .run = &AssignmentWithEachOption},
  };
  return cases;
}

}  // namespace net::conformance
