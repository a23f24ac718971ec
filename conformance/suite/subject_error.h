#ifndef CONFORMANCE_SUITE_SUBJECT_ERROR_H_
#define CONFORMANCE_SUITE_SUBJECT_ERROR_H_

#include <stdexcept>

namespace net::conformance {

// Thrown when the process under test (engine/subject.h) fails to do what the
// protocol requires of it. Ends the case with the outcome `crash`.
class SubjectError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_SUBJECT_ERROR_H_
