#ifndef FAKES_DIFFERENTIAL_PRINT_CASE_H_
#define FAKES_DIFFERENTIAL_PRINT_CASE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"

namespace net::differential {

// Returns a program as C++ text: the function of a kernel case
// (conformance/suite/case.h) with straight-line calls of Syscalls. The oracle's
// results are expectations. A result without a short form in C++ is a comment
// after the call.
std::string PrintCase(absl::string_view name, const Program& program,
                      const Trace& expected);

// Returns the same, preceded by a comment with both results of the last call.
std::string PrintDifference(absl::string_view name,
                            const Difference& difference);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_PRINT_CASE_H_
