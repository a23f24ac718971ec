#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "fakes/call.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/testing/matchers.h"
#include "tcp/steps.h"
#include "tcp/tcp.h"

// Checks the exact system calls of Listen() and Connect() and their order: for
// each option alone, for each pair of options in both orders, and for each
// option twice.

namespace net {
namespace {

using ::testing::InSequence;

// An option and its effect on the system calls.
struct Tested {
  std::string name;
  std::function<tcp::ListenOption(uint16_t* port)> make;
  int sets_type = 0;      // Bits set in socket's second argument.
  int clears_type = 0;    // Bits cleared there.
  int socket_option = 0;  // The SO_* name for setsockopt, 0 for none.
  std::optional<int> backlog;
  bool assigns_port = false;
  std::optional<tcp::ConnectOption> for_connect;
};

std::vector<Tested> TestedOptions() {
  const auto flags = [](SockFlags value) {
    return [value](uint16_t*) { return value; };
  };
  return {
      {.name = "NoFlags",
       .make = flags(SockFlags::kNone),
       .for_connect = SockFlags::kNone},
      {.name = "Nonblock",
       .make = flags(SockFlags::kNonblock),
       .sets_type = SOCK_NONBLOCK,
       .for_connect = SockFlags::kNonblock},
      {.name = "NoCloexec",
       .make = flags(SockFlags::kNoCloexec),
       .clears_type = SOCK_CLOEXEC,
       .for_connect = SockFlags::kNoCloexec},
      {.name = "KeepAlive",
       .make = [](uint16_t*) { return tcp::KeepAlive{}; },
       .socket_option = SO_KEEPALIVE,
       .for_connect = tcp::KeepAlive{}},
      {.name = "ReusePort",
       .make = [](uint16_t*) { return tcp::ReusePort{}; },
       .socket_option = SO_REUSEPORT},
      {.name = "ReuseAddr",
       .make = [](uint16_t*) { return tcp::ReuseAddr{}; },
       .socket_option = SO_REUSEADDR},
      {.name = "Backlog0",
       .make = [](uint16_t*) { return tcp::Backlog{0}; },
       .backlog = 0},
      {.name = "Backlog128",
       .make = [](uint16_t*) { return tcp::Backlog{128}; },
       .backlog = 128},
      {.name = "PortAssignment",
       .make = [](uint16_t* port) { return tcp::PortAssignment{port}; },
       .assigns_port = true},
  };
}

struct OptionsCase {
  ip::Endpoint endpoint;
  std::vector<Tested> options;
};

// Returns no option, each option alone, and each pair, an option with itself
// included.
std::vector<OptionsCase> OptionsCases(const std::vector<Tested>& options) {
  std::vector<OptionsCase> cases;
  for (const ip::Endpoint& endpoint : TestedEndpoints()) {
    cases.push_back({endpoint, {}});
    for (const Tested& first : options) {
      cases.push_back({endpoint, {first}});
      for (const Tested& second : options) {
        cases.push_back({endpoint, {first, second}});
      }
    }
  }
  return cases;
}

std::vector<Tested> ConnectOptions() {
  std::vector<Tested> options = TestedOptions();
  options.erase(std::remove_if(options.begin(), options.end(),
                               [](const Tested& option) {
                                 return !option.for_connect.has_value();
                               }),
                options.end());
  return options;
}

std::string NameOf(const OptionsCase& tested) {
  std::string name = FamilyName(tested.endpoint);
  if (tested.options.empty()) return name + "_none";
  for (const Tested& option : tested.options) {
    absl::StrAppend(&name, "_", option.name);
  }
  return name;
}
void PrintTo(const OptionsCase& tested, std::ostream* os) {
  *os << NameOf(tested);
}
std::string CaseName(const testing::TestParamInfo<OptionsCase>& tested) {
  return NameOf(tested.param);
}

StepArguments ArgumentsOf(const OptionsCase& tested) {
  StepArguments arguments = {.endpoint = tested.endpoint};
  for (const Tested& option : tested.options) {
    arguments.type |= option.sets_type;
    arguments.backlog = option.backlog.value_or(arguments.backlog);
  }
  for (const Tested& option : tested.options) {
    arguments.type &= ~option.clears_type;
  }
  return arguments;
}

// Returns one setsockopt step for each socket option, at the position of its
// first use.
std::vector<Step> SetSockOptSteps(const OptionsCase& tested) {
  std::vector<Step> steps;
  for (const Tested& option : tested.options) {
    const bool done = std::any_of(
        steps.begin(), steps.end(),
        [&](const Step& step) { return step.option == option.socket_option; });
    if (option.socket_option == 0 || done) continue;
    steps.push_back({Call::kSetSockOpt, option.socket_option});
  }
  return steps;
}

class ListenOptions : public testing::TestWithParam<OptionsCase> {};

TEST_P(ListenOptions, MakeExactlyTheirSystemCallsInOrder) {
  const StepArguments arguments = ArgumentsOf(GetParam());
  MockSyscalls sys;
  InSequence in_this_order;
  ExpectStep(sys, {Call::kSocket}, arguments);
  for (const Step& step : SetSockOptSteps(GetParam())) {
    ExpectStep(sys, step, arguments);
  }
  ExpectStep(sys, {Call::kBind}, arguments);
  ExpectStep(sys, {Call::kListen}, arguments);

  std::vector<uint16_t> ports(GetParam().options.size(), kUntouchedPort);
  std::vector<uint16_t> expected_ports = ports;
  std::vector<tcp::ListenOption> options;
  for (size_t i = 0; i < ports.size(); ++i) {
    options.push_back(GetParam().options[i].make(&ports[i]));
    if (GetParam().options[i].assigns_port) expected_ports[i] = kPickedPort;
  }
  if (expected_ports != ports) {
    ExpectStep(sys, {Call::kGetSockName}, arguments);
  }
  EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());  // By the destructor.

