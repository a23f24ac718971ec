#include <cerrno>

#include "absl/status/statusor.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"
#include "tcp/tcp.h"

namespace {

using net::Fail;
using net::IsErrno;
using net::IsOk;
using net::Succeed;
using testing::_;
using testing::InSequence;

// The code under test: retries once, because a server that is starting may
// refuse.
absl::StatusOr<net::Socket> ConnectPatiently(uint16_t port,
                                             net::Syscalls& sys) {
  auto socket = net::tcp::Connect(net::ip::kLocalV4, port, {}, sys);
  if (net::KindOf(socket) != net::ErrorKind::kRefused) return socket;
  return net::tcp::Connect(net::ip::kLocalV4, port, {}, sys);
}

// [sample]
TEST(ConnectPatiently, TriesAgainWhenRefused) {
  net::MockSyscalls sys;  // strict: a call that is not expected fails the test
  InSequence in_this_order;
  EXPECT_CALL(sys, Socket(AF_INET, _, _)).WillOnce(Succeed(3));
  EXPECT_CALL(sys, Connect(3, _, _)).WillOnce(Fail(ECONNREFUSED));
  EXPECT_CALL(sys, Close(3)).WillOnce(Succeed());
  EXPECT_CALL(sys, Socket(AF_INET, _, _)).WillOnce(Succeed(4));
  EXPECT_CALL(sys, Connect(4, _, _)).WillOnce(Succeed());
  EXPECT_CALL(sys, Close(4)).WillOnce(Succeed());

  EXPECT_THAT(ConnectPatiently(4711, sys), IsOk());
}
// [/sample]

// [sample]
TEST(ConnectPatiently, ReportsThatDescriptorsRanOut) {
  net::MockSyscalls sys;
  EXPECT_CALL(sys, Socket).WillOnce(Fail(EMFILE));

  EXPECT_THAT(ConnectPatiently(4711, sys), IsErrno(EMFILE));
}
// [/sample]

}  // namespace
