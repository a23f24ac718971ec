#ifndef CONFORMANCE_SUITE_HARNESS_ERROR_H_
#define CONFORMANCE_SUITE_HARNESS_ERROR_H_

#include <stdexcept>

namespace net::conformance {

// Thrown by an Environment that cannot do what it has promised. Ends the case:
// its outcome is `harness-error`, for nothing was learned of the
// implementation.
class HarnessError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_HARNESS_ERROR_H_
