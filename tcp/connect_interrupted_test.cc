#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
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

// A connection attempt continues in the kernel after connect(2) fails with
// EINTR. The mocks are strict: a second connect(2) fails the test.

namespace net {
namespace {

using ::testing::InSequence;
using ::testing::Pointee;

class ConnectInterrupted : public testing::TestWithParam<ip::Endpoint> {
 protected:
  absl::StatusOr<Socket> Connect() {
    return tcp::Connect(GetParam().addr, GetParam().port, {}, sys_);
  }

  // Expects socket(2), and a connect(2) that fails with EINTR.
  void ExpectInterruptedConnect(int type = SOCK_STREAM | SOCK_CLOEXEC) {
    const StepArguments arguments = {.endpoint = GetParam(), .type = type};
    ExpectStep(sys_, {Call::kSocket}, arguments);
    ExpectStep(sys_, {Call::kConnect}, arguments, EINTR);
  }

  // Expects poll(2) for POLLOUT without a timeout.
  auto& ExpectPoll() {
    return EXPECT_CALL(sys_, Poll(PollsFor(kFd, POLLOUT), 1, -1));
  }

  auto& ExpectSocketError() {
    return EXPECT_CALL(sys_,
                       GetSockOpt(kFd, SOL_SOCKET, SO_ERROR, testing::NotNull(),
                                  Pointee(sizeof(int))));
  }

  void ExpectClose() { EXPECT_CALL(sys_, Close(kFd)).WillOnce(Succeed()); }

  MockSyscalls sys_;
  InSequence in_this_order_;
};

TEST_P(ConnectInterrupted, WaitsForTheConnection) {
  ExpectInterruptedConnect();
  ExpectPoll().WillOnce(FillsRevents(POLLOUT));
  ExpectSocketError().WillOnce(FillsInt(0));
  ExpectClose();  // By the destructor.
  const absl::StatusOr<Socket> connection = Connect();
  ASSERT_THAT(connection, IsOk());
  EXPECT_EQ(connection->fd(), kFd);
}

TEST_P(ConnectInterrupted, GoesOnWaitingWhenPollIsInterrupted) {
  for (const int interruptions : {1, 2, 1000}) {
    SCOPED_TRACE(interruptions);
    ExpectInterruptedConnect();
    ExpectPoll().Times(interruptions).WillRepeatedly(Fail(EINTR));
    ExpectPoll().WillOnce(FillsRevents(POLLOUT));
    ExpectSocketError().WillOnce(FillsInt(0));
    ExpectClose();
    EXPECT_THAT(Connect(), IsOk());
  }
}

// poll(2) also returns POLLERR and POLLHUP for a failed attempt. SO_ERROR alone
// has the outcome.
TEST_P(ConnectInterrupted, ReportsThePendingErrorWhateverPollReturns) {
  for (const int revents :
       {POLLOUT, POLLERR, POLLHUP, POLLOUT | POLLERR | POLLHUP}) {
    for (const int error : ErrnosOf(Call::kConnect)) {
      SCOPED_TRACE(absl::StrCat(revents, " ", ErrnoSymbol(error)));
      ExpectInterruptedConnect();
      ExpectPoll().WillOnce(FillsRevents(revents));
      ExpectSocketError().WillOnce(FillsInt(error));
      ExpectClose();
      const absl::StatusOr<Socket> connection = Connect();
      EXPECT_THAT(connection, IsErrno(error));
      EXPECT_THAT(connection, IsErrorKind(KindOfErrno(error)));
    }
  }
}

TEST_P(ConnectInterrupted, ReportsAFailingPoll) {
  for (const int error : ErrnosOf(Call::kPoll)) {
    if (error == EINTR) continue;
    SCOPED_TRACE(ErrnoSymbol(error));
    ExpectInterruptedConnect();
    ExpectPoll().WillOnce(Fail(EINTR));
    ExpectPoll().WillOnce(Fail(error));
    ExpectClose();
    const absl::StatusOr<Socket> connection = Connect();
    EXPECT_THAT(connection, IsErrno(error));
    EXPECT_THAT(connection, IsErrorKind(KindOfErrno(error)));
  }
}

TEST_P(ConnectInterrupted, ReportsAFailingGetsockopt) {
  for (const int error : ErrnosOf(Call::kGetSockOpt)) {
    SCOPED_TRACE(ErrnoSymbol(error));
    ExpectInterruptedConnect();
    ExpectPoll().WillOnce(FillsRevents(POLLOUT));
    ExpectSocketError().WillOnce(Fail(error));
    ExpectClose();
    const absl::StatusOr<Socket> connection = Connect();
    EXPECT_THAT(connection, IsErrno(error));
    EXPECT_THAT(connection, IsErrorKind(KindOfErrno(error)));
  }
}

TEST_P(ConnectInterrupted, DoesNotReportTheErrnoOfTheCleanUp) {
  for (const int close_error : ErrnosOf(Call::kClose)) {
    SCOPED_TRACE(ErrnoSymbol(close_error));
    ExpectInterruptedConnect();
    ExpectPoll().WillOnce(FillsRevents(POLLOUT | POLLERR));
    ExpectSocketError().WillOnce(FillsInt(ECONNREFUSED));
    EXPECT_CALL(sys_, Close(kFd)).WillOnce(Fail(close_error));
    EXPECT_THAT(Connect(), IsErrno(ECONNREFUSED));

    ExpectInterruptedConnect();
    ExpectPoll().WillOnce(Fail(ENOMEM));
    EXPECT_CALL(sys_, Close(kFd)).WillOnce(Fail(close_error));
    EXPECT_THAT(Connect(), IsErrno(ENOMEM));
  }
}

// An attempt under way is success for a non-blocking connect.
TEST_P(ConnectInterrupted, IsSuccessIfNonblocking) {
  ExpectInterruptedConnect(SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
  ExpectClose();
  const absl::StatusOr<Socket> connection = tcp::Connect(
      GetParam().addr, GetParam().port, {SockFlags::kNonblock}, sys_);
  ASSERT_THAT(connection, IsOk());
  EXPECT_EQ(connection->fd(), kFd);
}

TEST_P(ConnectInterrupted, InProgressIsSuccessIfNonblocking) {
  const StepArguments arguments = {
      .endpoint = GetParam(),
      .type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK};
  ExpectStep(sys_, {Call::kSocket}, arguments);
  ExpectStep(sys_, {Call::kConnect}, arguments, EINPROGRESS);
  ExpectClose();
  const absl::StatusOr<Socket> connection = tcp::Connect(
      GetParam().addr, GetParam().port, {SockFlags::kNonblock}, sys_);
  ASSERT_THAT(connection, IsOk());
  EXPECT_EQ(connection->fd(), kFd);
}

INSTANTIATE_TEST_SUITE_P(Families, ConnectInterrupted,
                         testing::ValuesIn(TestedEndpoints()),
                         [](const auto& tested) {
                           return FamilyName(tested.param);
                         });

}  // namespace
}  // namespace net
