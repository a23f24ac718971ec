// The conformance run: see kHelp, or README.md.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/case.h"
#include "conformance/cases/cases.h"
#include "conformance/columns.h"
#include "conformance/engine/flags.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/selection.h"
#include "conformance/engine/trial.h"

ABSL_FLAG(bool, help, false, "");
ABSL_FLAG(bool, list, false, "");
ABSL_FLAG(std::string, format, "text", "");
ABSL_FLAG(std::string, explain, "", "");
ABSL_FLAG(std::vector<std::string>, cases, {}, "");
ABSL_FLAG(std::vector<std::string>, implementations, {}, "");
ABSL_FLAG(int, jobs, 2, "");
ABSL_FLAG(int, repeat, 1, "");
ABSL_FLAG(absl::Duration, timeout, absl::Seconds(60), "");
ABSL_FLAG(std::string, records, "", "");
ABSL_FLAG(bool, ipv6, true, "");
ABSL_FLAG(bool, verbose, false, "");

namespace net::conformance {
namespace {

constexpr absl::string_view kHelp =
    R"(Judges TCP implementations, case by case, on real loopback sockets.

  conformance [flags]

  --list                     print the cases and exit
  --format=text|json         how --list prints them
  --explain=CASE             print all about one case and exit
  --cases=GLOB,...           run only these cases: --cases='listen.*,peeraddr.*'
  --implementations=NAME,... judge only these
  --jobs=N                   how many cases run at a time (2)
  --repeat=N                 run everything N times (1)
  --timeout=DURATION         when a case that hangs is killed (60s)
  --records=FILE             write a JSON line for each case as it ends
  --noipv6                   run on a machine without IPv6: it is taken away
                             from each case's network
  --verbose                  print a line for each case as it ends
  --help                     print this and exit

Exit status: 0 as expected, 1 an unexpected outcome, 2 a usage or harness error.
)";

constexpr int kAsExpected = 0;
constexpr int kUnexpected = 1;
constexpr int kError = 2;

int Fail(absl::string_view message) {
  std::cerr << "conformance: " << message << "\n";
  return kError;
}

int UsageError(absl::string_view message) {
  return Fail(absl::StrCat(message, " (--help shows the flags)"));
}

// `bazel run` starts programs elsewhere; a relative path is the caller's.
std::string FromCallersFolder(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || absl::StartsWith(path, "/")) return path;
  return absl::StrCat(folder, "/", path);
}

// The file of --records, if any.
class RecordsFile {
 public:
  // False if it cannot be written.
  bool Open(const std::string& path) {
    file_.open(path, std::ios::trunc);
    return WriteLine(EnvironmentToJson());
  }
  bool Write(const Record& record) {
    return !file_.is_open() || WriteLine(RecordToJson(record));
  }

 private:
  bool WriteLine(const std::string& line) {
    // A line is there as soon as its case has ended.
    file_ << line << std::endl;
    return file_.good();
  }

  std::ofstream file_;
};

// Tells how far the run is: on a terminal one line that changes.
class Progress {
 public:
  Progress(size_t total, bool verbose) : total_(total), verbose_(verbose) {}

  void Show(const Record& record) {
    ++done_;
    if (!IsExpected(record.verdict.outcome)) ++unexpected_;
    if (verbose_) {
      std::cout << FormatRecordLine(record) << std::endl;
    } else if (is_terminal_) {
      absl::FPrintF(stderr, "\r\033[K[%d/%d, %d unexpected] %s", done_, total_,
                    unexpected_, TrialName(record.trial));
    }
  }

  void Clear() const {
    if (is_terminal_ && !verbose_) absl::FPrintF(stderr, "\r\033[K");
  }

 private:
  const size_t total_;
  const bool verbose_;
  const bool is_terminal_ = isatty(STDERR_FILENO) == 1;
  size_t done_ = 0;
  size_t unexpected_ = 0;
};

auto CountOn(Axis axis, absl::Span<const Trial> trials) {
  return std::count_if(trials.begin(), trials.end(),
                       [axis](const Trial& one) { return one.axis == axis; });
}

