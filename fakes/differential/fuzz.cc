// Searches for programs for which Linux and the FakeKernel return different
// results. See kHelp.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/fake_worlds.h"
#include "fakes/differential/histogram.h"
#include "fakes/differential/linux_worlds.h"
#include "fakes/differential/workers.h"
#include "fakes/differential/worlds.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(bool, help, false, "");
ABSL_FLAG(double, minutes, 1, "");
ABSL_FLAG(int64_t, programs, 0, "");
ABSL_FLAG(uint64_t, seed, 0, "");
ABSL_FLAG(int, jobs, 2, "");
ABSL_FLAG(int, findings, 20, "");
ABSL_FLAG(std::string, candidate, "fake", "");
ABSL_FLAG(std::string, histogram, "", "");
ABSL_FLAG(int64_t, rows, 0, "");

namespace net::differential {
namespace {

constexpr absl::string_view kHelp =
    R"(Runs random programs of system calls on Linux and on the FakeKernel. Prints
each program for which the results differ, shrunk, as C++.

  fuzz [flags]

  --minutes=N         run time in minutes (1); shrinking the last finding may
                      take longer
  --programs=N        maximum number of programs (0: no limit)
  --seed=N            seed of the first program; each further program has the
                      next number (0: a random seed, which is printed)
  --jobs=N            number of processes (2)
  --findings=N        each process ends after this many differences (20)
  --candidate=NAME      fake, or linux to compare Linux with itself (fake)
  --deviation=NAME    run a FakeKernel with this deliberate deviation; only
                      //fakes/differential/deviations:fuzz has this flag
  --histogram=FILE    write how often each call returned each errno in each
                      state of its socket
  --rows=N            require that each errno that programs can provoke was
                      returned at least N times (0)
  --help              print this text and exit

Requires root or the permission to create user namespaces. Exit status: 0 no
difference, 1 a difference or a missing row, 2 an error.
)";

constexpr int kAlike = 0;
constexpr int kDifferent = 1;
constexpr int kError = 2;

int Fail(absl::string_view message) {
  std::cerr << "fuzz: " << message << "\n";
  return kError;
}

bool WriteHistogram(const std::string& path, const Histogram& histogram) {
  std::ofstream file(FromCallersFolder(path), std::ios::trunc);
  file << histogram.ToText() << std::flush;
  return file.good();
}

// Prints the rows that were seen less often than --rows. Returns their number.
int PrintMissingRows(const Histogram& histogram) {
  int missing = 0;
  for (const RequiredRow& row : RequiredRows(histogram)) {
    if (row.count >= absl::GetFlag(FLAGS_rows)) continue;
    ++missing;
    absl::PrintF("%s %s was returned %d times, fewer than %d\n",
                 CallName(row.call), ErrnoSymbol(row.error), row.count,
                 absl::GetFlag(FLAGS_rows));
  }
  return missing;
}

WorkersOptions MakeOptions(uint64_t seed) {
  WorkersOptions options;
  options.jobs = absl::GetFlag(FLAGS_jobs);
  options.campaign.seed = seed;
  options.campaign.deadline =
      absl::Now() + absl::Minutes(absl::GetFlag(FLAGS_minutes));
  const int64_t programs = absl::GetFlag(FLAGS_programs);
  if (programs > 0) options.campaign.programs = programs;
  options.campaign.findings =
      static_cast<size_t>(absl::GetFlag(FLAGS_findings));
  options.make_oracle = [] { return std::make_unique<LinuxWorldFactory>(); };
  if (absl::GetFlag(FLAGS_candidate) == "linux") {
    options.make_candidate = options.make_oracle;
  } else {
    options.make_candidate = [] {
      return std::make_unique<FakeWorldFactory>();
    };
  }
  return options;
}

int Run() {
  uint64_t seed = absl::GetFlag(FLAGS_seed);
  if (seed == 0) seed = uint64_t{std::random_device()()} << 20;
  std::cout << "seed " << seed << "\n" << std::flush;
  const absl::Time start = absl::Now();
  absl::Time told = start;
  const absl::StatusOr<Report> report =
      RunWorkers(MakeOptions(seed), [&told, start](int64_t programs) {
        if (absl::Now() - told < absl::Seconds(10)) return;
        told = absl::Now();
        std::cerr << programs << " programs in "
                  << absl::ToInt64Seconds(told - start) << " s\n";
      });
  if (!report.ok()) return Fail(report.status().message());
  for (const std::string& finding : report->findings) {
    std::cout << "\n" << finding;
  }
  const int missing = PrintMissingRows(report->histogram);
  std::cout << "\n"
            << report->programs << " programs in "
            << absl::ToInt64Seconds(absl::Now() - start) << " s, "
            << report->findings.size() << " differences, " << report->unstable
            << " not reproducible; seed " << seed << "\n";
  const std::string path = absl::GetFlag(FLAGS_histogram);
  if (!path.empty() && !WriteHistogram(path, report->histogram)) {
    return Fail(absl::StrCat("--histogram: cannot write ", path));
  }
  return report->findings.empty() && missing == 0 ? kAlike : kDifferent;
}

int Main(int argc, char** argv) {
  const absl::Status parsed = ParseFlags(
      absl::MakeConstSpan(argv, static_cast<size_t>(argc)).subspan(1));
  if (!parsed.ok()) {
    return Fail(absl::StrCat(parsed.message(), " (--help shows the flags)"));
  }
  if (absl::GetFlag(FLAGS_help)) {
    std::cout << kHelp;
    return kAlike;
  }
  const std::string candidate = absl::GetFlag(FLAGS_candidate);
  if (candidate != "fake" && candidate != "linux") {
    return Fail("--candidate: must be fake or linux");
  }
  if (absl::GetFlag(FLAGS_jobs) < 1) return Fail("--jobs: must be at least 1");
  return Run();
}

}  // namespace
}  // namespace net::differential

int main(int argc, char** argv) {
  try {
    return net::differential::Main(argc, argv);
  } catch (const std::exception& e) {
    return net::differential::Fail(e.what());
  }
}
