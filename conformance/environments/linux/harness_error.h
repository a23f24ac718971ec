#ifndef CONFORMANCE_ENVIRONMENTS_LINUX_HARNESS_ERROR_H_
#define CONFORMANCE_ENVIRONMENTS_LINUX_HARNESS_ERROR_H_

#include <cerrno>
#include <cstdint>
#include <stdexcept>

#include "absl/strings/string_view.h"
#include "conformance/suite/harness_error.h"
#include "syscalls/errors/error.h"

namespace net::conformance {

// The answer of a libc call that must not fail; a HarnessError if it does.
inline int64_t Checked(int64_t answer, absl::string_view operation) {
  if (answer < 0) {
    throw HarnessError(std::string(ErrnoError(errno, operation).message()));
  }
  return answer;
}
inline int CheckedFd(int answer, absl::string_view operation) {
  return static_cast<int>(Checked(answer, operation));
}

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_LINUX_HARNESS_ERROR_H_
