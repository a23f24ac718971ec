#include "conformance/driver_host/trap_program.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/engine/runfiles.h"
#include "fakes/trap/probe.h"

namespace net::conformance {
namespace {

absl::StatusOr<std::string> CheckTrap() {
  const std::optional<std::string> program = FindRunfile("fakes/trap/trap");
  if (!program.has_value()) {
    return absl::NotFoundError("the program fakes/trap/trap was not built");
  }
  if (absl::Status works = trap::CheckSeccomp(); !works.ok()) return works;
  return *program;
}

}  // namespace

absl::StatusOr<std::string> FindTrap() {
  static const auto& trap = *new absl::StatusOr<std::string>(CheckTrap());
  return trap;
}

}  // namespace net::conformance
