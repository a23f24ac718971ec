#include <sys/socket.h>

#include <cerrno>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
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

// Makes each system call of Connect() fail with each errno that it can return.
// connect_interrupted_test covers EINTR of connect(2).

namespace net {
namespace {

using ::testing::InSequence;

struct ConnectFailure {
  ip::Endpoint remote;
  bool nonblocking;
  std::vector<Step> steps;  // The last one fails.
  int error;
};

bool WithKeepAlive(const ConnectFailure& failure) {
  return failure.steps.size() > 1 && failure.steps[1].call == Call::kSetSockOpt;
}

std::string NameOf(const ConnectFailure& failure) {
  return absl::StrCat(FamilyName(failure.remote), "_",
                      failure.nonblocking ? "nonblocking_" : "blocking_",
                      WithKeepAlive(failure) ? "keepalive_" : "plain_",
                      StepName(failure.steps.back()), "_",
                      ErrnoSymbol(failure.error));
}
void PrintTo(const ConnectFailure& failure, std::ostream* os) {
  *os << NameOf(failure);
}

std::vector<ConnectFailure> ConnectFailures() {
  const std::vector<Step> plain = {{Call::kSocket}, {Call::kConnect}};
  const std::vector<Step> with_keepalive = {
      {Call::kSocket}, {Call::kSetSockOpt, SO_KEEPALIVE}, {Call::kConnect}};
  std::vector<ConnectFailure> failures;
  for (const ip::Endpoint& remote : TestedEndpoints()) {
    for (const bool nonblocking : {false, true}) {
      for (const std::vector<Step>& all : {plain, with_keepalive}) {
        std::vector<Step> steps;
        for (const Step& step : all) {
          steps.push_back(step);
          // The same calls precede it in both option sets, so once is enough.
          if (step.call == Call::kSocket && all.size() > 2) continue;
          for (const int error : ErrnosOf(step.call)) {
            // Not failures: the attempt continues.
            const bool goes_on =
                step.call == Call::kConnect &&
                (error == EINTR || (nonblocking && error == EINPROGRESS));
            if (goes_on) continue;
            failures.push_back({remote, nonblocking, steps, error});
          }
        }
      }
    }
  }
  return failures;
}

// Guards against lost rows of the errno table. For each family, blocking and
// non-blocking: 10 errnos of socket, 7 of setsockopt, and twice those of
// connect. Of connect's 18 errnos, one (blocking) or two (non-blocking) are not
// failures.
TEST(ConnectFailures, AreAll) {
  EXPECT_EQ(ConnectFailures().size(),
            2u * ((10 + 7 + 2 * 17) + (10 + 7 + 2 * 16)));
}

class ConnectFailureTest : public testing::TestWithParam<ConnectFailure> {};

TEST_P(ConnectFailureTest, IsReportedAndLeavesNothingBehind) {
  const auto& [remote, nonblocking, steps, error] = GetParam();
  std::vector<int> close_errors = ErrnosOf(Call::kClose);
  close_errors.push_back(0);
  for (const int close_error : close_errors) {
    SCOPED_TRACE("close(2) returns " + ErrnoSymbol(close_error));
    MockSyscalls sys;
    InSequence in_this_order;
    const StepArguments arguments = {
        .endpoint = remote,
        .type = SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0)};
    for (const Step& step : steps) {
      const bool fails = &step == &steps.back();
      ExpectStep(sys, step, arguments, fails ? error : 0);
    }
    if (steps.size() > 1) {
      EXPECT_CALL(sys, Close(kFd))
          .WillOnce(close_error == 0 ? Succeed() : Fail(close_error));
    }

    std::vector<tcp::ConnectOption> options;
    if (nonblocking) options.push_back(SockFlags::kNonblock);
    if (WithKeepAlive(GetParam())) options.push_back(tcp::KeepAlive{});
    const absl::StatusOr<Socket> connection =
        tcp::Connect(remote.addr, remote.port, options, sys);

    EXPECT_THAT(connection, IsErrno(error));
    EXPECT_THAT(connection, IsErrorKind(KindOfErrno(error)));
  }
}

INSTANTIATE_TEST_SUITE_P(Errnos, ConnectFailureTest,
                         testing::ValuesIn(ConnectFailures()),
                         [](const auto& tested) {
                           return NameOf(tested.param);
                         });

TEST(Connect, RefusesUnknownFlagsBeforeAnyCall) {
  for (const ip::Endpoint& remote : TestedEndpoints()) {
    for (const unsigned bits : {4u, 8u, 0x800u, 0x80000u, 1u << 31}) {
      const SockFlags unknown = static_cast<SockFlags>(bits);
      SCOPED_TRACE(bits);
      MockSyscalls sys;
      EXPECT_THAT(tcp::Connect(remote.addr, remote.port, {unknown}, sys),
                  IsErrno(EINVAL));
      EXPECT_THAT(tcp::Connect(remote.addr, remote.port,
                               {SockFlags::kNone, tcp::KeepAlive{},
                                unknown | SockFlags::kNonblock},
                               sys),
                  IsErrno(EINVAL));
    }
  }
}

}  // namespace
}  // namespace net
