#ifndef CONFORMANCE_DRIVER_HOST_SMOKE_CASES_H_
#define CONFORMANCE_DRIVER_HOST_SMOKE_CASES_H_

#include "absl/types/span.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// A dozen cases about the driver itself: what it must be able to do before
// there is a point in judging the implementation behind it. An outcome of
// `unsupported` is a failure here.
absl::Span<const Case> SmokeCases();

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_SMOKE_CASES_H_
