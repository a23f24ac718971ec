// The program //conformance:portable: see kHelp and docs/PORTABLE.md.

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/expectations.h"
#include "conformance/engine/files.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"
#include "conformance/one_file/embedded.h"
#include "conformance/one_file/init.h"
#include "conformance/one_file/one_process.h"
#include "conformance/one_file/recorded.h"
#include "conformance/page/case_list.h"
#include "conformance/suite/case.h"
#include "conformance/targets/linux_target.h"
#include "nlohmann/json.hpp"
#include "syscalls/sandbox/watched_child.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(bool, help, false, "");
ABSL_FLAG(bool, list, false, "");
ABSL_FLAG(std::vector<std::string>, cases, {}, "");
ABSL_FLAG(bool, fork, true, "");
ABSL_FLAG(int, jobs, net::conformance::DefaultJobs(), "");
ABSL_FLAG(absl::Duration, timeout, absl::Seconds(60), "");
ABSL_FLAG(std::string, recorded, "", "");
ABSL_FLAG(std::string, write_recorded, "", "");

namespace net::conformance {
namespace {

constexpr absl::string_view kHelp =
    R"(Judges the kernel that it runs on: do its TCP sockets do what Linux's do? Needs no
other file.

  portable [flags]

  --cases=GLOB,...       run only these cases: --cases='kernel.listen.*'
  --nofork               run all cases in this process, each in a thread; a crash
                         then ends the run. The default without fork(2)
  --jobs=N               with fork(2): run N cases at a time (twice the
                         processors, at least 16; 8 on one processor)
  --timeout=DURATION     give up a case that takes longer (60s)
  --recorded=FILE        compare with the outcomes in FILE, not with those of Linux
                         that the program has
  --write-recorded=FILE  write the outcomes into FILE
  --list                 print the cases and exit
  --help                 print this and exit

Writes a JSON line for each case to the standard output as the case ends, and a
last one with the counts: "summary". The report for people goes to the standard
error. A case whose needs the kernel does not meet is a precondition: a second
user, a network of its own, IPv6, /proc, exec.

As the first process of a machine it mounts /proc, sets the loopback interface up,
and switches the machine off at the end.

On an older Linux, each known difference from Linux 6.18 is an expected failure,
with the version that brought the change.

Exit status: 0 all outcomes were expected, and as recorded or variations; 1
something else; 2 a usage or harness error.
)";

// As those of //conformance.
constexpr int kAsExpected = 0;
constexpr int kUnexpected = 1;
constexpr int kError = 2;

int Fail(absl::string_view message) {
  std::cerr << "portable: " << message << "\n";
  return kError;
}

absl::StatusOr<RecordedOutcomes> ReadRecorded() {
  const std::string path = absl::GetFlag(FLAGS_recorded);
  if (path.empty()) return RecordedOutcomes::Parse(kRecordedOnLinux);
  const absl::StatusOr<std::string> text = ReadFile(FromCallersFolder(path));
  if (!text.ok()) return text.status();
  return RecordedOutcomes::Parse(*text);
}

// Returns "Linux 6.18.44 x86_64, uid 0".
std::string ThisKernel() {
  utsname system = {};
  uname(&system);
  return absl::StrCat(system.sysname, " ", system.release, " ", system.machine,
                      ", uid ", geteuid());
}

// Returns whether trials can have processes of their own. Prints why not.
bool CanFork() {
  if (!absl::GetFlag(FLAGS_fork)) return false;
  const absl::StatusOr<std::string> child =
      sandbox::RunInChild([] { return std::string(); });
  if (child.ok()) return true;
  std::cerr << "All cases run in one process: " << child.status().message()
            << "\n";
  return false;
}

std::vector<Record> RunAll(std::vector<Trial> trials,
                           Expectations& expectations, bool forks) {
  std::vector<Record> records;
  for (Trial& trial : trials) trial.may_hang = expectations.MayHang(trial);
  const auto on_record = [&](Record record) {
    expectations.Apply(record);
    // Flush, so that a crash of the kernel does not hide what was before it.
    std::cout << RecordToJson(record) << std::endl;
    records.push_back(std::move(record));
  };
  const RunnerOptions options = {.jobs = std::max(1, absl::GetFlag(FLAGS_jobs)),
                                 .timeout = absl::GetFlag(FLAGS_timeout)};
  if (forks) {
    RunTrials(trials, options, on_record);
  } else {
    RunTrialsInOneProcess(trials, options, on_record);
  }
  SortRecords(trials, records);
  return records;
}

int StatusOf(absl::Span<const Record> records, const Comparison& comparison) {
  int status = kAsExpected;
  for (const Record& record : records) {
    if (record.verdict.outcome == Outcome::kHarnessError) return kError;
    if (!IsExpected(record.verdict)) status = kUnexpected;
  }
  const bool differs =
      std::any_of(comparison.different.begin(), comparison.different.end(),
                  [](const Record* one) { return !IsAllowed(*one); });
  return differs ? kUnexpected : status;
}

std::string RecordedName(const Record& record,
                         const RecordedOutcomes& recorded) {
  return std::string(OutcomeName(
      *recorded.Find(record.trial.test_case->id, record.trial.family)));
}

// Returns the last line of the records.
std::string SummaryToJson(absl::Span<const Record> records,
                          const Comparison& comparison,
                          const RecordedOutcomes& recorded, int status) {
  const CaseList list = CaseListOf(records);
  nlohmann::ordered_json outcomes;
  for (const Outcome outcome : kAllOutcomes) {
    const auto count = std::count_if(
        records.begin(), records.end(),
        [&](const Record& one) { return one.verdict.outcome == outcome; });
    if (count > 0) outcomes[std::string(OutcomeName(outcome))] = count;
  }
  auto different = nlohmann::ordered_json::array();
  for (const Record* record : comparison.different) {
    different.push_back(
        {{"case", std::string(record->trial.test_case->id)},
         {"axis", std::string(AddressFamilyName(record->trial.family))},
         {"recorded", RecordedName(*record, recorded)},
         {"outcome", std::string(OutcomeName(record->verdict.outcome))}});
  }
  const nlohmann::ordered_json summary = {
      {"kernel", ThisKernel()},  {"trials", records.size()},
      {"outcomes", outcomes},    {"cases", list.cases},
      {"list", list.hash},       {"recorded_on", recorded.on()},
      {"same", comparison.same}, {"not_recorded", comparison.not_recorded},
      {"different", different},  {"status", status}};
  return nlohmann::ordered_json{{"summary", summary}}.dump();
}

// Prints the report for people.
void PrintReport(absl::Span<const Record> records, const Comparison& comparison,
                 const RecordedOutcomes& recorded) {
  const CaseList list = CaseListOf(records);
  std::cerr << "\n" << FormatReport(records) << "\n";
  for (const Record* record : comparison.different) {
    std::cerr << "differs from " << recorded.on() << ": "
              << TrialName(record->trial) << ": " << EndingName(record->verdict)
              << " instead of " << RecordedName(*record, recorded) << "\n";
  }
  std::cerr << CountsText(records) << ". " << list.cases << " cases (list "
            << list.hash << ")\n"
            << ThisKernel() << ", compared with " << recorded.on() << ": "
            << comparison.same << " the same, " << comparison.different.size()
            << " different, " << comparison.preconditions
            << " could not run here, " << comparison.not_recorded
            << " not recorded\n";
}

int Judge() {
  const absl::StatusOr<RecordedOutcomes> recorded = ReadRecorded();
  if (!recorded.ok()) return Fail(recorded.status().message());
  const bool forks = CanFork();
  const std::vector<Target> targets = {
      MakeLinuxTarget({.shares_process = !forks})};
  const std::vector<const Target*> selected = {&targets.front()};
  const auto cases = SelectCases(selected, absl::GetFlag(FLAGS_cases));
  if (!cases.ok()) return Fail(cases.status().message());
  if (absl::GetFlag(FLAGS_list)) {
    std::cout << FormatCaseList(*cases);
    return kAsExpected;
  }
  absl::StatusOr<Expectations> expectations =
      Expectations::Parse(kLinuxExpectations, targets.front().expectations,
                          Surroundings::Here(targets.front().version));
  if (!expectations.ok()) return Fail(expectations.status().message());
  std::cout << EnvironmentToJson() << std::endl;
  const std::vector<Record> records =
      RunAll(MakeTrials(*cases, selected), *expectations, forks);
  const Comparison comparison = Compare(records, *recorded);
  const int status = StatusOf(records, comparison);
  PrintReport(records, comparison, *recorded);
  std::cout << SummaryToJson(records, comparison, *recorded, status)
            << std::endl;
  if (const std::string path = absl::GetFlag(FLAGS_write_recorded);
      !path.empty()) {
    const absl::Status written =
        WriteFile(FromCallersFolder(path),
                  RecordedOutcomes::Of(records, ThisKernel()).Text());
    if (!written.ok()) return Fail(written.message());
  }
  return status;
}

int Main(absl::Span<char* const> arguments) {
  if (const absl::Status parsed = ParseFlags(arguments); !parsed.ok()) {
    return Fail(absl::StrCat(parsed.message(), " (--help shows the flags)"));
  }
  if (absl::GetFlag(FLAGS_help)) {
    std::cout << kHelp;
    return kAsExpected;
  }
  try {
    return Judge();
  } catch (const std::exception& e) {
    return Fail(e.what());
  }
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  const bool is_init = net::conformance::IsInit();
  std::vector<char*> arguments(argv + 1, argv + argc);
  if (is_init) {
    net::conformance::PrepareMachine();
    // Linux passes on to init the parameters that it does not know itself.
    std::erase_if(arguments, [](const char* word) {
      return !absl::StartsWith(word, "--");
    });
  }
  const int status = net::conformance::Main(arguments);
  // Not exit(): threads that --nofork left behind still use what it destroys.
  std::cout.flush();
  if (is_init) net::conformance::PowerOff();
  _exit(status);
}
