#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "absl/status/statusor.h"
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

namespace net {
namespace {

using ::testing::InSequence;

constexpr int kAccepted = 9;

// Accepts from kFd, a listener of the parameter's family, which must stay open
// until the test ends.
class AcceptTest : public testing::TestWithParam<ip::Endpoint> {
 protected:
  void SetUp() override {
    for (const Call call : {Call::kSocket, Call::kBind, Call::kListen}) {
      ExpectStep(sys_, {call}, {.endpoint = GetParam()});
    }
    listener_ = tcp::Listen(GetParam().addr, GetParam().port, {}, sys_);
    ASSERT_THAT(listener_, IsOk());
  }

  // Expects the close only here, so that an earlier one fails the test.
  void TearDown() override {
    if (!listener_.ok()) return;
    EXPECT_CALL(sys_, Close(kFd)).WillOnce(Succeed());
  }

  auto& ExpectAccept(int flags = SOCK_CLOEXEC) {
    return EXPECT_CALL(sys_, Accept4(kFd, nullptr, nullptr, flags));
  }

  MockSyscalls sys_;
  InSequence in_this_order_;
  absl::StatusOr<Socket> listener_;
};

TEST_P(AcceptTest, OwnsTheConnection) {
  ExpectAccept().WillOnce(Succeed(kAccepted));
  absl::StatusOr<Socket> connection = tcp::Accept(*listener_);
  ASSERT_THAT(connection, IsOk());
  EXPECT_EQ(connection->fd(), kAccepted);
  EXPECT_EQ(&connection->syscalls(), &sys_);
  EXPECT_CALL(sys_, Close(kAccepted)).WillOnce(Succeed());
}

TEST_P(AcceptTest, SetsFlagsInTheCallThatMakesTheDescriptor) {
  const struct {
    SockFlags flags;
    int bits;
  } cases[] = {
      {SockFlags::kNone, SOCK_CLOEXEC},
      {SockFlags::kNonblock, SOCK_CLOEXEC | SOCK_NONBLOCK},
      {SockFlags::kNoCloexec, 0},
      {SockFlags::kNonblock | SockFlags::kNoCloexec, SOCK_NONBLOCK},
  };
  for (const auto& [flags, bits] : cases) {
    SCOPED_TRACE(bits);
    ExpectAccept(bits).WillOnce(Succeed(kAccepted));
    EXPECT_CALL(sys_, Close(kAccepted)).WillOnce(Succeed());
    EXPECT_THAT(tcp::Accept(*listener_, flags), IsOk());
  }
}

TEST_P(AcceptTest, RefusesUnknownFlagsBeforeAnyCall) {
  for (const unsigned bits : {4u, 5u, 8u, 0x800u, 0x80000u, 1u << 31}) {
    EXPECT_THAT(tcp::Accept(*listener_, static_cast<SockFlags>(bits)),
                IsErrno(EINVAL));
  }
}

bool IsRetried(int error) { return error == EINTR || error == ECONNABORTED; }

TEST_P(AcceptTest, ReportsEveryOtherErrno) {
  int reported = 0;
  for (const int error : ErrnosOf(Call::kAccept4)) {
    if (IsRetried(error)) continue;
    SCOPED_TRACE(ErrnoSymbol(error));
    ExpectAccept().WillOnce(Fail(error));
    const absl::StatusOr<Socket> connection = tcp::Accept(*listener_);
    EXPECT_THAT(connection, IsErrno(error));
    EXPECT_THAT(connection, IsErrorKind(KindOfErrno(error)));
    ++reported;
  }
  EXPECT_EQ(reported, 22);  // accept4 has 24 rows in the table.
}

TEST_P(AcceptTest, RetriesErrnosOfOneConnection) {
  for (const int error : {EINTR, ECONNABORTED}) {
    for (const int times : {1, 2, 1000}) {
      SCOPED_TRACE(ErrnoSymbol(error));
      ExpectAccept().Times(times).WillRepeatedly(Fail(error));
      ExpectAccept().WillOnce(Succeed(kAccepted));
      EXPECT_CALL(sys_, Close(kAccepted)).WillOnce(Succeed());
      const absl::StatusOr<Socket> connection = tcp::Accept(*listener_);
      ASSERT_THAT(connection, IsOk());
      EXPECT_EQ(connection->fd(), kAccepted);
    }
  }
}

TEST_P(AcceptTest, RetriesWithTheSameFlags) {
  ExpectAccept(SOCK_NONBLOCK).WillOnce(Fail(EINTR));
  ExpectAccept(SOCK_NONBLOCK).WillOnce(Fail(ECONNABORTED));
  ExpectAccept(SOCK_NONBLOCK).WillOnce(Succeed(kAccepted));
  EXPECT_CALL(sys_, Close(kAccepted)).WillOnce(Succeed());
  EXPECT_THAT(
      tcp::Accept(*listener_, SockFlags::kNonblock | SockFlags::kNoCloexec),
      IsOk());
}

// EAGAIN ends the retries on a non-blocking listener, for example.
TEST_P(AcceptTest, ReportsWhatEndsTheRetries) {
  for (const int error : ErrnosOf(Call::kAccept4)) {
    if (IsRetried(error)) continue;
    SCOPED_TRACE(ErrnoSymbol(error));
    ExpectAccept().WillOnce(Fail(ECONNABORTED));
    ExpectAccept().WillOnce(Fail(EINTR));
    ExpectAccept().WillOnce(Fail(error));
    EXPECT_THAT(tcp::Accept(*listener_), IsErrno(error));
  }
}

INSTANTIATE_TEST_SUITE_P(Families, AcceptTest,
                         testing::ValuesIn(TestedEndpoints()),
                         [](const auto& tested) {
                           return FamilyName(tested.param);
                         });

TEST(Accept, OnAClosedListenerReportsTheKernelsEbadf) {
  MockSyscalls sys;
  EXPECT_CALL(sys, Accept4(-1, nullptr, nullptr, SOCK_CLOEXEC))
      .WillOnce(Fail(EBADF));
  EXPECT_THAT(tcp::Accept(Socket(-1, sys)), IsErrno(EBADF));
}

}  // namespace
}  // namespace net
