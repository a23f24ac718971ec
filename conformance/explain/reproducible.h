#ifndef CONFORMANCE_EXPLAIN_REPRODUCIBLE_H_
#define CONFORMANCE_EXPLAIN_REPRODUCIBLE_H_

#include "absl/status/status.h"
#include "conformance/explain/script.h"

namespace net::conformance {

// Returns OK if the calls of a script have the same results whenever they are
// made. Otherwise the error says what the results depend on.
absl::Status CheckReproducible(const Script& script);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_REPRODUCIBLE_H_
