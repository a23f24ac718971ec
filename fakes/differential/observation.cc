#include "fakes/differential/observation.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace net::differential {

std::optional<size_t> FirstDifference(const Trace& left, const Trace& right) {
  const size_t common = std::min(left.size(), right.size());
  for (size_t i = 0; i < common; ++i) {
    if (left[i].text != right[i].text) return i;
  }
  if (left.size() != right.size()) return common;
  return std::nullopt;
}

}  // namespace net::differential
