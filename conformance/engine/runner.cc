#include "conformance/engine/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/engine/wait_status.h"
#include "conformance/environment.h"
#include "conformance/harness_error.h"
#include "conformance/linux/harness_error.h"
#include "nlohmann/json.hpp"

#if defined(ABSL_HAVE_ADDRESS_SANITIZER)
#include <sanitizer/lsan_interface.h>
#endif

namespace net::conformance {
namespace {

// How much of a trial's output goes into a message: its end.
constexpr int64_t kOutputTail = 4096;

// How often RunnerOptions::on_tick is called.
constexpr absl::Duration kTick = absl::Seconds(1);

// What a trial tells, on its way through the pipe: JSON, and a NUL that shows
// that it has come whole.
std::string Encode(const TrialReport& report) {
  const nlohmann::json json = {
      {"outcome", std::string(OutcomeName(report.verdict.outcome))},
      {"message", report.verdict.message},
      {"error", report.verdict.error},
      {"leaked", report.verdict.leaked},
      {"proven", report.verdict.proven},
      {"claimed", report.verdict.claimed},
      {"reusable", report.reusable},
      {"version", report.version}};
  // Messages may hold whatever bytes a case has seen.
  std::string text =
      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.push_back('\0');
  return text;
}

std::optional<TrialReport> Decode(absl::string_view text) {
  if (text.empty() || text.back() != '\0') return std::nullopt;
  text.remove_suffix(1);
  const auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr,
                                          /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const std::optional<Outcome> outcome =
      OutcomeFromName(json.at("outcome").get<std::string>());
  if (!outcome.has_value()) return std::nullopt;
  TrialReport report{.verdict = {.outcome = *outcome}};
  json.at("message").get_to(report.verdict.message);
  json.at("error").get_to(report.verdict.error);
  json.at("leaked").get_to(report.verdict.leaked);
  // A trial knows no expectations.
  if (!report.verdict.leaked.empty()) report.verdict.leak = Leak::kLeak;
  json.at("proven").get_to(report.verdict.proven);
  json.at("claimed").get_to(report.verdict.claimed);
  json.at("reusable").get_to(report.reusable);
  json.at("version").get_to(report.version);
  return report;
}

void WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) _exit(126);  // The runner is gone.
    text.remove_prefix(static_cast<size_t>(written));
  }
}

// In a sanitized build: looks for leaked memory, which _exit() would not.
bool LeaksMemory() {
#if defined(ABSL_HAVE_ADDRESS_SANITIZER)
  // It opens files, and the case may have left no descriptor for that.
  rlimit limit = {};
  Checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  Checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  return __lsan_do_recoverable_leak_check() != 0;
#else
  return false;
#endif
}

// The child's part.
[[noreturn]] void RunInChild(const Trial& trial, Subject* subject, int pipe,
                             int output) {
  // A group of its own, so that the watchdog gets what the trial started, too;
  // and no trial outlives the runner.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close(output);
  // SIGPIPE must show, and the runner's caller may have had it ignored.
  std::signal(SIGPIPE, SIG_DFL);
  RunTrial(trial, subject, [pipe](const TrialReport& report) {
    WriteAll(pipe, Encode(report));
  });
  std::fflush(nullptr);
  if (LeaksMemory()) std::abort();
  _exit(0);
}

