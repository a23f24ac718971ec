#include "fakes/differential/workers.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/campaign.h"
#include "fakes/differential/histogram.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/wait_status.h"
#include "syscalls/sandbox/watched_child.h"

namespace net::differential {
namespace {

// Progress of a worker, in memory shared with its parent.
struct Shared {
  std::atomic<uint64_t> seed;
  std::atomic<int64_t> programs;
};

// The memory is unmapped when the process exits.
absl::StatusOr<Shared*> NewShared() {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return ErrnoError(errno, "mmap");
  return new (memory) Shared();
}

struct Worker {
  sandbox::WatchedChild child;
  Shared* shared = nullptr;
  int64_t programs = -1;  // as of the last check
  absl::Time progressed;  // when that number last changed
  bool is_stuck = false;
  std::optional<int> status;  // the wait status, once it has ended
};

// A report is text: a line with the counts or an error, then the histogram,
// then each finding. This character ends each part.
constexpr char kEndOfPart = '\f';

// The counts of a report, in the order of its text.
constexpr int64_t Report::*kCounts[] = {
    &Report::programs,  &Report::unstable,    &Report::blocked,
    &Report::schedules, &Report::unexhausted, &Report::delayed};

std::string ToText(const absl::StatusOr<Report>& report) {
  const std::string end(1, kEndOfPart);
  if (!report.ok()) {
    return absl::StrCat("error: ", report.status().message(), end);
  }
  std::string text;
  for (const auto count : kCounts) {
    absl::StrAppend(&text, text.empty() ? "" : " ", (*report).*count);
  }
  absl::StrAppend(&text, end, report->histogram.ToText(), end);
  for (const std::string& finding : report->findings) {
    absl::StrAppend(&text, finding, end);
  }
  return text;
}

// The body of a worker process.
void Work(const WorkersOptions& options, int number, int pipe, Shared& shared) {
  CampaignOptions campaign = options.campaign;
  const auto jobs = static_cast<uint64_t>(options.jobs);
  campaign.first += static_cast<uint64_t>(number) * campaign.stride;
  campaign.stride *= jobs;
  campaign.programs = campaign.programs / options.jobs +
                      (number < campaign.programs % options.jobs ? 1 : 0);
  const absl::StatusOr<Report> report =
      options.run(campaign, [&shared](uint64_t seed) {
        shared.seed = seed;
        ++shared.programs;
      });
  if (!sandbox::WriteReport(pipe, ToText(report))) _exit(1);
}

absl::StatusOr<Worker> Start(const WorkersOptions& options, int number) {
  absl::StatusOr<Shared*> shared = NewShared();
  if (!shared.ok()) return shared.status();
  absl::StatusOr<sandbox::WatchedChild> child = sandbox::WatchedChild::Start(
      [&](int pipe) { Work(options, number, pipe, **shared); });
  if (!child.ok()) return child.status();
  return Worker{
      .child = *std::move(child), .shared = *shared, .progressed = absl::Now()};
}

void KillIfStuck(Worker& worker, absl::Duration timeout) {
  const int64_t programs = worker.shared->programs;
  if (programs != worker.programs) {
    worker.programs = programs;
    worker.progressed = absl::Now();
  } else if (absl::Now() - worker.progressed > timeout) {
    worker.is_stuck = true;
    worker.status = worker.child.Kill();
  }
}

// Waits up to a second for reports and ends of workers, and handles them.
absl::Status Attend(std::vector<Worker>& workers, absl::Duration timeout) {
  std::vector<pollfd> events;
  std::vector<Worker*> running;
  for (Worker& worker : workers) {
    if (worker.status.has_value()) continue;
    running.push_back(&worker);
    const auto own = worker.child.Events();
    events.insert(events.end(), own.begin(), own.end());
  }
  // A signal only makes the wait shorter.
  static_cast<void>(poll(events.data(), events.size(), /*timeout=*/1000));
  for (size_t i = 0; i < running.size(); ++i) {
    Worker& worker = *running[i];
    if (absl::Status read = worker.child.Read(); !read.ok()) return read;
    if (events[2 * i + 1].revents != 0) {
      worker.status = worker.child.Reap();
    } else {
      KillIfStuck(worker, timeout);
    }
  }
  return absl::OkStatus();
}

// Returns when all workers have ended.
absl::Status Watch(std::vector<Worker>& workers, absl::Duration timeout,
                   absl::FunctionRef<void(int64_t)> progress) {
  const auto runs = [](const Worker& worker) {
    return !worker.status.has_value();
  };
  absl::Time told = absl::Now();
  while (std::any_of(workers.begin(), workers.end(), runs)) {
    absl::Status status = Attend(workers, timeout);
    if (!status.ok()) return status;
    if (absl::Now() - told < absl::Seconds(1)) continue;
    told = absl::Now();
    int64_t programs = 0;
    for (const Worker& worker : workers) programs += worker.shared->programs;
    progress(programs);
  }
  return absl::OkStatus();
}

std::string DescribeEnd(const Worker& worker) {
  const absl::string_view was = WIFSIGNALED(*worker.status) ? "was " : "";
  const std::string how =
      worker.is_stuck
          ? "hung"
          : absl::StrCat(was, sandbox::DescribeWaitStatus(*worker.status));
  return absl::StrCat("// A process ", how,
                      " while it ran the program of seed ",
                      worker.shared->seed.load(), "\n");
}

absl::Status Add(absl::string_view text, Report& report) {
  std::vector<absl::string_view> parts = absl::StrSplit(text, kEndOfPart);
  if (parts.size() < 3) {
    return absl::InternalError(
        absl::StrCat("malformed report of a worker: ", text));
  }
  const std::vector<absl::string_view> counts = absl::StrSplit(parts[0], ' ');
  for (size_t i = 0; i < std::size(kCounts); ++i) {
    int64_t count = 0;
    if (counts.size() != std::size(kCounts) ||
        !absl::SimpleAtoi(counts[i], &count)) {
      return absl::InternalError(absl::StrCat(
          "malformed counts in the report of a worker: ", parts[0]));
    }
    report.*kCounts[i] += count;
  }
  for (size_t i = 2; i + 1 < parts.size(); ++i) {
    report.findings.emplace_back(parts[i]);
  }
  return report.histogram.Parse(parts[1]);
}

// Adds what a worker that has ended has found.
absl::Status Finish(const Worker& worker, Report& report) {
  if (*worker.status == 0) return Add(worker.child.report(), report);
  report.programs += worker.shared->programs;
  report.findings.push_back(DescribeEnd(worker));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Report> RunWorkers(const WorkersOptions& options,
                                  absl::FunctionRef<void(int64_t)> progress) {
  std::vector<Worker> workers;
  for (int i = 0; i < options.jobs; ++i) {
    absl::StatusOr<Worker> worker = Start(options, i);
    if (!worker.ok()) return worker.status();
    workers.push_back(*std::move(worker));
  }
  absl::Status status = Watch(workers, options.program_timeout, progress);
  if (!status.ok()) return status;
  Report report;
  for (const Worker& worker : workers) status.Update(Finish(worker, report));
  if (!status.ok()) return status;
  return report;
}

}  // namespace net::differential
