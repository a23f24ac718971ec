#include "syscalls/testing/matchers.h"

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/sys_result.h"

namespace elsewhere {

// Another library's result type. The matchers find its functions by its
// namespace.
struct Outcome {
  int error = 0;
  bool ok() const { return error == 0; }
  int value() const { return 42; }
};

int ErrnoOf(const Outcome& outcome) { return outcome.error; }
std::optional<net::ErrorKind> KindOf(const Outcome& outcome) {
  if (outcome.ok()) return std::nullopt;
  return net::KindOfErrno(outcome.error);
}

}  // namespace elsewhere

namespace net {
namespace {

using ::testing::_;
using ::testing::Eq;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Matcher;
using ::testing::Not;
using ::testing::Pointee;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::StringMatchResultListener;

template <typename T>
std::string Explain(const Matcher<T>& matcher, const T& value) {
  StringMatchResultListener listener;
  matcher.MatchAndExplain(value, &listener);
  return listener.str();
}

template <typename T>
std::string Describe(const Matcher<T>& matcher) {
  return testing::DescribeMatcher<T>(matcher);
}

TEST(IsOkTest, MatchesSuccessOfEverySort) {
  EXPECT_THAT(SysResult::Ok(), IsOk());
  EXPECT_THAT(SysResult::Error(EIO), Not(IsOk()));
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(absl::UnknownError(""), Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(1), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(ErrnoError(EIO, "read")), Not(IsOk()));
  EXPECT_THAT(elsewhere::Outcome{}, IsOk());
  EXPECT_THAT(elsewhere::Outcome{EIO}, Not(IsOk()));
}

TEST(IsOkTest, DescribesTheErrno) {
  const Matcher<SysResult> matcher = IsOk();
  EXPECT_EQ(Describe(matcher), "is OK");
  EXPECT_EQ(Describe<SysResult>(Not(matcher)), "is an error");
  EXPECT_EQ(Explain(matcher, SysResult::Error(EMFILE)),
            "which is errno EMFILE");
  EXPECT_EQ(Explain(matcher, SysResult::Ok()), "");
  EXPECT_EQ(Explain<absl::Status>(IsOk(), absl::UnknownError("")),
            "which is an error without errno");
}

TEST(IsOkAndHoldsTest, MatchesTheValue) {
  EXPECT_THAT(SysResult::Ok(5), IsOkAndHolds(5));
  EXPECT_THAT(SysResult::Ok(5), IsOkAndHolds(Gt(4)));
  EXPECT_THAT(SysResult::Ok(5), Not(IsOkAndHolds(6)));
  EXPECT_THAT(SysResult::Error(5), Not(IsOkAndHolds(5)));
  EXPECT_THAT(SysResult::Error(5), Not(IsOkAndHolds(_)));
  EXPECT_THAT(absl::StatusOr<std::string>("text"), IsOkAndHolds("text"));
  EXPECT_THAT(elsewhere::Outcome{}, IsOkAndHolds(Eq(42)));
}

TEST(IsOkAndHoldsTest, TakesValuesThatCannotBeCopied) {
  absl::StatusOr<std::unique_ptr<int>> result = std::make_unique<int>(3);
  EXPECT_THAT(result, IsOkAndHolds(Pointee(3)));
}

TEST(IsOkAndHoldsTest, DescribesExpectedAndActual) {
  const Matcher<SysResult> matcher = IsOkAndHolds(Eq(5));
  EXPECT_EQ(Describe(matcher), "is OK and holds a value that is equal to 5");
  EXPECT_EQ(Describe<SysResult>(Not(matcher)),
            "is an error, or holds a value that isn't equal to 5");
  EXPECT_EQ(Explain(matcher, SysResult::Error(EMFILE)),
            "which is errno EMFILE");
  using Text = absl::StatusOr<std::string>;
  EXPECT_EQ(Explain<Text>(IsOkAndHolds("a"), Text("ab")), "which holds \"ab\"");
  EXPECT_EQ(Explain<Text>(IsOkAndHolds(SizeIs(1)), Text("ab")),
            "which holds \"ab\", whose size 2 doesn't match");
}

TEST(IsErrnoTest, MatchesThatErrnoOnly) {
  EXPECT_THAT(SysResult::Error(EPIPE), IsErrno(EPIPE));
  EXPECT_THAT(SysResult::Error(EPIPE), Not(IsErrno(EPERM)));
  EXPECT_THAT(SysResult::Ok(EPIPE), Not(IsErrno(EPIPE)));
  EXPECT_THAT(ErrnoError(EPIPE, "send"), IsErrno(EPIPE));
  EXPECT_THAT(absl::StatusOr<int>(ErrnoError(EPIPE, "send")), IsErrno(EPIPE));
  EXPECT_THAT(absl::UnknownError("EPIPE"), Not(IsErrno(EPIPE)));
  EXPECT_THAT(elsewhere::Outcome{EPIPE}, IsErrno(EPIPE));
}

// ErrnoOf() of a success is 0, which is not an errno.
TEST(IsErrnoTest, ASuccessHasNoErrno) {
  EXPECT_THAT(SysResult::Ok(), Not(IsErrno(0)));
  EXPECT_THAT(absl::OkStatus(), Not(IsErrno(0)));
}

TEST(IsErrnoTest, SpeaksInSymbols) {
  const Matcher<SysResult> matcher = IsErrno(ECONNREFUSED);
  EXPECT_EQ(Describe(matcher), "is errno ECONNREFUSED");
  EXPECT_EQ(Describe<SysResult>(Not(matcher)), "is not errno ECONNREFUSED");
  EXPECT_EQ(Explain(matcher, SysResult::Error(ETIMEDOUT)),
            "which is errno ETIMEDOUT");
  EXPECT_EQ(Explain(matcher, SysResult::Ok()), "which is OK");
  EXPECT_EQ(Explain<absl::Status>(IsErrno(EPIPE), absl::UnknownError("")),
            "which is an error without errno");
}

TEST(IsErrorKindTest, MatchesThatKindOnly) {
  EXPECT_THAT(SysResult::Error(EMFILE), IsErrorKind(ErrorKind::kTooManyFiles));
  EXPECT_THAT(SysResult::Error(ENFILE), IsErrorKind(ErrorKind::kTooManyFiles));
  EXPECT_THAT(SysResult::Error(EPIPE),
              Not(IsErrorKind(ErrorKind::kTooManyFiles)));
  EXPECT_THAT(SysResult::Ok(), Not(IsErrorKind(ErrorKind::kOpaque)));
  EXPECT_THAT(ErrnoError(EMFILE, "accept"),
              IsErrorKind(ErrorKind::kTooManyFiles));
  EXPECT_THAT(absl::UnknownError(""), IsErrorKind(ErrorKind::kOpaque));
  EXPECT_THAT(elsewhere::Outcome{EMFILE},
              IsErrorKind(ErrorKind::kTooManyFiles));
}

TEST(IsErrorKindTest, SpeaksInNames) {
  const Matcher<SysResult> matcher = IsErrorKind(ErrorKind::kRefused);
  EXPECT_EQ(Describe(matcher), "is an error of kind refused");
  EXPECT_EQ(Describe<SysResult>(Not(matcher)),
            "is not an error of kind refused");
  EXPECT_EQ(Explain(matcher, SysResult::Error(ETIMEDOUT)),
            "which is of kind timeout");
  EXPECT_EQ(Explain(matcher, SysResult::Ok()), "which is OK");
}

struct Opaque {
  int64_t content[2];
};

TEST(PrintingTest, AStatusOrIsItsStatusOrItsValue) {
  using testing::PrintToString;
  EXPECT_EQ(PrintToString(absl::StatusOr<int>(5)), "OK: 5");
  EXPECT_EQ(PrintToString(absl::StatusOr<std::string>("ab")), "OK: \"ab\"");
  EXPECT_EQ(PrintToString(absl::StatusOr<std::vector<int>>({1, 2})),
            "OK: { 1, 2 }");
  EXPECT_THAT(PrintToString(absl::StatusOr<int>(ErrnoError(EIO, "read"))),
              StartsWith("UNKNOWN: read: EIO: Input/output error"));
  // Not "OK: 16-byte object <00-00...".
  EXPECT_EQ(PrintToString(absl::StatusOr<Opaque>(Opaque{})), "OK");
}

TEST(PrintingTest, AValueInAStandardClassIsPrinted) {
  using testing::PrintToString;
  EXPECT_EQ(PrintToString(absl::StatusOr<std::optional<int>>(5)), "OK: (5)");
  EXPECT_EQ(
      PrintToString(absl::StatusOr<std::pair<int, std::string>>({1, "ab"})),
      "OK: (1, \"ab\")");
  EXPECT_EQ(PrintToString(absl::StatusOr<std::tuple<int, bool>>({1, true})),
            "OK: (1, true)");
  EXPECT_EQ(PrintToString(absl::StatusOr<std::optional<Opaque>>(Opaque{})),
            "OK");
  EXPECT_EQ(PrintToString(absl::StatusOr<std::vector<Opaque>>({Opaque{}})),
            "OK");
}

TEST(PrintingTest, AMismatchOfAValueShowsNoBytes) {
  using Result = absl::StatusOr<Opaque>;
  EXPECT_EQ(Explain<Result>(Not(IsOkAndHolds(_)), Result(Opaque{})),
            "which holds a value that GoogleTest cannot print");
}

TEST(PrintingTest, EveryKindOfFailureShowsTheStatus) {
  const absl::StatusOr<int> refused = ErrnoError(ECONNREFUSED, "connect");
  constexpr char kText[] =
      "Actual: UNAVAILABLE: connect: ECONNREFUSED: Connection refused";
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(refused, IsOk()), kText);
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(refused.status(), IsOk()), kText);
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(refused, IsOkAndHolds(1)), kText);
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(refused, IsErrno(EPIPE)), kText);
  EXPECT_NONFATAL_FAILURE(
      EXPECT_THAT(refused, IsErrorKind(ErrorKind::kTimeout)), kText);
  EXPECT_NONFATAL_FAILURE(
      EXPECT_THAT(std::vector<absl::StatusOr<int>>(1, refused), IsEmpty()),
      "UNAVAILABLE: connect: ECONNREFUSED");
}

}  // namespace
}  // namespace net