  const absl::StatusOr<Socket> listener = tcp::Listen(
      GetParam().endpoint.addr, GetParam().endpoint.port, options, sys);
  ASSERT_THAT(listener, IsOk());
  EXPECT_EQ(listener->fd(), kFd);
  EXPECT_EQ(&listener->syscalls(), &sys);
  EXPECT_EQ(ports, expected_ports);
}

INSTANTIATE_TEST_SUITE_P(Options, ListenOptions,
                         testing::ValuesIn(OptionsCases(TestedOptions())),
                         CaseName);

class ConnectOptionsTest : public testing::TestWithParam<OptionsCase> {};

TEST_P(ConnectOptionsTest, MakeExactlyTheirSystemCallsInOrder) {
  const StepArguments arguments = ArgumentsOf(GetParam());
  MockSyscalls sys;
  InSequence in_this_order;
  ExpectStep(sys, {Call::kSocket}, arguments);
  for (const Step& step : SetSockOptSteps(GetParam())) {
    ExpectStep(sys, step, arguments);
  }
  ExpectStep(sys, {Call::kConnect}, arguments);
  EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());  // By the destructor.

  std::vector<tcp::ConnectOption> options;
  for (const Tested& option : GetParam().options) {
    options.push_back(*option.for_connect);
  }
  const absl::StatusOr<Socket> connection = tcp::Connect(
      GetParam().endpoint.addr, GetParam().endpoint.port, options, sys);
  ASSERT_THAT(connection, IsOk());
  EXPECT_EQ(connection->fd(), kFd);
  EXPECT_EQ(&connection->syscalls(), &sys);
}

INSTANTIATE_TEST_SUITE_P(Options, ConnectOptionsTest,
                         testing::ValuesIn(OptionsCases(ConnectOptions())),
                         CaseName);

TEST(OptionsCases, AreAll) {
  EXPECT_EQ(OptionsCases(TestedOptions()).size(), 2u * (1 + 9 + 81));
  EXPECT_EQ(OptionsCases(ConnectOptions()).size(), 2u * (1 + 4 + 16));
}

// The expectations from here on are written out by hand, independent of the
// functions above.

TEST(ListenOptionsTrace, WithAllOptionsManyTimes) {
  MockSyscalls sys;
  InSequence in_this_order;
  EXPECT_CALL(sys, Socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0))
      .WillOnce(Succeed(3));
  EXPECT_CALL(sys, SetSockOpt(3, SOL_SOCKET, SO_REUSEPORT, IntOption(1), 4))
      .WillOnce(Succeed());
  EXPECT_CALL(sys, SetSockOpt(3, SOL_SOCKET, SO_KEEPALIVE, IntOption(1), 4))
      .WillOnce(Succeed());
  EXPECT_CALL(sys, SetSockOpt(3, SOL_SOCKET, SO_REUSEADDR, IntOption(1), 4))
      .WillOnce(Succeed());
  const ip::Endpoint local = {ip::kLocalV6, 80};
  EXPECT_CALL(sys, Bind(3, SockaddrIs(local), 28)).WillOnce(Succeed());
  EXPECT_CALL(sys, Listen(3, 6)).WillOnce(Succeed());
  EXPECT_CALL(sys, GetSockName(3, testing::_, testing::_))
      .WillOnce(FillsAddr({ip::kLocalV6, 81}));
  EXPECT_CALL(sys, Close(3)).WillOnce(Succeed());

  uint16_t first = 0;
  uint16_t second = 0;
  EXPECT_THAT(
      tcp::Listen(ip::kLocalV6, 80,
                  {tcp::PortAssignment{&first}, tcp::ReusePort{},
                   SockFlags::kNoCloexec, tcp::KeepAlive{}, tcp::Backlog{7},
                   tcp::ReusePort{}, tcp::ReuseAddr{}, SockFlags::kNonblock,
                   tcp::KeepAlive{}, tcp::PortAssignment{&second},
                   tcp::Backlog{6}, SockFlags::kNone, tcp::ReusePort{}},
                  sys),
      IsOk());
  EXPECT_EQ(first, 81);
  EXPECT_EQ(second, 81);
}

