#include "conformance/program/run.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/claims.h"
#include "conformance/engine/expectations.h"
#include "conformance/engine/files.h"
#include "conformance/engine/grid.h"
#include "conformance/engine/next.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/progress.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/report_groups.h"
#include "conformance/engine/rerun.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/page/badge.h"
#include "conformance/page/case_list.h"
#include "conformance/page/page.h"
#include "conformance/page/records_file.h"
#include "conformance/program/case_programs.h"
#include "conformance/program/smoke.h"
#include "conformance/suite/case.h"
#include "nlohmann/json.hpp"
#include "syscalls/testing/command_line.h"

namespace net::conformance {
namespace {

// The number of trials that are run again. Of a hundred failures of one
// implementation most are deterministic.
constexpr size_t kMostRunAgain = 20;

// The file of --records, if any.
class RecordsFile {
 public:
  // Returns false if the file cannot be written.
  bool Open(const std::string& path) {
    file_.open(path, std::ios::trunc);
    return WriteLine(EnvironmentToJson());
  }
  bool Write(const Record& record) {
    return !file_.is_open() || WriteLine(RecordToJson(record));
  }
  // Replaces the records of a file that was opened.
  bool Rewrite(const std::string& path, absl::Span<const Record> records) {
    if (!file_.is_open()) return true;
    file_.close();
    return Open(path) &&
           std::all_of(records.begin(), records.end(),
                       [this](const Record& one) { return Write(one); });
  }

 private:
  bool WriteLine(const std::string& line) {
    // Flush, so that a line is in the file as soon as its case has ended.
    file_ << line << std::endl;
    return file_.good();
  }

  std::ofstream file_;
};

auto CountOn(AddressFamily family, absl::Span<const Trial> trials) {
  return std::count_if(
      trials.begin(), trials.end(),
      [family](const Trial& one) { return one.family == family; });
}

int ExitStatusOf(absl::Span<const Record> records) {
  int status = kAsExpected;
  for (const Record& record : records) {
    if (record.verdict.outcome == Outcome::kHarnessError) return kError;
    if (!IsExpected(record.verdict)) status = kUnexpected;
  }
  return status;
}

// Returns the file from which a target's expectations are read; "" if it has
// none.
std::string ExpectationsPath(const Target& target, const RunOptions& options) {
  if (!options.expectations.empty()) {
    return FromCallersFolder(options.expectations);
  }
  if (target.expectations.empty()) return "";
  return FindRunfile(target.expectations).value_or("");
}

// Returns the file that --fix writes: the source file, not Bazel's link to it.
absl::StatusOr<std::string> SourceOfExpectations(const Target& target,
                                                 const RunOptions& options) {
  if (!options.expectations.empty()) {
    return FromCallersFolder(options.expectations);
  }
  const char* tree = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (target.expectations.empty() || tree == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("--fix: the file of expectations of ", target.name,
                     " is not known; give it with --expectations=FILE, or "
                     "start the program with `bazel run`"));
  }
  return absl::StrCat(tree, "/", target.expectations);
}

using ExpectationsOf = std::map<const Target*, Expectations>;

// Returns the record after the expectations of its target are applied, which
// note that they were.
Record Judged(const Record& record, ExpectationsOf& expectations) {
  Record judged = record;
  const auto own = expectations.find(record.trial.target);
  if (own != expectations.end()) own->second.Apply(judged);
  return judged;
}

absl::StatusOr<ExpectationsOf> ReadExpectations(
    absl::Span<const Target* const> targets, const RunOptions& options) {
  ExpectationsOf all;
  for (const Target* target : targets) {
    const std::string path = ExpectationsPath(*target, options);
    if (path.empty()) continue;
    absl::StatusOr<std::string> text = ReadFile(path);
    // --fix can create the file.
    if (absl::IsNotFound(text.status()) && options.fix) text = "";
    if (!text.ok()) return text.status();
    absl::StatusOr<Expectations> parsed = Expectations::Parse(
        *text, target->expectations.empty() ? path : target->expectations,
        Surroundings::Here(target->version, target->on_fake_kernel));
    if (!parsed.ok()) return parsed.status();
    all[target] = *std::move(parsed);
  }
  return all;
}

// Returns why --fix cannot write the files of the targets: two share one, which
// would be written twice, for different outcomes.
absl::Status CheckFilesToFix(absl::Span<const Target* const> targets) {
  std::map<absl::string_view, const Target*> owners;
  for (const Target* target : targets) {
    if (target->expectations.empty()) continue;
    const auto [owner, is_new] = owners.emplace(target->expectations, target);
    if (is_new) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "--fix: ", owner->second->name, " and ", target->name, " share ",
        target->expectations, "; choose one by --implementations"));
  }
  return absl::OkStatus();
}

absl::Status FixExpectations(const Target& target,
                             const Expectations& expectations,
                             absl::Span<const Record> records,
                             const RunOptions& options) {
  const absl::StatusOr<std::string> path =
      SourceOfExpectations(target, options);
  if (!path.ok()) return path.status();
  std::vector<Record> own;
  std::copy_if(records.begin(), records.end(), std::back_inserter(own),
               [&](const Record& one) { return one.trial.target == &target; });
  const std::string text = expectations.Fix(own);
  std::cout << "writing " << *path << "\n";
  return WriteFile(*path, text);
}

