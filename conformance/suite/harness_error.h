#ifndef CONFORMANCE_SUITE_HARNESS_ERROR_H_
#define CONFORMANCE_SUITE_HARNESS_ERROR_H_

#include <stdexcept>

namespace net::conformance {

// Thrown when an operation of an Environment fails, and when a case uses
// something that is not among its needs. Ends the case with the outcome
// `harness-error`, because the failure shows nothing about the implementation.
class HarnessError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_HARNESS_ERROR_H_
