#include "conformance/program/case_programs.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/explain/c_program.h"
#include "conformance/page/page.h"
#include "conformance/suite/case.h"
#include "conformance/targets/targets.h"

namespace net::conformance {

const Target* FindRecordable(absl::Span<const Target> targets,
                             const Case& test_case) {
  const auto target =
      std::find_if(targets.begin(), targets.end(), [&](const Target& one) {
        return one.start_subject == nullptr && !one.on_fake_kernel &&
               FindCase({one}, test_case.id) != nullptr;
      });
  return target == targets.end() ? nullptr : &*target;
}

CasePrograms ProgramsOfCases(const std::set<std::string>& ids, int jobs) {
  const std::vector<Target> targets = MakeTargets({});
  CasePrograms programs;
  std::vector<Trial> trials;
  for (const std::string& id : ids) {
    const Case* const test_case = FindCase(targets, id);
    if (test_case == nullptr) {
      programs.emplace(
          id, absl::NotFoundError("the program that made this page does not "
                                  "have the case"));
      continue;
    }
    trials.push_back({.test_case = test_case,
                      .family = AddressFamiliesOf(test_case->families).front(),
                      .target = FindRecordable(targets, *test_case)});
  }
  std::vector<absl::StatusOr<std::string>> made = ProgramsOf(trials, jobs);
  for (size_t i = 0; i < trials.size(); ++i) {
    programs.emplace(trials[i].test_case->id, std::move(made[i]));
  }
  return programs;
}

}  // namespace net::conformance
