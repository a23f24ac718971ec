#include "conformance/program/explain.h"

#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "conformance/engine/report.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/explain/c_program.h"
#include "conformance/explain/killed_mutants.h"
#include "conformance/program/case_programs.h"
#include "conformance/program/debug.h"
#include "conformance/program/recorded_kills.h"
#include "conformance/program/run.h"
#include "conformance/suite/case.h"

namespace net::conformance {
namespace {

// Returns the lines about the bugs that the case finds. Returns "" if the
// program was moved away from its files.
absl::StatusOr<std::string> MutantsOf(const Case& test_case) {
  const auto all = ReadRecordedKills();
  if (absl::IsNotFound(all.status())) return "";
  if (!all.ok()) return all.status();
  return FormatWhatItKills(*all, test_case);
}

// Returns the program of a case, or the reason why there is none.
absl::StatusOr<std::string> ProgramOn(absl::Span<const Target> targets,
                                      const std::string& name,
                                      const Case& test_case) {
  const Target* const target = FindRecordable(targets, test_case);
  if (target == nullptr) {
    return absl::UnimplementedError(
        "the implementation runs in a process of its own");
  }
  const absl::StatusOr<Trial> trial = FindTrial({target}, name);
  if (!trial.ok()) return trial.status();
  return ProgramsOf({*trial}, /*jobs=*/1).front();
}

}  // namespace

int Explain(absl::Span<const Target> targets, const std::string& name,
            bool only_program) {
  absl::string_view id = name;
  if (!absl::ConsumeSuffix(&id, "/v4")) absl::ConsumeSuffix(&id, "/v6");
  const auto test_case = FindNamedCase(targets, id);
  if (!test_case.ok()) {
    return Fail(absl::StrCat("--explain: ", test_case.status().message(),
                             " (--help shows the flags)"));
  }
  const absl::StatusOr<std::string> program =
      ProgramOn(targets, name, **test_case);
  if (only_program) {
    if (!program.ok()) {
      return Fail(absl::StrCat("no C program: ", program.status().message()));
    }
    std::cout << *program;
    return kAsExpected;
  }
  const absl::StatusOr<std::string> mutants = MutantsOf(**test_case);
  if (!mutants.ok()) {
    return Fail(mutants.status().message());
  }
  std::cout << FormatCase(**test_case) << *mutants;
  if (program.ok()) {
    std::cout << "  C program:   (--format=c prints it alone)\n\n" << *program;
  } else {
    std::cout << "  C program:   none: " << program.status().message() << "\n";
  }
  return kAsExpected;
}

}  // namespace net::conformance
