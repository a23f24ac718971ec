#ifndef CONFORMANCE_ENGINE_CLAIMS_H_
#define CONFORMANCE_ENGINE_CLAIMS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// Returns the false claims of `unsupported`, a line each. A claim is false if
// the implementation did everything that the call asked for in other cases. A
// false claim hides a failure.
std::vector<std::string> FalseClaims(absl::Span<const Record> records);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_CLAIMS_H_