// A trial that runs.
class RunningTrial {
 public:
  // `subject` is the column's, if it has one, for this trial alone.
  RunningTrial(const Trial& trial, std::unique_ptr<Subject> subject,
               absl::Duration timeout)
      : trial_(trial),
        subject_(std::move(subject)),
        started_(absl::Now()),
        deadline_(started_ + timeout) {
    if (subject_ != nullptr) subject_->Begin(TrialName(trial));
    std::array<int, 2> pipe_fds = {};
    Checked(pipe2(pipe_fds.data(), O_CLOEXEC), "pipe2");
    output_ = CheckedFd(memfd_create("output", MFD_CLOEXEC), "memfd_create");
    std::fflush(nullptr);  // Else the child would print what is buffered here.
    pid_ = static_cast<pid_t>(Checked(fork(), "fork"));
    if (pid_ == 0) {
      close(pipe_fds[0]);
      RunInChild(trial, subject_.get(), pipe_fds[1], output_);
    }
    // As the child does: whichever of the two comes first.
    setpgid(pid_, pid_);
    close(pipe_fds[1]);
    pipe_ = pipe_fds[0];
    Checked(fcntl(pipe_, F_SETFL, O_NONBLOCK), "fcntl");
    pidfd_ = CheckedFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)),
                       "pidfd_open");
  }
  RunningTrial(const RunningTrial&) = delete;
  RunningTrial& operator=(const RunningTrial&) = delete;

  // Kills what still runs: no trial outlives the run.
  ~RunningTrial() {
    close(pipe_);
    close(pidfd_);
    close(output_);
    if (pid_ > 0) static_cast<void>(KillAndReap());
  }

  // What to poll for: the verdict, the process's end, and what the subject
  // prints. (The pipe's end would not do: a process that the trial started may
  // hold it open.)
  std::array<pollfd, 3> Events() const {
    return {
        {{.fd = pipe_ended_ ? -1 : pipe_, .events = POLLIN, .revents = 0},
         {.fd = pidfd_, .events = POLLIN, .revents = 0},
         {.fd =
              subject_ == nullptr || output_ended_ ? -1 : subject_->output_fd(),
          .events = POLLIN,
          .revents = 0}}};
  }
  absl::Time deadline() const { return deadline_; }
  const Trial& trial() const { return trial_; }

  // Reads what has come; does not wait for more.
  void Read() {
    ReadVerdict();
    if (subject_ != nullptr && !output_ended_) {
      output_ended_ = !subject_->ReadOutput();
    }
  }

  // The record of a trial whose process has ended.
  Record Finish() {
    Read();
    const int status = Reap();
    const std::optional<TrialReport> report = Decode(received_);
    if (report.has_value() && status == 0) {
      reusable_ = report->reusable;
      if (!report->version.empty()) version_ = report->version;
      return MakeRecord(report->verdict);
    }
    return MakeRecord(
        {.outcome = Outcome::kCrash,
         .message = absl::StrCat(
             DescribeWaitStatus(status),
             report.has_value() ? " after its verdict" : " before its verdict",
             OutputTail())});
  }

  // The record of a trial that is late.
  Record Kill() {
    std::string message = absl::StrCat(
        "not done after ", absl::FormatDuration(deadline_ - started_));
    if (subject_ != nullptr) {
      absl::StrAppend(&message, "; what was killed:\n", subject_->Snapshot());
    }
    static_cast<void>(KillAndReap());
    return MakeRecord({.outcome = Outcome::kTimeout,
                       .message = absl::StrCat(message, OutputTail())});
  }

  // After the trial: the subject, if it can serve another. One whose world the
  // case may have changed cannot.
  std::unique_ptr<Subject> TakeSubject() {
    if (!reusable_ || Includes(trial_.test_case->needs, Need::kOwnNetwork)) {
      return nullptr;
    }
    return std::move(subject_);
  }

 private:
  Record MakeRecord(Verdict verdict) const {
    if (subject_ != nullptr && !IsExpected(verdict)) {
      absl::StrAppend(&verdict.message, "\n", subject_->Describe());
    }
    return {.trial = trial_,
            .verdict = std::move(verdict),
            .milliseconds = absl::ToInt64Milliseconds(absl::Now() - started_),
            .version = version_};
  }

  void ReadVerdict() {
    std::array<char, 65536> buffer;
    ssize_t got = 0;
    while ((got = read(pipe_, buffer.data(), buffer.size())) > 0) {
      received_.append(buffer.data(), static_cast<size_t>(got));
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR) Checked(-1, "read");
    if (got == 0) pipe_ended_ = true;
  }

  int KillAndReap() {
    kill(-pid_, SIGKILL);
    return Reap();
  }

  int Reap() {
    int status = 0;
    // It is a child and not reaped yet: nothing but a signal can go wrong.
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    // What it started and left behind.
    kill(-pid_, SIGKILL);
    pid_ = -1;
    return status;
  }

  // The end of what the trial has printed, if anything.
  std::string OutputTail() const {
    const int64_t size = lseek(output_, 0, SEEK_END);
    const int64_t start = std::max<int64_t>(0, size - kOutputTail);
    std::string tail(static_cast<size_t>(std::max<int64_t>(0, size - start)),
                     '\0');
    const ssize_t got = pread(output_, tail.data(), tail.size(), start);
    if (got <= 0) return "";
    tail.resize(static_cast<size_t>(got));
    return absl::StrCat("; its output:\n", start > 0 ? "..." : "", tail);
  }

  const Trial trial_;
  std::unique_ptr<Subject> subject_;
  const absl::Time started_;
  const absl::Time deadline_;
  pid_t pid_ = -1;
  int pipe_ = -1;
  int pidfd_ = -1;
  int output_ = -1;
  bool pipe_ended_ = false;
  bool output_ended_ = false;
  bool reusable_ = false;
  std::string version_ = trial_.column->version;
  std::string received_;
};

