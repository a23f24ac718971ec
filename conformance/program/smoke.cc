#include "conformance/program/smoke.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/driver_host/smoke_cases.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/report_groups.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/program/run.h"
#include "conformance/suite/case.h"

namespace net::conformance {
namespace {

// The time limit of a smoke case. A driver that is slow to start gets ten times
// its start time.
constexpr absl::Duration kSmokeTimeout = absl::Seconds(8);

// Runs the smoke cases, one at a time. Stops at the first one that hangs,
// because the others would hang, too.
std::vector<Record> RunSmoke(const Target& target,
                             absl::Duration start_of_driver,
                             const RunOptions& options) {
  Target smoke = target;
  smoke.cases = SmokeCases();
  const absl::Duration timeout =
      std::min(options.timeout, std::max(kSmokeTimeout, 10 * start_of_driver));
  IdleSubjects subjects;
  std::vector<Record> records;
  for (const Case& one : smoke.cases) {
    RunTrials(
        {{.test_case = &one, .family = AddressFamily::kV4, .target = &smoke}},
        {.timeout = timeout},
        [&](const Record& record) {
          records.push_back(record);
          records.back().trial.target = &target;
        },
        subjects);
    if (records.back().verdict.outcome == Outcome::kTimeout) break;
  }
  return records;
}

// Prints the outcomes of the smoke cases. Returns true if all passed.
bool SmokeOne(const Target& target, const RunOptions& options) {
  absl::Duration start;
  if (target.greet != nullptr) {
    const absl::StatusOr<SubjectGreeting> greeting = target.greet();
    if (!greeting.ok()) {
      std::cout << target.name << ": the driver failed "
                << greeting.status().message() << "\n";
      return false;
    }
    start = greeting->took;
  }
  const std::vector<Record> records = RunSmoke(target, start, options);
  const auto works = [](const Record& one) {
    return one.verdict.outcome == Outcome::kPass;
  };
  if (std::none_of(records.begin(), records.end(), works)) {
    // One message is enough, because all twelve would say the same.
    std::cout << target.name << ": the driver failed every check. The first:\n"
              << FormatRecord(records.front()) << "\n";
    return false;
  }
  // An optional command may be unsupported.
  const auto is_flawless = [&](const Record& one) {
    const bool is_left_out = one.verdict.outcome == Outcome::kUnsupported &&
                             one.trial.test_case->level != Level::kMust;
    return (works(one) || is_left_out) && IsExpected(one.verdict);
  };
  for (const Record& record : records) {
    std::cout << (is_flawless(record) ? FormatRecordLine(record)
                                      : FormatRecord(record))
              << "\n";
  }
  const size_t left = SmokeCases().size() - records.size();
  if (left > 0) {
    std::cout << left
              << " more checks were not run, because the driver hangs\n";
  }
  return left == 0 && std::all_of(records.begin(), records.end(), is_flawless);
}

}  // namespace

std::optional<std::string> FaultOfDriver(const Target& target,
                                         const RunOptions& options) {
  absl::Duration start;
  if (target.greet != nullptr) {
    const absl::StatusOr<SubjectGreeting> greeting = target.greet();
    if (!greeting.ok()) {
      return absl::StrCat("failed ", greeting.status().message());
    }
    start = greeting->took;
  }
  const std::vector<Record> records = RunSmoke(target, start, options);
  const bool works =
      std::any_of(records.begin(), records.end(), [](const Record& one) {
        return one.verdict.outcome == Outcome::kPass &&
               one.trial.test_case != &SmokeCases().front();
      });
  if (works) return std::nullopt;
  const auto first = std::find_if(
      records.begin(), records.end(),
      [](const Record& one) { return one.verdict.outcome != Outcome::kPass; });
  return absl::StrCat("failed the check `", first->trial.test_case->id,
                      "`: ", first->trial.test_case->requirement, "\n",
                      OutcomeName(first->verdict.outcome), ": ",
                      ShortMessage(first->verdict.message));
}

int Smoke(absl::Span<const Target* const> targets, const RunOptions& options) {
  int status = kAsExpected;
  for (const Target* target : targets) {
    if (!target->missing.empty()) {
      return Fail(absl::StrCat(target->name, ": ", target->missing));
    }
    if (!SmokeOne(*target, options)) status = kUnexpected;
  }
  return status;
}

}  // namespace net::conformance