// The port comes from getsockname(2), not from the argument.
TEST(ListenOptionsTrace, AssignsTheKernelsPortInHostByteOrder) {
  for (const ip::Endpoint& local : TestedEndpoints()) {
    for (const uint16_t port :
         {uint16_t{1}, uint16_t{0x1234}, uint16_t{65535}}) {
      NiceMockSyscalls sys;
      ON_CALL(sys, Socket).WillByDefault(Succeed(3));
      ON_CALL(sys, Bind).WillByDefault(Succeed());
      ON_CALL(sys, Listen).WillByDefault(Succeed());
      ON_CALL(sys, GetSockName).WillByDefault(FillsAddr({local.addr, port}));
      uint16_t assigned = 0;
      EXPECT_THAT(tcp::Listen(local.addr, local.port,
                              {tcp::PortAssignment{&assigned}}, sys),
                  IsOk());
      EXPECT_EQ(assigned, port);
    }
  }
}

TEST(ListenOptionsTrace, BacklogIsClampedAndTheLastWins) {
  const struct {
    std::vector<tcp::ListenOption> options;
    int backlog;
  } cases[] = {
      {{}, 10},
      {{tcp::Backlog{0}}, 0},
      {{tcp::Backlog{1}}, 1},
      {{tcp::Backlog{INT_MAX}}, INT_MAX},
      {{tcp::Backlog{uint32_t{INT_MAX} + 1}}, INT_MAX},
      {{tcp::Backlog{UINT32_MAX}}, INT_MAX},
      {{tcp::Backlog{5}, tcp::Backlog{7}}, 7},
      {{tcp::Backlog{7}, tcp::Backlog{5}}, 5},
      {{tcp::Backlog{UINT32_MAX}, tcp::KeepAlive{}, tcp::Backlog{0}}, 0},
  };
  for (const ip::Endpoint& local : TestedEndpoints()) {
    for (const auto& [options, backlog] : cases) {
      NiceMockSyscalls sys;
      ON_CALL(sys, Socket).WillByDefault(Succeed(3));
      ON_CALL(sys, Bind).WillByDefault(Succeed());
      ON_CALL(sys, SetSockOpt).WillByDefault(Succeed());
      EXPECT_CALL(sys, Listen(3, backlog)).WillOnce(Succeed());
      EXPECT_THAT(tcp::Listen(local.addr, local.port, options, sys), IsOk());
    }
  }
}

TEST(ListenOptionsTrace, SocketOptionsAreSetInTheOrderGiven) {
  const struct Option {
    tcp::ListenOption option;
    int name;
  } all[] = {{tcp::KeepAlive{}, SO_KEEPALIVE},
             {tcp::ReuseAddr{}, SO_REUSEADDR},
             {tcp::ReusePort{}, SO_REUSEPORT}};
  std::vector<int> order = {0, 1, 2};
  int orders = 0;
  do {
    MockSyscalls sys;
    InSequence in_this_order;
    const StepArguments arguments = {.endpoint = {ip::kAnyV4, 0}};
    std::vector<tcp::ListenOption> options;
    ExpectStep(sys, {Call::kSocket}, arguments);
    for (const int i : order) {
      options.push_back(all[i].option);
      ExpectStep(sys, {Call::kSetSockOpt, all[i].name}, arguments);
    }
    ExpectStep(sys, {Call::kBind}, arguments);
    ExpectStep(sys, {Call::kListen}, arguments);
    EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());
    EXPECT_THAT(tcp::Listen(ip::kAnyV4, 0, options, sys), IsOk());
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(orders, 6);
}

}  // namespace
}  // namespace net
