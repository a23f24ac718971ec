#ifndef CONFORMANCE_SUITE_RESULT_H_
#define CONFORMANCE_SUITE_RESULT_H_

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <variant>

#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error_kind.h"

namespace net::conformance {

// The failure of an operation of the implementation under test. Every
// implementation must set `kind`, and `error_number` if its API has errnos.
// `text` is for people and is never compared.
struct Error {
  ErrorKind kind = ErrorKind::kOpaque;
  std::optional<int> error_number;
  std::string text;
};

// The claim that the implementation does not offer an operation or option.
// Makes `unsupported` the outcome of the case. Must not be used for failures.
struct Unsupported {
  std::string reason;
};

// The value of operations that only succeed or fail.
struct Done {};

// The result of an operation of the implementation under test: a value, an
// Error, or the claim that the operation is Unsupported.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that operations can return any of the three.
  // NOLINTBEGIN(google-explicit-constructor)
  Result(T value) : content_(std::move(value)) {}
  Result(Error error) : content_(std::move(error)) {}
  Result(Unsupported claim) : content_(std::move(claim)) {}
  // NOLINTEND(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(content_); }

  // Requires ok().
  const T& value() const& { return std::get<T>(content_); }
  T& value() & { return std::get<T>(content_); }
  T&& value() && { return std::get<T>(std::move(content_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  // Return null unless the result is an Error, or Unsupported.
  const Error* error() const { return std::get_if<Error>(&content_); }
  const Unsupported* unsupported() const {
    return std::get_if<Unsupported>(&content_);
  }

  // Returns the same failure as a result of another type. Requires !ok().
  template <typename U>
  Result<U> As() const {
    if (const Unsupported* claim = unsupported()) return *claim;
    return *error();
  }

 private:
  std::variant<T, Error, Unsupported> content_;
};

// Return the errno and the kind of a result, for the matchers of
// syscalls/testing/matchers.h. ErrnoOf() returns 0 if the result is OK or its
// errno is not known. KindOf() returns nullopt if the result is OK.
template <typename T>
int ErrnoOf(const Result<T>& result) {
  const Error* error = result.error();
  return error == nullptr ? 0 : error->error_number.value_or(0);
}
template <typename T>
std::optional<ErrorKind> KindOf(const Result<T>& result) {
  if (result.ok()) return std::nullopt;
  const Error* error = result.error();
  return error == nullptr ? ErrorKind::kUnsupported : error->kind;
}

// Returns the errno's symbol, or the kind's name if the errno is not known.
inline std::string ErrorName(const Error& error) {
  if (error.error_number) return ErrnoSymbol(*error.error_number);
  return std::string(KindName(error.kind));
}

template <typename T>
std::ostream& operator<<(std::ostream& os, const Result<T>& result) {
  if (const Unsupported* claim = result.unsupported()) {
    return os << "unsupported: " << claim->reason;
  }
  const Error* error = result.error();
  if (error == nullptr) return os << "ok";
  os << "error of kind " << error->kind;
  if (error->error_number) os << ", " << ErrnoSymbol(*error->error_number);
  return os << " (" << error->text << ")";
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_RESULT_H_
