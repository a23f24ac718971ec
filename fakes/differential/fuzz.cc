// Searches for programs for which Linux and the FakeKernel return different
// results. See kHelp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/functional/function_ref.h"
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
#include "fakes/differential/threads/fake_threads.h"
#include "fakes/differential/threads/linux_threads.h"
#include "fakes/differential/threads/thread_campaign.h"
#include "fakes/differential/timed/fake_timed.h"
#include "fakes/differential/timed/linux_timed.h"
#include "fakes/differential/timed/timed_campaign.h"
#include "fakes/differential/workers.h"
#include "fakes/differential/worlds.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(bool, help, false, "");
ABSL_FLAG(double, minutes, 1, "");
ABSL_FLAG(int64_t, programs, 0, "");
ABSL_FLAG(std::string, kind, "both", "");
ABSL_FLAG(int64_t, least, 0, "");
ABSL_FLAG(int64_t, least_threads, 0, "");
ABSL_FLAG(int64_t, least_timed, 0, "");
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
each program for which the results differ, shrunk, as C++. Programs of one
thread do not block and must give equal results. Programs of two or three
threads block, and must give a result on Linux that the FakeKernel gives under
one of the orders in which the threads can run. Timed programs are compared
midway between the FakeKernel's timers.

  fuzz [flags]

  --minutes=N         run time in minutes (1); shrinking the last finding may
                      take longer
  --kind=NAME         plain: programs of one thread; threads: of several; both:
                      plain for three quarters of the time, then threads;
                      timed: programs in which time passes and links fail, in
                      real time, by one process (both)
  --programs=N        maximum number of programs of each kind (0: no limit)
  --least=N           require so many programs of one thread (0)
  --least_threads=N   require so many programs of several threads (0)
  --least_timed=N     require so many timed programs that were compared (0)
  --seed=N            seed of the first program; each further program has the
                      next number (0: a random seed, which is printed)
  --jobs=N            number of processes (2)
  --findings=N        each process ends after this many differences (20)
  --candidate=NAME    fake, or linux to compare Linux with itself (fake); of
                      programs of one thread
  --deviation=NAME    run a FakeKernel with this deliberate deviation; only
                      //fakes/differential/deviations:fuzz has this flag
  --histogram=FILE    write how often each call returned each errno in each
                      state of its socket
  --rows=N            require that each errno that programs can provoke was
                      returned at least N times (0)
  --help              print this text and exit

Requires root or the permission to create user namespaces. Exit status: 0 no
difference, 1 a difference, a missing row or too few programs, 2 an error.
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

// The kinds of programs.
constexpr absl::string_view kOneThread = "one thread";
constexpr absl::string_view kSeveralThreads = "several threads";
constexpr absl::string_view kTimed = "sleep and failing links";

// The part of the time for programs of one thread, if there are both kinds.
constexpr double kPlainShare = 0.75;

WorkersOptions MakeOptions(uint64_t seed, absl::Duration time) {
  WorkersOptions options;
  options.jobs = absl::GetFlag(FLAGS_jobs);
  options.campaign.seed = seed;
  options.campaign.deadline = absl::Now() + time;
  const int64_t programs = absl::GetFlag(FLAGS_programs);
  if (programs > 0) options.campaign.programs = programs;
  options.campaign.findings =
      static_cast<size_t>(absl::GetFlag(FLAGS_findings));
  return options;
}

absl::StatusOr<Report> RunPlain(const CampaignOptions& options,
                                absl::FunctionRef<void(uint64_t)> before_each) {
  LinuxWorldFactory oracle;
  std::unique_ptr<WorldFactory> candidate =
      std::make_unique<FakeWorldFactory>();
  if (absl::GetFlag(FLAGS_candidate) == "linux") {
    candidate = std::make_unique<LinuxWorldFactory>();
  }
  const absl::StatusOr<CampaignResult> outcome =
      Search(oracle, *candidate, options, before_each);
  if (!outcome.ok()) return outcome.status();
  Report report;
  report.programs = outcome->programs;
  report.unstable = outcome->unstable;
  report.histogram = outcome->histogram;
  for (const Finding& finding : outcome->findings) {
    report.findings.push_back(FindingText(finding));
  }
  return report;
}

absl::StatusOr<Report> RunThreads(
    const CampaignOptions& options,
    absl::FunctionRef<void(uint64_t)> before_each) {
  LinuxThreads oracle;
  FakeThreads candidate;
  const absl::StatusOr<ThreadCampaignResult> outcome =
      SearchThreads(oracle, candidate, options, before_each);
  if (!outcome.ok()) return outcome.status();
  Report report;
  report.programs = outcome->programs;
  report.unstable = outcome->unstable;
  report.blocked = outcome->blocked;
  report.schedules = outcome->schedules;
  report.unexhausted = outcome->unexhausted;
  for (const ThreadedFinding& finding : outcome->findings) {
    report.findings.push_back(FindingText(finding));
  }
  return report;
}

