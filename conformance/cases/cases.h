#ifndef CONFORMANCE_CASES_CASES_H_
#define CONFORMANCE_CASES_CASES_H_

#include <vector>

#include "conformance/suite/case.h"

namespace net::conformance {

// Returns the cases of every file of this folder, in the order of the list in
// BUILD.bazel. The file listen_port.cc defines ListenPortCases(), which returns
// its part.
const std::vector<Case>& AllCases();

}  // namespace net::conformance

#endif  // CONFORMANCE_CASES_CASES_H_
