#ifndef CONFORMANCE_DRIVER_HOST_VARIANTS_H_
#define CONFORMANCE_DRIVER_HOST_VARIANTS_H_

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/cases/cases.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "gtest/gtest.h"

// Runs cases with variants of the tree's Python driver (testdata/variant.py),
// for tests.

namespace net::conformance {

// For GoogleTest's messages.
inline void PrintTo(const Verdict& verdict, std::ostream* os) {
  *os << OutcomeName(verdict.outcome) << ": " << verdict.message;
}

inline Target VariantTarget(absl::string_view differences) {
  const std::string command = absl::StrCat(
      "python3 ", *FindRunfile("conformance/driver_host/testdata/variant.py"),
      " ", differences);
  return {
      .name = std::string(differences),
      .cases = AllCases(),
      .start_subject = [command] { return StartDriver({.line = command}); }};
}

// Runs the cases that match one of the globs, on IPv4. Returns the verdicts by
// case id.
using Verdicts = std::map<std::string, Verdict>;
inline Verdicts JudgeVariant(absl::string_view differences,
                             const std::vector<std::string>& globs,
                             const RunnerOptions& options = {
                                 .jobs = 4, .timeout = absl::Minutes(5)}) {
  const Target target = VariantTarget(differences);
  const auto cases = SelectCases({&target}, globs);
  EXPECT_TRUE(cases.ok()) << cases.status();
  if (!cases.ok()) return {};
  std::vector<Trial> trials;
  for (const Case* one : *cases) {
    if (one->families != AddressFamilies::kV6) {
      trials.push_back({.test_case = one, .target = &target});
    }
  }
  Verdicts verdicts;
  RunTrials(trials, options, [&](const Record& record) {
    verdicts[std::string(record.trial.test_case->id)] = record.verdict;
  });
  return verdicts;
}

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_VARIANTS_H_