absl::StatusOr<Report> RunTimed(const CampaignOptions& options,
                                absl::FunctionRef<void(uint64_t)> before_each) {
  const absl::StatusOr<std::unique_ptr<LinuxTimed>> oracle = LinuxTimed::Make();
  if (!oracle.ok()) return oracle.status();
  const absl::StatusOr<TimedCampaignResult> outcome =
      SearchTimed(**oracle, &PlanOnFake, options, before_each);
  if (!outcome.ok()) return outcome.status();
  Report report;
  report.programs = outcome->programs;
  report.delayed = outcome->delayed;
  report.unstable = outcome->unstable;
  for (const TimedFinding& finding : outcome->findings) {
    report.findings.push_back(FindingText(finding));
  }
  return report;
}

absl::StatusOr<Report> RunPart(WorkersOptions options, absl::string_view kind,
                               CampaignPart part) {
  options.run = std::move(part);
  const absl::Time start = absl::Now();
  absl::Time told = start;
  absl::StatusOr<Report> report =
      RunWorkers(options, [&told, start](int64_t programs) {
        if (absl::Now() - told < absl::Seconds(10)) return;
        told = absl::Now();
        std::cerr << programs << " programs in "
                  << absl::ToInt64Seconds(told - start) << " s\n";
      });
  if (report.ok()) {
    for (const std::string& finding : report->findings) {
      std::cout << "\n" << finding;
    }
    std::cout << "\n"
              << report->programs << " programs of " << kind << " in "
              << absl::ToInt64Seconds(absl::Now() - start) << " s, "
              << report->findings.size() << " differences, " << report->unstable
              << " not reproducible; seed " << options.campaign.seed << "\n";
  }
  return report;
}

// Prints that there were fewer programs than required, and returns it. With
// --programs, no more than these are required.
bool AreTooFew(int64_t programs, int64_t least, absl::string_view kind) {
  const int64_t most = absl::GetFlag(FLAGS_programs);
  if (programs >= (most > 0 ? std::min(least, most) : least)) return false;
  absl::PrintF("%d programs of %s are fewer than %d\n", programs, kind, least);
  return true;
}

// Returns whether all is well.
absl::StatusOr<bool> SearchPlain(uint64_t seed, absl::Duration time) {
  const absl::StatusOr<Report> report =
      RunPart(MakeOptions(seed, time), kOneThread, &RunPlain);
  if (!report.ok()) return report.status();
  const bool too_few =
      AreTooFew(report->programs, absl::GetFlag(FLAGS_least), kOneThread);
  const int missing = PrintMissingRows(report->histogram);
  const std::string path = absl::GetFlag(FLAGS_histogram);
  if (!path.empty() && !WriteHistogram(path, report->histogram)) {
    return absl::UnknownError(absl::StrCat("--histogram: cannot write ", path));
  }
  return report->findings.empty() && missing == 0 && !too_few;
}

absl::StatusOr<bool> SearchThreads(uint64_t seed, absl::Duration time) {
  const absl::StatusOr<Report> report =
      RunPart(MakeOptions(seed, time), kSeveralThreads, &RunThreads);
  if (!report.ok()) return report.status();
  std::cout << report->blocked << " of them blocked for good; "
            << report->schedules << " schedules, of " << report->unexhausted
            << " programs not all\n";
  return report->findings.empty() &&
         !AreTooFew(report->programs, absl::GetFlag(FLAGS_least_threads),
                    kSeveralThreads);
}

absl::StatusOr<bool> SearchTimedPrograms(uint64_t seed, absl::Duration time) {
  WorkersOptions options = MakeOptions(seed, time);
  options.jobs = 1;
  // Many programs begin at once, and each takes seconds.
  options.program_timeout = absl::Minutes(30);
  const absl::StatusOr<Report> report = RunPart(options, kTimed, &RunTimed);
  if (!report.ok()) return report.status();
  std::cout << report->delayed
            << " more were not compared, because the machine was busy\n";
  return report->findings.empty() &&
         !AreTooFew(report->programs, absl::GetFlag(FLAGS_least_timed), kTimed);
}

int Run() {
  uint64_t seed = absl::GetFlag(FLAGS_seed);
  if (seed == 0) seed = uint64_t{std::random_device()()} << 20;
  std::cout << "seed " << seed << "\n" << std::flush;
  const std::string kind = absl::GetFlag(FLAGS_kind);
  const double plain_share = kind == "both"    ? kPlainShare
                             : kind == "plain" ? 1
                                               : 0;
  const absl::Duration time = absl::Minutes(absl::GetFlag(FLAGS_minutes));
  if (kind == "timed") {
    const absl::StatusOr<bool> timed = SearchTimedPrograms(seed, time);
    if (!timed.ok()) return Fail(timed.status().message());
    return *timed ? kAlike : kDifferent;
  }
  bool is_alike = true;
  if (plain_share > 0) {
    const absl::StatusOr<bool> plain = SearchPlain(seed, time * plain_share);
    if (!plain.ok()) return Fail(plain.status().message());
    is_alike = *plain;
  }
  if (plain_share < 1) {
    const absl::StatusOr<bool> threads =
        SearchThreads(seed, time * (1 - plain_share));
    if (!threads.ok()) return Fail(threads.status().message());
    is_alike = is_alike && *threads;
  }
  return is_alike ? kAlike : kDifferent;
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
  const std::string kind = absl::GetFlag(FLAGS_kind);
  if (kind != "both" && kind != "plain" && kind != "threads" &&
      kind != "timed") {
    return Fail("--kind: must be both, plain, threads or timed");
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
