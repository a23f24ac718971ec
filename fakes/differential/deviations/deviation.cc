#include "fakes/differential/deviations/deviation.h"

#include <atomic>

#include "absl/strings/string_view.h"

namespace net::fake {
namespace {

std::atomic<const Deviation*> selected = nullptr;

}  // namespace

bool SelectDeviation(absl::string_view name) {
  if (name.empty()) {
    selected = nullptr;
    return true;
  }
  for (const Deviation& deviation : Deviations()) {
    if (deviation.name != name) continue;
    selected = &deviation;
    return true;
  }
  return false;
}

bool Deviates(absl::string_view name) {
  const Deviation* const deviation = selected;
  return deviation != nullptr && deviation->name == name;
}

}  // namespace net::fake
