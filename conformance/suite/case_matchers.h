#ifndef CONFORMANCE_SUITE_CASE_MATCHERS_H_
#define CONFORMANCE_SUITE_CASE_MATCHERS_H_

#include <string>
#include <utility>

#include "conformance/suite/result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/testing/matchers.h"

// Matchers and macros for cases, in addition to GoogleTest's own and those of
// syscalls/testing/matchers.h.

namespace net::conformance {

// Matches a Result that failed with `error`, an errno. Compares the errno if
// the implementation reports one, else its kind.
MATCHER_P(Fails, error,
          std::string(negation ? "does not fail with " : "fails with ") +
              ErrnoSymbol(error) + " (kind " +
              std::string(KindName(KindOfErrno(error))) + ")") {
  const Error* failure = arg.error();
  if (failure == nullptr) return false;
  if (failure->error_number.has_value()) {
    return *failure->error_number == error;
  }
  return failure->kind == KindOfErrno(error);
}

}  // namespace net::conformance

// Declares `lhs` and moves the value of `rexpr`, a Result or a StatusOr, into
// it. If `rexpr` is an error, fails the case and returns from the function.
#define ASSERT_OK_AND_ASSIGN(lhs, rexpr) \
  CONFORMANCE_ASSERT_OK_AND_ASSIGN_(     \
      CONFORMANCE_CONCAT_(result_of_line_, __LINE__), lhs, rexpr)

// NOLINTBEGIN(bugprone-macro-parentheses): a declaration has none
#define CONFORMANCE_ASSERT_OK_AND_ASSIGN_(result, lhs, rexpr)              \
  auto result = (rexpr);                                                   \
  ASSERT_TRUE(result.ok()) << #rexpr << "\n  Actual: "                     \
                           << ::net::conformance::DescribeFailure(result); \
  lhs = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)

#define CONFORMANCE_CONCAT_(a, b) CONFORMANCE_CONCAT_INNER_(a, b)
#define CONFORMANCE_CONCAT_INNER_(a, b) a##b

namespace net::conformance {

template <typename T>
std::string DescribeFailure(const Result<T>& result) {
  return testing::PrintToString(result);
}
template <typename T>
std::string DescribeFailure(const absl::StatusOr<T>& result) {
  return result.status().ToString();
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_CASE_MATCHERS_H_
