#ifndef SYSCALLS_MATCHERS_H_
#define SYSCALLS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "gmock/gmock.h"
#include "syscalls/errno_symbol.h"
#include "syscalls/error.h"
#include "syscalls/error_kind.h"

// GoogleTest matchers for everything that carries an errno: SysResult,
// absl::Status, absl::StatusOr<T>, and any type that has ok() and, in its own
// namespace, ErrnoOf() and KindOf(). They print symbols, never numbers alone:
//
//   EXPECT_THAT(tcp::Connect(ip::kLocalV4, port), IsErrno(ECONNREFUSED));
//
//   Value of: tcp::Connect(ip::kLocalV4, port)
//   Expected: is errno ECONNREFUSED
//     Actual: ..., which is errno ETIMEDOUT

namespace net {
namespace matchers_internal {

// What a matcher says of an error. Not every one was made of an errno.
template <typename Result>
void ExplainError(const Result& result, std::ostream* os) {
  if (const int error = ErrnoOf(result)) {
    *os << "which is errno " << ErrnoSymbol(error);
  } else {
    *os << "which is an error without errno";
  }
}

}  // namespace matchers_internal

// Matches a success.
MATCHER(IsOk, negation ? "is an error" : "is OK") {
  if (arg.ok()) return true;
  if (result_listener->IsInterested()) {
    matchers_internal::ExplainError(arg, result_listener->stream());
  }
  return false;
}

// Matches a success whose value matches `inner`, a matcher or a value.
MATCHER_P(
    IsOkAndHolds, inner,
    (negation ? "is an error, or holds a value that "
              : "is OK and holds a value that ") +
        testing::DescribeMatcher<
            decltype(std::declval<const std::decay_t<arg_type>&>().value())>(
            inner, negation)) {
  if (!arg.ok()) {
    if (result_listener->IsInterested()) {
      matchers_internal::ExplainError(arg, result_listener->stream());
    }
    return false;
  }
  testing::StringMatchResultListener why;
  const bool matches = testing::ExplainMatchResult(inner, arg.value(), &why);
  // The library prints a StatusOr as bytes.
  *result_listener << "which holds " << testing::PrintToString(arg.value());
  if (!why.str().empty()) *result_listener << ", " << why.str();
  return matches;
}

// Matches a failure with the errno `error`.
MATCHER_P(IsErrno, error,
          (negation ? "is not errno " : "is errno ") + ErrnoSymbol(error)) {
  if (arg.ok()) {
    *result_listener << "which is OK";
    return false;
  }
  if (result_listener->IsInterested()) {
    matchers_internal::ExplainError(arg, result_listener->stream());
  }
  return ErrnoOf(arg) == error;
}

// Matches a failure of the kind `kind`.
MATCHER_P(IsErrorKind, kind,
          std::string(negation ? "is not an error of kind "
                               : "is an error of kind ") +
              std::string(KindName(kind))) {
  if (arg.ok()) {
    *result_listener << "which is OK";
    return false;
  }
  *result_listener << "which is of kind " << *KindOf(arg);
  return KindOf(arg) == kind;
}

}  // namespace net

#endif  // SYSCALLS_MATCHERS_H_
