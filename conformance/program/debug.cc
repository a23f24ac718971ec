#include "conformance/program/debug.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "conformance/engine/last_calls.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/program/run.h"

namespace net::conformance {
namespace {

// Prints the record of the trial, and ends the process. A task of the case may
// still run, so there are no destructors.
[[noreturn]] void Conclude(const Trial& trial, const LastCalls& calls,
                           const TrialReport& report) {
  Record record{
      .trial = trial, .verdict = report.verdict, .version = report.version};
  if (!IsExpected(record.verdict)) record.verdict.calls = calls.Text();
  std::cout << FormatRecord(record) << std::flush;
  _exit(IsExpected(record.verdict) ? kAsExpected : kUnexpected);
}

}  // namespace

absl::StatusOr<Trial> FindTrial(absl::Span<const Target* const> targets,
                                absl::string_view name) {
  if (targets.size() != 1) {
    return absl::InvalidArgumentError(
        "needs exactly one implementation; select it with --implementations");
  }
  const Target& target = *targets.front();
  if (!target.missing.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(target.name, ": ", target.missing));
  }
  absl::string_view id = name;
  std::string family;
  if (absl::ConsumeSuffix(&id, "/v6")) family = "v6";
  if (absl::ConsumeSuffix(&id, "/v4")) family = "v4";
  const auto test_case = FindNamedCase({target}, id);
  if (!test_case.ok()) return test_case.status();
  const std::vector<Trial> trials = MakeTrials({*test_case}, targets);
  const auto trial =
      std::find_if(trials.begin(), trials.end(), [&](const Trial& one) {
        return family.empty() || AddressFamilyName(one.family) == family;
      });
  if (trial == trials.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(id, " has no trial on ", family));
  }
  return *trial;
}

int Debug(absl::Span<const Target* const> targets, const std::string& name) {
  const absl::StatusOr<Trial> trial = FindTrial(targets, name);
  if (!trial.ok()) {
    return Fail(absl::StrCat("--debug: ", trial.status().message()));
  }
  // A case must see SIGPIPE, but this process may have inherited it as ignored.
  std::signal(SIGPIPE, SIG_DFL);
  IdleSubjects subjects;
  const std::unique_ptr<Subject> subject = subjects.Take(*trial);
  if (subject != nullptr) subject->Begin(TrialName(*trial));
  LastCalls calls;
  std::cout << TrialName(*trial) << " runs in process " << getpid()
            << std::endl;
  RunTrial(*trial, subject.get(), calls,
           [&](const TrialReport& report) { Conclude(*trial, calls, report); });
  return Fail("--debug: the trial ended without a verdict");
}

}  // namespace net::conformance
