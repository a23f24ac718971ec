#ifndef CONFORMANCE_ENGINE_CLAIMS_H_
#define CONFORMANCE_ENGINE_CLAIMS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// The claims of `unsupported` that the same implementation has disproved in
// another case: everything that the call asked for was done there. A line each.
// Such a claim hides a failure.
std::vector<std::string> FalseClaims(absl::Span<const Record> records);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_CLAIMS_H_
