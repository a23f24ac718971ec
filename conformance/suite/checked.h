#ifndef CONFORMANCE_SUITE_CHECKED_H_
#define CONFORMANCE_SUITE_CHECKED_H_

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/harness_error.h"
#include "syscalls/errors/error.h"

// Checks calls of the suite's own code that must not fail. A failure becomes a
// HarnessError.

namespace net::conformance {

// Throws a HarnessError with the error's message, unless the status is OK.
inline void Checked(const absl::Status& status) {
  if (!status.ok()) throw HarnessError(std::string(status.message()));
}
template <typename T>
T Checked(absl::StatusOr<T> result) {
  Checked(result.status());
  return *std::move(result);
}

// Returns `result`, the return value of a libc call. If it is negative, throws
// a HarnessError with `operation` and the errno's symbol.
inline int64_t Checked(int64_t result, absl::string_view operation) {
  if (result < 0) Checked(ErrnoError(errno, operation));
  return result;
}
inline int CheckedFd(int result, absl::string_view operation) {
  return static_cast<int>(Checked(result, operation));
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_CHECKED_H_
