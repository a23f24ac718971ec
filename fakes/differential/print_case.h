#ifndef FAKES_DIFFERENTIAL_PRINT_CASE_H_
#define FAKES_DIFFERENTIAL_PRINT_CASE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"

namespace net::differential {

// A program as C++ text: the function of a kernel case
// (conformance/suite/case.h), straight-line calls of Syscalls with what the
// oracle answered as expectations. An answer that has no short form in C++
// stands behind it as a comment.
std::string PrintCase(absl::string_view name, const Program& program,
                      const Trace& expected);

// The same, and before it, as a comment, what the subject answered instead.
std::string PrintDifference(absl::string_view name,
                            const Difference& difference);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_PRINT_CASE_H_
