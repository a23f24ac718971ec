#ifndef SYSCALLS_TESTING_MATCHERS_H_
#define SYSCALLS_TESTING_MATCHERS_H_

#include <optional>
#include <ostream>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"
#include "syscalls/errors/error_kind.h"

// GoogleTest matchers for types that carry an errno: SysResult, absl::Status,
// absl::StatusOr<T>, and any type with ok() and, in its own namespace,
// ErrnoOf() and KindOf(). They print an errno's symbol:
//
//   EXPECT_THAT(tcp::Connect(ip::kLocalV4, port), IsErrno(ECONNREFUSED));
//
//   Value of: tcp::Connect(ip::kLocalV4, port)
//   Expected: is errno ECONNREFUSED
//     Actual: UNKNOWN: connect 127.0.0.1:80: ETIMEDOUT: ..., which is errno
//     ETIMEDOUT
//
// A StatusOr<T> is printed as its error, or as "OK: " and its value. If
// GoogleTest would print the value as bytes, only "OK" is printed. To print a
// T, define operator<< in its namespace.

namespace net::matchers_internal {

template <typename T>
concept HasPrinter = requires(const T& value, std::ostream& os) {
  os << value;
}
|| requires(const T& value, std::ostream& os) { PrintTo(value, &os); };

// Whether GoogleTest can print the values of a type. Otherwise it prints their
// bytes.
template <typename T>
struct PrintTraits {
  static constexpr bool IsPrintable() {
    if constexpr (HasPrinter<T>) {
      return true;
    } else if constexpr (std::ranges::range<T>) {
      return PrintTraits<std::ranges::range_value_t<T>>::IsPrintable();
    } else {
      return false;
    }
  }
};
template <typename... Ts>
struct PrintTraits<std::tuple<Ts...>> {
  static constexpr bool IsPrintable() {
    return (PrintTraits<Ts>::IsPrintable() && ...);
  }
};
template <typename... Ts>
struct PrintTraits<std::variant<Ts...>> : PrintTraits<std::tuple<Ts...>> {};
template <typename A, typename B>
struct PrintTraits<std::pair<A, B>> : PrintTraits<std::tuple<A, B>> {};
template <typename T>
struct PrintTraits<std::optional<T>> : PrintTraits<T> {};

template <typename T>
concept Printable = PrintTraits<std::remove_cvref_t<T>>::IsPrintable();

// Writes the part of a mismatch that describes a value.
template <typename T>
void ExplainValue(const T& value, std::ostream* os) {
  *os << "which holds ";
  if constexpr (Printable<T>) {
    *os << testing::PrintToString(value);
  } else {
    *os << "a value that GoogleTest cannot print";
  }
}

// Writes the part of a mismatch that describes an error, which may have no
// errno.
template <typename Result>
void ExplainError(const Result& result, std::ostream* os) {
  if (const int error = ErrnoOf(result)) {
    *os << "which is errno " << ErrnoSymbol(error);
  } else {
    *os << "which is an error without errno";
  }
}

}  // namespace net::matchers_internal

// GoogleTest finds PrintTo() in the namespace of the type. Without this
// function, and with an abseil older than 2024, it prints a StatusOr as bytes.
namespace absl {  // NOLINT(abseil-no-namespace)

template <typename T>
void PrintTo(const StatusOr<T>& result, std::ostream* os) {
  if (!result.ok()) {
    *os << result.status();
    return;
  }
  *os << "OK";
  if constexpr (net::matchers_internal::Printable<T>) {
    *os << ": " << testing::PrintToString(*result);
  }
}

}  // namespace absl

namespace net {

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
  if (result_listener->IsInterested()) {
    // GoogleTest may print another library's result without its value.
    matchers_internal::ExplainValue(arg.value(), result_listener->stream());
  }
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

#endif  // SYSCALLS_TESTING_MATCHERS_H_
