#ifndef FAKES_DIFFERENTIAL_DEVIATIONS_DEVIATION_H_
#define FAKES_DIFFERENTIAL_DEVIATIONS_DEVIATION_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net::fake {

// A way in which the patched FakeKernel differs from Linux on purpose.
struct Deviation {
  // The programs that show it.
  enum Kind { kPlain, kThreads, kTimed };

  absl::string_view name;
  absl::string_view meaning;  // what a kernel with the deviation does
  Kind kind;
};

// The list of deviations.bzl.
absl::Span<const Deviation> Deviations();

// Gives all FakeKernels of the process the deviation with this name; "" selects
// none. Returns false if there is no such deviation. Call it only while there
// is no FakeKernel.
bool SelectDeviation(absl::string_view name);

// Returns whether the deviation is selected. The patched sources call it.
bool Deviates(absl::string_view name);

}  // namespace net::fake

#endif  // FAKES_DIFFERENTIAL_DEVIATIONS_DEVIATION_H_
