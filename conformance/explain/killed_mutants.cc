#include "conformance/explain/killed_mutants.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace net::conformance {

absl::StatusOr<std::vector<KilledMutant>> ParseKilledMutants(
    absl::string_view lines) {
  std::vector<KilledMutant> all;
  for (const absl::string_view line :
       absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    if (absl::StartsWith(line, "#")) continue;
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (fields.size() != 4) {
      return absl::InvalidArgumentError(
          absl::StrCat("must have four fields: ", line));
    }
    all.push_back({.test_case = fields[0],
                   .name = fields[1],
                   .source = fields[2],
                   .text = fields[3]});
  }
  return all;
}

std::string FormatKilledMutants(const std::vector<KilledMutant>& all,
                                absl::string_view test_case) {
  std::string real;
  std::vector<std::string> names;
  for (const KilledMutant& one : all) {
    if (one.test_case != test_case) continue;
    names.push_back(one.name);
    if (one.source.empty()) continue;
    absl::StrAppend(&real, "    ", one.source, ": ", one.text, "\n");
  }
  if (names.empty()) return "";
  return absl::StrCat(
      real.empty() ? "" : "  why it matters: it finds bugs that others had\n",
      real, "  mutants:     ", absl::StrJoin(names, ", "), "\n");
}

}  // namespace net::conformance
