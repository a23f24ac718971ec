#ifndef CONFORMANCE_DRIVER_HOST_SMOKE_CASES_H_
#define CONFORMANCE_DRIVER_HOST_SMOKE_CASES_H_

#include "absl/types/span.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// Returns a dozen cases about the driver itself: what it must support before
// the implementation behind it can be judged. The outcome `unsupported` is a
// failure here, except in cases of the level kShould.
absl::Span<const Case> SmokeCases();

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_SMOKE_CASES_H_
