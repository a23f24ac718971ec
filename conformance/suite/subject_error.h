#ifndef CONFORMANCE_SUITE_SUBJECT_ERROR_H_
#define CONFORMANCE_SUITE_SUBJECT_ERROR_H_

#include <stdexcept>

namespace net::conformance {

// Thrown where a process that is judged (engine/subject.h) does not do its
// part. Ends the case: its outcome is `crash`.
class SubjectError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_SUBJECT_ERROR_H_