// Returns the problems of a run other than outcomes: wrong lines of
// expectations, and false claims.
std::vector<std::string> FindProblems(const ExpectationsOf& expectations,
                                      absl::Span<const Record> records,
                                      bool all_cases) {
  std::vector<std::string> problems = FalseClaims(records);
  if (!all_cases) return problems;
  for (const auto& [target, own] : expectations) {
    const std::vector<std::string> more = own.Problems();
    problems.insert(problems.end(), more.begin(), more.end());
  }
  return problems;
}

// Returns the targets that can be judged. Prints why the others cannot.
std::vector<const Target*> WorkingTargets(
    absl::Span<const Target* const> targets, const RunOptions& options,
    bool* broken) {
  std::vector<const Target*> working;
  for (const Target* target : targets) {
    if (!target->missing.empty()) {
      std::cout << target->name << ": not run: " << target->missing << "\n";
      continue;
    }
    if (target->start_subject != nullptr && options.try_drivers) {
      const std::optional<std::string> fault = FaultOfDriver(*target, options);
      if (fault.has_value()) {
        *broken = true;
        std::cout << target->name << ": not run. Its driver " << *fault
                  << "\n(--check-driver and --smoke print more)\n\n";
        continue;
      }
    }
    working.push_back(target);
  }
  return working;
}

std::string DateText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

// Writes a report into the file that its flag names.
int WriteReport(absl::string_view flag, const std::string& path,
                const std::string& text) {
  const absl::Status written = WriteFile(FromCallersFolder(path), text);
  if (written.ok()) return kAsExpected;
  return Fail(absl::StrCat(flag, ": ", written.message()));
}

int WritePage(const RecordsOfRun& records, absl::Time date,
              const RunOptions& options) {
  std::set<std::string> ids;
  for (const nlohmann::json& one : records.records) {
    ids.insert(one.at("case").get<std::string>());
  }
  std::cerr << "[the C programs of " << ids.size() << " cases are recorded]"
            << std::endl;
  return WriteReport(
      "--html", options.html,
      MakePage(records, ProgramsOfCases(ids, options.jobs),
               {.date = DateText(date), .command = options.command_for_all}));
}

// Returns the records as they are in a file of records.
RecordsOfRun ToJson(absl::Span<const Record> records) {
  RecordsOfRun run;
  run.environment =
      nlohmann::json::parse(EnvironmentToJson()).at("environment");
  for (const Record& record : records) {
    run.records.push_back(nlohmann::json::parse(RecordToJson(record)));
  }
  return run;
}

// Returns the path of the page from the folder of the badge.
std::string PageFromBadge(const RunOptions& options) {
  const std::filesystem::path badge = FromCallersFolder(options.badge);
  return std::filesystem::absolute(FromCallersFolder(options.html))
      .lexically_relative(std::filesystem::absolute(badge).parent_path())
      .string();
}

int WriteReports(absl::Span<const Record> records, const RunOptions& options) {
  const absl::Time now = absl::Now();
  const std::string provenance = Provenance(records, DateText(now));
  int status = kAsExpected;
  if (!options.junit.empty()) {
    status = WriteReport("--junit", options.junit, FormatJUnit(records));
  }
  if (status == kAsExpected && !options.markdown.empty()) {
    status = WriteReport("--markdown", options.markdown,
                         FormatMarkdown(records, options.command, provenance));
  }
  if (status == kAsExpected && !options.html.empty()) {
    status = WritePage(ToJson(records), now, options);
  }
  if (status == kAsExpected && !options.badge.empty()) {
    status =
        WriteReport("--badge", options.badge,
                    MakeBadge(records, PageFromBadge(options), provenance));
  }
  return status;
}

// Runs the first trials that ended unexpectedly again, and notes what it took.
// Returns false if there were none.
bool RunUnexpectedAgain(const RunnerOptions& options,
                        ExpectationsOf& expectations, IdleSubjects& subjects,
                        std::vector<Record>& records) {
  std::vector<Record*> unexpected;
  for (Record& record : records) {
    const bool is_run_again = !IsExpected(record.verdict) &&
                              record.verdict.outcome != Outcome::kHarnessError;
    if (is_run_again) unexpected.push_back(&record);
  }
  if (unexpected.empty()) return false;
  unexpected.resize(std::min(unexpected.size(), kMostRunAgain));
  std::cerr << "[" << unexpected.size()
            << " trials that ended unexpectedly are run again]" << std::endl;
  for (Record* const record : unexpected) {
    record->rerun = RunAgain(
        record->trial, options,
        [&](const Record& again) {
          return IsExpected(Judged(again, expectations).verdict);
        },
        subjects);
  }
  return true;
}

