#include "fakes/differential/workers.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
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
#include "fakes/differential/worlds.h"
#include "syscalls/errors/error.h"

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
  pid_t pid = -1;
  int pipe = -1;  // Read end for its report; -1 after the end of the report.
  Shared* shared = nullptr;
  std::string report;
  // As of the last check.
  int64_t programs = -1;
  absl::Time progressed;
  bool killed = false;
};

// A report is text: a line with the counts or an error, then the histogram,
// then each finding. This character ends each part.
constexpr char kEndOfPart = '\f';

std::string ToText(const absl::StatusOr<Outcome>& outcome) {
  if (!outcome.ok()) {
    return absl::StrCat("error: ", outcome.status().message(),
                        std::string(1, kEndOfPart));
  }
  std::string text = absl::StrCat(
      outcome->programs, " ", outcome->unstable, std::string(1, kEndOfPart),
      outcome->histogram.ToText(), std::string(1, kEndOfPart));
  for (const Finding& finding : outcome->findings) {
    absl::StrAppend(&text, FindingText(finding), std::string(1, kEndOfPart));
  }
  return text;
}

bool WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// The body of a worker process.
[[noreturn]] void Work(const WorkersOptions& options, int number, int pipe,
                       Shared& shared) {
  Plan plan = options.plan;
  const auto jobs = static_cast<uint64_t>(options.jobs);
  plan.first += static_cast<uint64_t>(number) * plan.stride;
  plan.stride *= jobs;
  plan.programs = plan.programs / options.jobs +
                  (number < plan.programs % options.jobs ? 1 : 0);
  const std::unique_ptr<Worlds> oracle = options.make_oracle();
  const std::unique_ptr<Worlds> subject = options.make_subject();
  const absl::StatusOr<Outcome> outcome =
      Search(*oracle, *subject, plan, [&shared](uint64_t seed) {
        shared.seed = seed;
        ++shared.programs;
      });
  _exit(WriteAll(pipe, ToText(outcome)) ? 0 : 1);
}

absl::StatusOr<Worker> Start(const WorkersOptions& options, int number) {
  absl::StatusOr<Shared*> shared = NewShared();
  if (!shared.ok()) return shared.status();
  int pipe_ends[2] = {-1, -1};
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return ErrnoError(errno, "pipe2");
  const pid_t pid = fork();
  if (pid < 0) {
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return ErrnoError(errno, "fork");
  }
  if (pid == 0) Work(options, number, pipe_ends[1], **shared);
  close(pipe_ends[1]);
  Worker worker;
  worker.pid = pid;
  worker.pipe = pipe_ends[0];
  worker.shared = *shared;
  worker.progressed = absl::Now();
  return worker;
}

// Reads the available part of a report.
void Read(Worker& worker) {
  char buffer[65536];
  const ssize_t size = read(worker.pipe, buffer, sizeof(buffer));
  if (size > 0) {
    worker.report.append(buffer, static_cast<size_t>(size));
  } else if (size == 0 || errno != EINTR) {
    close(worker.pipe);
    worker.pipe = -1;
  }
}

void KillIfStuck(Worker& worker, absl::Duration patience) {
  const int64_t programs = worker.shared->programs;
  if (programs != worker.programs) {
    worker.programs = programs;
    worker.progressed = absl::Now();
  } else if (!worker.killed && absl::Now() - worker.progressed > patience) {
    worker.killed = true;
    kill(worker.pid, SIGKILL);
  }
}

// Returns when every report has ended.
void Watch(std::vector<Worker>& workers, absl::Duration patience,
           absl::FunctionRef<void(int64_t)> progress) {
  const auto is_open = [](const Worker& worker) { return worker.pipe >= 0; };
  absl::Time told = absl::Now();
  while (std::any_of(workers.begin(), workers.end(), is_open)) {
    std::vector<pollfd> fds;
    fds.reserve(workers.size());
    for (const Worker& worker : workers) {
      fds.push_back({worker.pipe, POLLIN, 0});
    }
    // A signal only makes the wait shorter.
    static_cast<void>(poll(fds.data(), fds.size(), /*timeout=*/1000));
    int64_t programs = 0;
    for (size_t i = 0; i < workers.size(); ++i) {
      if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        Read(workers[i]);
      }
      if (workers[i].pipe >= 0) KillIfStuck(workers[i], patience);
      programs += workers[i].shared->programs;
    }
    if (absl::Now() - told < absl::Seconds(1)) continue;
    told = absl::Now();
    progress(programs);
  }
}

std::string DescribeEnd(const Worker& worker, int status) {
  const std::string how =
      worker.killed ? "hung"
      : WIFSIGNALED(status)
          ? absl::StrCat("was killed by signal ", WTERMSIG(status))
          : absl::StrCat("exited with ", WEXITSTATUS(status));
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
  int64_t programs = 0;
  int64_t unstable = 0;
  if (counts.size() != 2 || !absl::SimpleAtoi(counts[0], &programs) ||
      !absl::SimpleAtoi(counts[1], &unstable)) {
    return absl::InternalError(
        absl::StrCat("malformed counts in the report of a worker: ", parts[0]));
  }
  report.programs += programs;
  report.unstable += unstable;
  for (size_t i = 2; i + 1 < parts.size(); ++i) {
    report.findings.emplace_back(parts[i]);
  }
  return report.histogram.Parse(parts[1]);
}

absl::Status Finish(Worker& worker, Report& report) {
  int status = 0;
  if (waitpid(worker.pid, &status, 0) < 0) return ErrnoError(errno, "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    report.programs += worker.shared->programs;
    report.findings.push_back(DescribeEnd(worker, status));
    return absl::OkStatus();
  }
  return Add(worker.report, report);
}

}  // namespace

absl::StatusOr<Report> RunWorkers(const WorkersOptions& options,
                                  absl::FunctionRef<void(int64_t)> progress) {
  std::vector<Worker> workers;
  absl::Status status;
  for (int i = 0; i < options.jobs && status.ok(); ++i) {
    absl::StatusOr<Worker> worker = Start(options, i);
    status = worker.status();
    if (worker.ok()) workers.push_back(*std::move(worker));
  }
  Watch(workers, options.patience, progress);
  Report report;
  for (Worker& worker : workers) status.Update(Finish(worker, report));
  if (!status.ok()) return status;
  return report;
}

}  // namespace net::differential
