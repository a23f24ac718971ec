#include "syscalls/errors/error.h"

#include <cerrno>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

TEST(ErrorTest, TheMessageNamesOperationEndpointAndSymbol) {
  const absl::Status status =
      ErrnoError(EACCES, "listen", ip::Endpoint{ip::kLocalV6, 80});
  EXPECT_THAT(Message(status), HasSubstr("listen"));
  EXPECT_THAT(Message(status), HasSubstr("[::1]:80"));
  EXPECT_THAT(Message(status), HasSubstr("EACCES"));
}

TEST(ErrorTest, WithoutEndpointTheMessageNamesNone) {
  const absl::Status status = ErrnoError(EBADF, "accept");
  EXPECT_THAT(Message(status), HasSubstr("accept"));
  EXPECT_THAT(Message(status), HasSubstr("EBADF"));
  EXPECT_THAT(Message(status), Not(HasSubstr("0.0.0.0")));
}

// A remedy appears only for the operations to which it applies: listening on
// the port needs a privilege, connecting to it does not.
TEST(ErrorTest, TheMessageAdvisesWhereThereIsAdvice) {
  const std::string listen = Message(ErrnoError(EACCES, "listen"));
  const std::string connect = Message(ErrnoError(EACCES, "connect"));
  EXPECT_THAT(listen, HasSubstr("CAP_NET_BIND_SERVICE"));
  EXPECT_THAT(connect, Not(HasSubstr("CAP_NET_BIND_SERVICE")));
  EXPECT_THAT(Message(ErrnoError(EMFILE, "accept")),
              HasSubstr("RLIMIT_NOFILE"));
  EXPECT_THAT(Message(ErrnoError(EMFILE, "connect")),
              HasSubstr("RLIMIT_NOFILE"));
}

TEST(ErrorTest, TheErrnoIsReadBack) {
  for (int error = 1; error < 134; ++error) {
    const absl::Status status = ErrnoError(error, "connect");
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(ErrnoOf(status), error);
    EXPECT_EQ(status.code(), absl::ErrnoToStatusCode(error)) << error;
    EXPECT_EQ(KindOf(status), KindOfErrno(error)) << error;
  }
}

TEST(ErrorTest, AnErrnoWithoutNameIsCarriedToo) {
  EXPECT_EQ(ErrnoOf(ErrnoError(4711, "connect")), 4711);
  EXPECT_EQ(KindOf(ErrnoError(4711, "connect")), ErrorKind::kOpaque);
}

TEST(ErrorTest, TheErrnoTravelsWithCopies) {
  const absl::StatusOr<int> result = ErrnoError(ECONNREFUSED, "connect");
  const absl::StatusOr<int> copy = result;
  const absl::Status status = copy.status();
  EXPECT_EQ(ErrnoOf(result), ECONNREFUSED);
  EXPECT_EQ(ErrnoOf(copy), ECONNREFUSED);
  EXPECT_EQ(ErrnoOf(status), ECONNREFUSED);
  EXPECT_EQ(KindOf(copy), ErrorKind::kRefused);
}

TEST(ErrorTest, WhatDiffersInErrnoDiffers) {
  EXPECT_NE(ErrnoError(EMFILE, "accept"), ErrnoError(ENFILE, "accept"));
  EXPECT_EQ(ErrnoError(EMFILE, "accept"), ErrnoError(EMFILE, "accept"));
}

TEST(ErrorTest, ASuccessHasNeitherErrnoNorKind) {
  EXPECT_EQ(ErrnoOf(absl::OkStatus()), 0);
  EXPECT_EQ(KindOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(ErrnoOf(absl::StatusOr<int>(1)), 0);
  EXPECT_EQ(KindOf(absl::StatusOr<int>(1)), std::nullopt);
}

TEST(ErrorTest, AnotherStatusIsOpaque) {
  const absl::Status status = absl::NotFoundError("ENOENT, so to say");
  EXPECT_EQ(ErrnoOf(status), 0);
  EXPECT_EQ(KindOf(status), ErrorKind::kOpaque);
  absl::Status with_payload = status;
  with_payload.SetPayload("somebody/else", absl::Cord("13"));
  EXPECT_EQ(ErrnoOf(with_payload), 0);
}

TEST(ErrorTest, SysResultsHaveTheSameQuestions) {
  EXPECT_EQ(ErrnoOf(SysResult::Error(EPIPE)), EPIPE);
  EXPECT_EQ(KindOf(SysResult::Error(EPIPE)), ErrorKind::kBrokenPipe);
  EXPECT_EQ(ErrnoOf(SysResult::Ok(EPIPE)), 0);
  EXPECT_EQ(KindOf(SysResult::Ok(EPIPE)), std::nullopt);
}

}  // namespace
}  // namespace net
