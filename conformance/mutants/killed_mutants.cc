#include "conformance/mutants/killed_mutants.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "conformance/mutants/museum.h"

namespace net::conformance {

std::string KilledMutantsText() {
  std::vector<std::string> lines;
  for (const auto* part : {&RealBugs(), &OwnBugs()}) {
    for (const Mutant& bug : *part) {
      const bool is_real = bug.report.year != 0;
      const std::string source =
          is_real ? absl::StrCat(bug.report.project, ", ", bug.report.year)
                  : "";
      for (const absl::string_view killer : bug.killers) {
        lines.push_back(absl::StrCat(killer, "\t", bug.name, "\t", source, "\t",
                                     is_real ? bug.report.noticed : bug.mistake,
                                     "\n"));
      }
    }
  }
  std::sort(lines.begin(), lines.end());
  return absl::StrCat(
      "# Cases and the bugs that they must find, for --explain. Made by:\n"
      "# ./bazelw run //conformance/mutants -- --killed "
      ">conformance/explain/killed_mutants.txt\n",
      absl::StrJoin(lines, ""));
}

}  // namespace net::conformance
