#include <vector>

#include "conformance/case.h"
#include "conformance/cases/cases.h"

namespace net::conformance {

const std::vector<Case>& DataEndingCases() {
  static const auto& cases = *new std::vector<Case>{};
  return cases;
}

}  // namespace net::conformance
