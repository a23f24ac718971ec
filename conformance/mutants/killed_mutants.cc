#include "conformance/mutants/killed_mutants.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "conformance/explain/killed_mutants.h"
#include "conformance/mutants/examination.h"
#include "conformance/mutants/museum.h"

namespace net::conformance {

KilledMutant Killed(const Mutant& bug, absl::Span<const Finding> findings) {
  const bool is_real = bug.report.year != 0;
  KilledMutant killed = {
      .name = std::string(bug.name),
      .source = is_real
                    ? absl::StrCat(bug.report.project, ", ", bug.report.year)
                    : "",
      .text = std::string(is_real ? bug.report.noticed : bug.mistake),
      .killers = {}};
  for (const Finding& one : findings) {
    if (!one.found) continue;
    const std::string id(one.test_case->id);
    killed.killers.push_back(
        {.test_case = id,
         .by_requirement = std::find(bug.killers.begin(), bug.killers.end(),
                                     id) != bug.killers.end()});
  }
  return killed;
}

std::string KilledMutantsText(const std::vector<KilledMutant>& all) {
  return absl::StrCat(
      "# Bugs and all cases that find them, for --explain. \"!\" is before a "
      "case whose requirement the bug violates. Made by:\n"
      "# ./bazelw run //conformance/mutants -- --all-cases "
      "--killed=$PWD/conformance/explain/killed_mutants.txt\n",
      FormatKilledMutants(all));
}

}  // namespace net::conformance
