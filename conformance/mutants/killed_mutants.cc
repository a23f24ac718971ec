#include "conformance/mutants/killed_mutants.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/explain/killed_mutants.h"
#include "conformance/mutants/examination.h"
#include "conformance/mutants/museum.h"
#include "conformance/suite/case.h"

namespace net::conformance {

KilledMutant Killed(const Mutant& bug, absl::Span<const Finding> findings,
                    absl::Span<const KilledMutant::Killer> before) {
  std::map<absl::string_view, bool> found;  // by the case's id
  for (const KilledMutant::Killer& one : before) found[one.test_case] = true;
  for (const Finding& one : findings) found[one.test_case->id] = one.found;
  // In the order of the table of cases.
  std::map<std::pair<bool, const Case*>, std::string> killers;
  for (const auto& [id, is_found] : found) {
    const Case* const test_case = FindCaseOf(bug.layer, id);
    if (!is_found || test_case == nullptr) continue;
    const bool by_requirement =
        std::find(bug.killers.begin(), bug.killers.end(), id) !=
        bug.killers.end();
    killers.emplace(std::pair(!by_requirement, test_case), id);
  }
  const bool is_real = bug.report.year != 0;
  KilledMutant killed = {
      .name = std::string(bug.name),
      .source = is_real
                    ? absl::StrCat(bug.report.project, ", ", bug.report.year)
                    : "",
      .text = std::string(is_real ? bug.report.noticed : bug.mistake),
      .killers = {}};
  for (const auto& [place, id] : killers) {
    killed.killers.push_back({.test_case = id, .by_requirement = !place.first});
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
