#ifndef FAKES_DIFFERENTIAL_TIMED_PRINT_TIMED_H_
#define FAKES_DIFFERENTIAL_TIMED_PRINT_TIMED_H_

#include <string>

#include "absl/strings/string_view.h"
#include "fakes/differential/timed/timed_differ.h"

namespace net::differential {

// Returns the program as a C++ function, up to the step that differs, with the
// results on Linux and on the FakeKernel as comments. The function runs on a
// FakeKernel. The comments have the times.
std::string PrintTimedDifference(absl::string_view name,
                                 const TimedDifference& difference);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_PRINT_TIMED_H_
