#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/errno_table.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/testing/matchers.h"
#include "tcp/steps.h"
#include "tcp/tcp.h"

// Makes each system call of Listen() fail with each errno that it can return.

namespace net {
namespace {

using ::testing::InSequence;

struct ListenFailure {
  ip::Endpoint local;
  std::vector<Step> steps;  // The last one fails.
  bool with_options;
  int error;
};

std::string NameOf(const ListenFailure& failure) {
  return absl::StrCat(FamilyName(failure.local), "_",
                      failure.with_options ? "options_" : "plain_",
                      StepName(failure.steps.back()), "_",
                      ErrnoSymbol(failure.error));
}
void PrintTo(const ListenFailure& failure, std::ostream* os) {
  *os << NameOf(failure);
}

std::vector<ListenFailure> ListenFailures() {
  const std::vector<Step> plain = {
      {Call::kSocket}, {Call::kBind}, {Call::kListen}};
  const std::vector<Step> with_options = {{Call::kSocket},
                                          {Call::kSetSockOpt, SO_KEEPALIVE},
                                          {Call::kSetSockOpt, SO_REUSEPORT},
                                          {Call::kSetSockOpt, SO_REUSEADDR},
                                          {Call::kBind},
                                          {Call::kListen},
                                          {Call::kGetSockName}};
  std::vector<ListenFailure> failures;
  for (const ip::Endpoint& local : TestedEndpoints()) {
    for (const std::vector<Step>& all : {plain, with_options}) {
      std::vector<Step> steps;
      for (const Step& step : all) {
        steps.push_back(step);
        for (const int error : ErrnosOf(step.call)) {
          failures.push_back({local, steps, all.size() > plain.size(), error});
        }
      }
    }
  }
  return failures;
}

// Guards against lost rows of the errno table, whose tests would be lost with
// them. For each family: 10 errnos of socket, 9 of bind, 5 of listen; and again
// with options, with 3 times 7 of setsockopt and 5 of getsockname.
TEST(ListenFailures, AreAll) {
  EXPECT_EQ(ListenFailures().size(),
            2u * ((10 + 9 + 5) + (10 + 3 * 7 + 9 + 5 + 5)));
}

class ListenFailureTest : public testing::TestWithParam<ListenFailure> {};

TEST_P(ListenFailureTest, IsReportedAndLeavesNothingBehind) {
  const auto& [local, steps, with_options, error] = GetParam();
  // An errno of the clean-up's close(2) must not be reported.
  std::vector<int> close_errors = ErrnosOf(Call::kClose);
  close_errors.push_back(0);
  for (const int close_error : close_errors) {
    SCOPED_TRACE("close(2) returns " + ErrnoSymbol(close_error));
    MockSyscalls sys;
    InSequence in_this_order;
    const StepArguments arguments = {.endpoint = local,
                                     .backlog = with_options ? 5 : 10};
    for (const Step& step : steps) {
      const bool fails = &step == &steps.back();
      ExpectStep(sys, step, arguments, fails ? error : 0);
    }
    if (steps.size() > 1) {
      EXPECT_CALL(sys, Close(kFd))
          .WillOnce(close_error == 0 ? Succeed() : Fail(close_error));
    }

    uint16_t port = kUntouchedPort;
    uint16_t same_port = kUntouchedPort;
    const std::vector<tcp::ListenOption> options = {
        tcp::KeepAlive{}, tcp::ReusePort{}, tcp::PortAssignment{&port},
        tcp::ReuseAddr{}, tcp::Backlog{5},  tcp::PortAssignment{&same_port}};
    const absl::StatusOr<Socket> listener = tcp::Listen(
        local.addr, local.port,
        with_options ? options : absl::Span<const tcp::ListenOption>(), sys);

    EXPECT_THAT(listener, IsErrno(error));
    EXPECT_THAT(listener, IsErrorKind(KindOfErrno(error)));
    EXPECT_EQ(port, kUntouchedPort);
    EXPECT_EQ(same_port, kUntouchedPort);
  }
}

INSTANTIATE_TEST_SUITE_P(Errnos, ListenFailureTest,
                         testing::ValuesIn(ListenFailures()),
                         [](const auto& tested) {
                           return NameOf(tested.param);
                         });

// getsockname succeeds with an address of another family.
TEST(Listen, ReportsAnAddressThatIsNotIp) {
  for (const ip::Endpoint& local : TestedEndpoints()) {
    MockSyscalls sys;
    InSequence in_this_order;
    const StepArguments arguments = {.endpoint = local};
    for (const Call call : {Call::kSocket, Call::kBind, Call::kListen}) {
      ExpectStep(sys, {call}, arguments);
    }
    EXPECT_CALL(sys, GetSockName(kFd, testing::_, testing::_))
        .WillOnce([](int, sockaddr* addr, socklen_t* len) {
          addr->sa_family = AF_UNIX;
          *len = sizeof(addr->sa_family);
          return SysResult::Ok();
        });
    EXPECT_CALL(sys, Close(kFd)).WillOnce(Succeed());
    uint16_t port = kUntouchedPort;
    EXPECT_THAT(
        tcp::Listen(local.addr, local.port, {tcp::PortAssignment{&port}}, sys),
        IsErrno(EAFNOSUPPORT));
    EXPECT_EQ(port, kUntouchedPort);
  }
}

TEST(Listen, RefusesANullPortAssignmentBeforeAnyCall) {
  for (const ip::Endpoint& local : TestedEndpoints()) {
    MockSyscalls sys;
    uint16_t port = kUntouchedPort;
    EXPECT_THAT(tcp::Listen(local.addr, local.port,
                            {tcp::PortAssignment{&port},
                             tcp::PortAssignment{nullptr}, tcp::ReuseAddr{}},
                            sys),
                IsErrno(EINVAL));
    EXPECT_EQ(port, kUntouchedPort);
  }
}

TEST(Listen, RefusesUnknownFlagsBeforeAnyCall) {
  for (const ip::Endpoint& local : TestedEndpoints()) {
    // The bits next to the known ones, SOCK_NONBLOCK and SOCK_CLOEXEC (which a
    // caller may pass by mistake), and the highest bit.
    for (const unsigned bits : {4u, 8u, 0x800u, 0x80000u, 1u << 31}) {
      const SockFlags unknown = static_cast<SockFlags>(bits);
      SCOPED_TRACE(bits);
      MockSyscalls sys;
      EXPECT_THAT(tcp::Listen(local.addr, local.port, {unknown}, sys),
                  IsErrno(EINVAL));
      EXPECT_THAT(tcp::Listen(local.addr, local.port,
                              {SockFlags::kNone, tcp::KeepAlive{},
                               unknown | SockFlags::kNonblock},
                              sys),
                  IsErrno(EINVAL));
    }
  }
}

}  // namespace
}  // namespace net