// Waits until a trial has something to say, has ended, or is late, or for
// kTick. `events` are then three for each trial, in their order: see
// RunningTrial::Events().
void AwaitNews(const std::list<RunningTrial>& running,
               std::vector<pollfd>& events) {
  events.clear();
  absl::Time next_deadline = absl::Now() + kTick;
  for (const RunningTrial& trial : running) {
    const auto its_events = trial.Events();
    events.insert(events.end(), its_events.begin(), its_events.end());
    next_deadline = std::min(next_deadline, trial.deadline());
  }
  const absl::Duration wait =
      std::max(absl::ZeroDuration(), next_deadline - absl::Now());
  const timespec timeout = absl::ToTimespec(wait);
  if (ppoll(events.data(), events.size(), &timeout, nullptr) >= 0) return;
  if (errno != EINTR) Checked(-1, "ppoll");
  for (pollfd& event : events) event.revents = 0;
}

}  // namespace

std::unique_ptr<Subject> IdleSubjects::Take(const Trial& trial) {
  if (trial.column->start_subject == nullptr) return nullptr;
  std::vector<std::unique_ptr<Subject>>& idle = idle_[trial.column];
  if (idle.empty() || Includes(trial.test_case->needs, Need::kOwnNetwork)) {
    return trial.column->start_subject();
  }
  std::unique_ptr<Subject> subject = std::move(idle.back());
  idle.pop_back();
  return subject;
}

void IdleSubjects::Return(const Trial& trial,
                          std::unique_ptr<Subject> subject) {
  if (subject != nullptr) idle_[trial.column].push_back(std::move(subject));
}

void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record) {
  IdleSubjects subjects;
  RunTrials(trials, options, on_record, subjects);
}

void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record,
               IdleSubjects& subjects) {
  std::list<RunningTrial> running;
  std::vector<pollfd> events;
  size_t next = 0;
  while (next < trials.size() || !running.empty()) {
    while (next < trials.size() &&
           running.size() < static_cast<size_t>(options.jobs)) {
      const Trial& trial = trials[next++];
      running.emplace_back(
          trial, subjects.Take(trial),
          trial.may_hang ? std::min(options.timeout, options.timeout_of_hanging)
                         : options.timeout);
    }
    AwaitNews(running, events);
    if (options.on_tick != nullptr) options.on_tick();
    auto event = events.begin();
    for (auto trial = running.begin(); trial != running.end(); event += 3) {
      const bool has_ended = event[1].revents != 0;
      if (!has_ended && trial->deadline() > absl::Now()) {
        if (event[0].revents != 0 || event[2].revents != 0) trial->Read();
        ++trial;
        continue;
      }
      on_record(has_ended ? trial->Finish() : trial->Kill());
      subjects.Return(trial->trial(), trial->TakeSubject());
      trial = running.erase(trial);
    }
  }
}

}  // namespace net::conformance