int ExitStatusOf(absl::Span<const Record> records) {
  int status = kAsExpected;
  for (const Record& record : records) {
    const Outcome outcome = record.verdict.outcome;
    if (outcome == Outcome::kHarnessError) return kError;
    if (!IsExpected(outcome)) status = kUnexpected;
  }
  return status;
}

int Run(absl::Span<const Case* const> cases,
        absl::Span<const Column* const> columns) {
  RecordsFile file;
  const std::string path = absl::GetFlag(FLAGS_records);
  if (!path.empty() && !file.Open(FromCallersFolder(path))) {
    return Fail(absl::StrCat("--records: cannot write '", path, "'"));
  }
  std::vector<Trial> trials;
  for (int i = 0; i < absl::GetFlag(FLAGS_repeat); ++i) {
    const std::vector<Trial> round = MakeTrials(cases, columns);
    trials.insert(trials.end(), round.begin(), round.end());
  }
  std::vector<Record> records;
  bool written = true;
  Progress progress(trials.size(), absl::GetFlag(FLAGS_verbose));
  RunTrials(trials,
            {.jobs = absl::GetFlag(FLAGS_jobs),
             .timeout = absl::GetFlag(FLAGS_timeout)},
            [&](const Record& record) {
              records.push_back(record);
              written = file.Write(record) && written;
              progress.Show(record);
            });
  progress.Clear();
  std::cout << cases.size() << " cases, " << trials.size()
            << " trials: " << CountOn(Axis::kV4, trials) << " on IPv4, "
            << CountOn(Axis::kV6, trials) << " on IPv6\n\n"
            << FormatReport(records) << std::flush;
  if (!written) return Fail(absl::StrCat("--records: writing '", path, "'"));
  return ExitStatusOf(records);
}

int List(absl::Span<const Case* const> cases) {
  const std::string format = absl::GetFlag(FLAGS_format);
  if (format == "json") {
    std::cout << FormatCaseListJson(cases);
  } else if (format == "text") {
    std::cout << FormatCaseList(cases);
  } else {
    return UsageError(absl::StrCat("--format=", format, ": text or json"));
  }
  return kAsExpected;
}

int Explain(const std::string& id) {
  const Case* test_case = FindCase(id);
  if (test_case == nullptr) {
    return UsageError(absl::StrCat("--explain: there is no case '", id, "'"));
  }
  std::cout << FormatCase(*test_case);
  return kAsExpected;
}

int Main(int argc, char** argv) {
  const absl::Status parsed = ParseFlags(
      absl::MakeConstSpan(argv, static_cast<size_t>(argc)).subspan(1));
  if (!parsed.ok()) {
    return UsageError(std::string(parsed.message()));
  }
  if (absl::GetFlag(FLAGS_help)) {
    std::cout << kHelp;
    return kAsExpected;
  }
  if (const std::string id = absl::GetFlag(FLAGS_explain); !id.empty()) {
    return Explain(id);
  }
  if (absl::GetFlag(FLAGS_jobs) < 1) return UsageError("--jobs: at least 1");
  if (absl::GetFlag(FLAGS_repeat) < 1) {
    return UsageError("--repeat: at least 1");
  }
  if (absl::GetFlag(FLAGS_timeout) <= absl::ZeroDuration()) {
    return UsageError("--timeout: a duration above zero, such as 60s");
  }
  const std::vector<Column> all_columns =
      MakeColumns({.disable_ipv6 = !absl::GetFlag(FLAGS_ipv6)});
  const auto cases = SelectCases(AllCases(), absl::GetFlag(FLAGS_cases));
  if (!cases.ok()) return UsageError(std::string(cases.status().message()));
  const auto columns =
      SelectColumns(all_columns, absl::GetFlag(FLAGS_implementations));
  if (!columns.ok()) return UsageError(std::string(columns.status().message()));
  if (absl::GetFlag(FLAGS_list)) return List(*cases);
  return Run(*cases, *columns);
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  try {
    return net::conformance::Main(argc, argv);
  } catch (const std::exception& e) {
    return net::conformance::Fail(e.what());
  }
}
