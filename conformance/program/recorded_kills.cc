#include "conformance/program/recorded_kills.h"

#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "conformance/engine/files.h"
#include "conformance/engine/runfiles.h"
#include "conformance/explain/killed_mutants.h"

namespace net::conformance {

absl::StatusOr<std::vector<KilledMutant>> ReadRecordedKills() {
  std::vector<KilledMutant> all;
  for (const char* const name : {"conformance/explain/killed_mutants.txt",
                                 "conformance/explain/source_mutants.txt"}) {
    const std::optional<std::string> path = FindRunfile(name);
    if (!path.has_value()) {
      return absl::NotFoundError(absl::StrCat("cannot find ", name));
    }
    const absl::StatusOr<std::string> lines = ReadFile(*path);
    if (!lines.ok()) return lines.status();
    const auto some = ParseKilledMutants(*lines);
    if (!some.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": ", some.status().message()));
    }
    std::copy(some->begin(), some->end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace net::conformance