// Returns the reason for the exit status of a run.
std::string ReasonOf(int status, bool broken, bool has_problems) {
  if (broken) return "a driver failed its checks";
  if (status == kError) return "the suite itself failed";
  if (status == kAsExpected) return "all is as expected";
  return has_problems ? "see the problems listed above" : "there are failures";
}

}  // namespace

int Fail(absl::string_view message) {
  std::cerr << "conformance: " << message << "\n";
  return kError;
}

int Run(absl::Span<const Case* const> cases,
        absl::Span<const Target* const> targets, const RunOptions& options) {
  RecordsFile file;
  if (!options.records.empty() &&
      !file.Open(FromCallersFolder(options.records))) {
    return Fail(
        absl::StrCat("--records: cannot write '", options.records, "'"));
  }
  bool broken = false;
  // A driver that has nothing to do is not started.
  std::vector<const Target*> wanted;
  std::copy_if(
      targets.begin(), targets.end(), std::back_inserter(wanted),
      [&](const Target* one) { return !MakeTrials(cases, {one}).empty(); });
  const std::vector<const Target*> working =
      WorkingTargets(wanted, options, &broken);
  absl::StatusOr<ExpectationsOf> expectations =
      ReadExpectations(working, options);
  if (!expectations.ok()) {
    return Fail(expectations.status().message());
  }
  if (options.fix) {
    const absl::Status fixable = CheckFilesToFix(working);
    if (!fixable.ok()) return Fail(fixable.message());
  }
  std::vector<Trial> trials;
  for (int i = 0; i < options.repeat; ++i) {
    for (Trial& trial : MakeTrials(cases, working)) {
      const auto own = expectations->find(trial.target);
      trial.may_hang = own != expectations->end() && own->second.MayHang(trial);
      trials.push_back(trial);
    }
  }
  if (options.shuffle_seed.has_value()) {
    std::shuffle(trials.begin(), trials.end(),
                 std::mt19937_64(*options.shuffle_seed));
    std::cout << "in the order of --shuffle --seed=" << *options.shuffle_seed
              << std::endl;
  }
  std::vector<Record> found;  // before the expectations are applied
  std::vector<Record> records;
  bool written = true;
  Progress progress(trials.size(), isatty(STDERR_FILENO) == 1, std::cerr);
  RunnerOptions runner{.jobs = options.jobs,
                       .timeout = options.timeout,
                       .on_tick = [&] { progress.Tick(); }};
  IdleSubjects subjects;
  RunTrials(
      trials, runner,
      [&](const Record& record) {
        found.push_back(record);
        Record judged = Judged(record, *expectations);
        written = file.Write(judged) && written;
        progress.Clear();
        if (options.verbose) {
          std::cout << FormatRecordLine(judged) << std::endl;
        }
        progress.Count(judged);
        records.push_back(std::move(judged));
      },
      subjects);
  progress.Clear();
  runner.on_tick = nullptr;
  if (options.run_again &&
      RunUnexpectedAgain(runner, *expectations, subjects, records)) {
    written =
        file.Rewrite(FromCallersFolder(options.records), records) && written;
  }
  SortRecords(MakeTrials(cases, working), records);
  std::cout << cases.size() << " cases, " << trials.size()
            << " trials: " << CountOn(AddressFamily::kV4, trials)
            << " on IPv4, " << CountOn(AddressFamily::kV6, trials)
            << " on IPv6\n\n"
            << FormatReport(records, {.verbose = options.verbose,
                                      .width = TerminalWidth()})
            << std::flush;
  if (!written) {
    return Fail(
        absl::StrCat("--records: cannot write '", options.records, "'"));
  }
  if (const int status = WriteReports(records, options); status != 0) {
    return status;
  }
  if (options.fix) {
    for (const Target* target : working) {
      const absl::Status fixed =
          FixExpectations(*target, (*expectations)[target], found, options);
      if (!fixed.ok()) return Fail(fixed.message());
    }
    return kAsExpected;
  }
  const std::vector<std::string> problems =
      FindProblems(*expectations, records, options.all_cases);
  if (!problems.empty()) std::cout << "\n";
  for (const std::string& problem : problems) std::cout << problem << "\n";
  int status = broken ? kError : ExitStatusOf(records);
  if (!problems.empty()) status = std::max(status, kUnexpected);
  if (options.next) {
    std::cout << "\n" << FormatNext(records, options.command_for_one);
  }
  std::cout << "\n"
            << FormatClosingLine(records, status,
                                 ReasonOf(status, broken, !problems.empty()),
                                 options.verbose ? "" : options.command)
            << std::flush;
  return status;
}

int WritePageOf(const std::string& records, const RunOptions& options) {
  const std::string path = FromCallersFolder(records);
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) {
    return Fail(absl::StrCat("--from-records: ", text.status().message()));
  }
  const absl::StatusOr<RecordsOfRun> parsed = ParseRecords(records, *text);
  if (!parsed.ok()) {
    return Fail(absl::StrCat("--from-records: ", parsed.status().message()));
  }
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) {
    return Fail(absl::StrCat("--from-records: cannot stat '", records, "'"));
  }
  return WritePage(*parsed, absl::FromTimeT(file.st_mtime), options);
}

}  // namespace net::conformance
