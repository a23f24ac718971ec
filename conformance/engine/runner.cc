#include "conformance/engine/runner.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/last_calls.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"
#include "conformance/engine/trial_report.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "syscalls/sandbox/child.h"
#include "syscalls/sandbox/wait_status.h"
#include "syscalls/sandbox/watched_child.h"

#if defined(ABSL_HAVE_ADDRESS_SANITIZER)
#include <sanitizer/lsan_interface.h>
#endif

namespace net::conformance {
namespace {

// The number of bytes at the end of a trial's output that go into a message.
constexpr int64_t kOutputTail = 4096;

// The longest time between calls of RunnerOptions::on_tick.
constexpr std::chrono::seconds kTick(1);

// Not the time of day, which may be changed while trials run.
using Clock = std::chrono::steady_clock;

// See RunnerOptions::timeout.
constexpr int kPartWithoutCalls = 6;
constexpr int kMostTimeouts = 5;

// Checks for leaked memory in a build with AddressSanitizer, because _exit()
// skips that check.
bool LeaksMemory() {
#if defined(ABSL_HAVE_ADDRESS_SANITIZER)
  // The check opens files, but the case may have left no free descriptor.
  rlimit limit = {};
  Checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  Checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  return __lsan_do_recoverable_leak_check() != 0;
#else
  return false;
#endif
}

// Runs a trial in the forked child.
[[noreturn]] void RunTrialInChild(const Trial& trial, Subject* subject,
                                  LastCalls& calls, int pipe, int output) {
  // When the trial is dead, its descendants become the runner's children, which
  // is how the runner finds them.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close(output);
  // A case must see SIGPIPE, but the runner may have inherited it as ignored.
  std::signal(SIGPIPE, SIG_DFL);
  RunTrial(trial, subject, calls, [pipe](const TrialReport& report) {
    // Without a reader the runner is gone.
    if (!sandbox::WriteReport(pipe, EncodeReport(report))) _exit(126);
  });
  std::fflush(nullptr);
  if (LeaksMemory()) std::abort();
  _exit(0);
}

// A running trial.
class RunningTrial {
 public:
  RunningTrial(const Trial& trial, const RunnerOptions& options)
      : trial_(trial),
        timeout_(trial.may_hang
                     ? std::min(options.timeout, options.timeout_of_hanging)
                     : options.timeout),
        started_(Clock::now()) {}
  RunningTrial(const RunningTrial&) = delete;
  RunningTrial& operator=(const RunningTrial&) = delete;

  // Kills the trial if it still runs: no trial outlives the run.
  ~RunningTrial() {
    child_.reset();
    CloseOutput();
  }

  // Forks the trial's process. `subject` is for this trial alone, and null if
  // the target has none. The child calls `close_others` first, to close the
  // descriptors that belong to other trials. Throws HarnessError.
  void Start(std::unique_ptr<Subject> subject,
             absl::FunctionRef<void()> close_others) {
    subject_ = std::move(subject);
    if (subject_ != nullptr) subject_->Begin(TrialName(trial_));
    calls_.emplace();
    output_ = CheckedFd(memfd_create("output", MFD_CLOEXEC), "memfd_create");
    child_ = Checked(sandbox::WatchedChild::Start([&](int pipe) {
      close_others();
      RunTrialInChild(trial_, subject_.get(), *calls_, pipe, output_);
    }));
  }

  // In the process of another trial: closes its copies of this trial's
  // descriptors.
  void CloseInChild() {
    if (subject_ != nullptr) subject_->CloseInChild();
    if (child_.has_value()) child_->CloseInChild();
    CloseOutput();
  }

  // Returns what to poll for: the verdict, the end of the process, and the
  // subject's output.
  std::array<pollfd, 3> Events() const {
    const std::array<pollfd, 2> own = child_->Events();
    const bool has_output = subject_ != nullptr && !output_ended_;
    return {{own[0],
             own[1],
             {.fd = has_output ? subject_->output_fd() : -1,
              .events = POLLIN,
              .revents = 0}}};
  }
  // Returns when to kill the trial, unless NoteCalls() sees some until then.
  Clock::time_point deadline() const {
    const auto timeout = absl::ToChronoNanoseconds(timeout_);
    const Clock::time_point first = started_ + timeout;
    if (trial_.may_hang) return first;
    return std::clamp(last_call_at_ + timeout / kPartWithoutCalls, first,
                      started_ + kMostTimeouts * timeout);
  }
  // Notes whether the trial has made system calls, or exchanged messages with
  // its subject, since the last time.
  void NoteCalls() {
    const uint64_t calls =
        calls_->count() + (subject_ == nullptr ? 0 : subject_->MessageCount());
    if (calls == calls_seen_) return;
    calls_seen_ = calls;
    last_call_at_ = Clock::now();
  }
  const Trial& trial() const { return trial_; }

  // Reads the available part of the verdict and of the output. Does not block.
  void Read() {
    Checked(child_->Read());
    if (subject_ != nullptr && !output_ended_) {
      output_ended_ = !subject_->ReadOutput();
    }
  }

  // Returns the record of a trial whose process has ended.
  Record Finish() {
    Read();
    const int status = child_->Reap();
    const std::string& received = child_->report();
    if (received.empty()) return MakeCrash(status, " before its verdict");
    const absl::StatusOr<TrialReport> report = DecodeReport(received);
    if (!report.ok()) {
      return MakeCrash(status, absl::StrCat(" with an invalid report: ",
                                            report.status().message()));
    }
    if (status != 0) return MakeCrash(status, " after its verdict");
    reusable_ = report->reusable;
    if (!report->version.empty()) version_ = report->version;
    return MakeRecord(report->verdict);
  }

  // Kills a trial that takes too long, and returns its record.
  Record Kill() {
    const absl::Duration limit = absl::FromChrono(deadline() - started_);
    std::string message =
        absl::StrCat("did not end within ", absl::FormatDuration(timeout_));
    if (limit > timeout_) {
      absl::StrAppend(
          &message, " (as it still made system calls",
          subject_ == nullptr ? "" : ", or exchanged messages with its driver",
          ", it was killed after ",
          absl::FormatDuration(absl::Trunc(limit, absl::Milliseconds(1))), ")");
    }
    if (subject_ != nullptr) {
      absl::StrAppend(&message, "; killed processes:\n", Snapshot());
    }
    child_.reset();
    return MakeRecord(
        {.outcome = Outcome::kTimeout,
         .message = absl::StrCat(message, OutputTail(), SessionText())});
  }

  // Returns the record of a trial that the runner cannot handle.
  Record GiveUp(absl::string_view why) {
    child_.reset();
    return {.trial = trial_,
            .verdict = {.outcome = Outcome::kHarnessError,
                        .message = std::string(why)},
            .milliseconds = MillisecondsSoFar(),
            .version = version_};
  }

  // Returns the subject after the trial if it can serve another one. It cannot
  // if the case may have changed the subject's network.
  std::unique_ptr<Subject> TakeSubject() {
    if (!reusable_ || Includes(trial_.test_case->needs, Need::kOwnNetwork)) {
      return nullptr;
    }
    return std::move(subject_);
  }

 private:
  int64_t MillisecondsSoFar() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() -
                                                                 started_)
        .count();
  }

  Record MakeRecord(Verdict verdict) const {
    if (!IsExpected(verdict)) {
      verdict.calls = calls_->Text();
      if (subject_ != nullptr) {
        absl::StrAppend(&verdict.message, "\n", subject_->Describe());
      }
    }
    return {.trial = trial_,
            .verdict = std::move(verdict),
            .milliseconds = MillisecondsSoFar(),
            .version = version_};
  }

  // `what` is appended to the status: when the process ended, or what was wrong
  // with its report.
  Record MakeCrash(int status, absl::string_view what) const {
    return MakeRecord(
        {.outcome = Outcome::kCrash,
         .message = absl::StrCat(sandbox::DescribeWaitStatus(status), what,
                                 OutputTail(), SessionText())});
  }

  // Returns the session with a driver. The trial's process is dead and cannot
  // add it to the message.
  std::string SessionText() const {
    if (subject_ == nullptr) return "";
    std::string text;
    AppendSession(text, subject_->Transcript());
    return text.empty() ? "" : absl::StrCat("\n", text);
  }

  std::string Snapshot() const {
    // The processes may end while they are inspected.
    try {
      return subject_->Snapshot();
    } catch (const std::exception& e) {
      return absl::StrCat("  ", e.what(), "\n");
    }
  }

  void CloseOutput() {
    if (output_ >= 0) close(output_);
    output_ = -1;
  }

  // Returns the end of the trial's output, or "".
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
  const absl::Duration timeout_;
  const Clock::time_point started_;
  uint64_t calls_seen_ = 0;
  Clock::time_point last_call_at_ = started_;
  std::unique_ptr<Subject> subject_;
  std::optional<LastCalls> calls_;  // Set by Start().
  std::optional<sandbox::WatchedChild> child_;
  int output_ = -1;
  bool output_ended_ = false;
  bool reusable_ = false;
  std::string version_ = trial_.target->version;
};

// Waits until a trial has output, has ended or has exceeded its time, but at
// most for kTick. Fills `events` with three entries for each trial, in their
// order: see RunningTrial::Events().
void AwaitNews(const std::list<RunningTrial>& running,
               std::vector<pollfd>& events) {
  events.clear();
  auto next_deadline = Clock::now() + kTick;
  for (const RunningTrial& trial : running) {
    const auto its_events = trial.Events();
    events.insert(events.end(), its_events.begin(), its_events.end());
    next_deadline = std::min(next_deadline, trial.deadline());
  }
  const absl::Duration wait = std::max(
      absl::ZeroDuration(), absl::FromChrono(next_deadline - Clock::now()));
  const timespec timeout = absl::ToTimespec(wait);
  if (ppoll(events.data(), events.size(), &timeout, nullptr) >= 0) return;
  if (errno != EINTR) Checked(-1, "ppoll");
  for (pollfd& event : events) event.revents = 0;
}

// Returns the record of a trial if it has ended or exceeded its time; else
// reads what is available and returns nullopt. `events` are those of the trial,
// after AwaitNews().
std::optional<Record> Attend(RunningTrial& trial, const pollfd* events) {
  try {
    if (events[1].revents != 0) return trial.Finish();
    trial.NoteCalls();
    if (trial.deadline() <= Clock::now()) return trial.Kill();
    if (events[0].revents != 0 || events[2].revents != 0) trial.Read();
    return std::nullopt;
  } catch (const std::exception& e) {
    return trial.GiveUp(e.what());
  }
}

// Starts a trial. If that fails, returns its record.
std::optional<Record> StartTrial(const Trial& trial,
                                 const RunnerOptions& options,
                                 IdleSubjects& subjects,
                                 std::list<RunningTrial>& running) {
  RunningTrial& started = running.emplace_back(trial, options);
  try {
    started.Start(subjects.Take(trial), [&] {
      for (RunningTrial& other : running) {
        if (&other != &started) other.CloseInChild();
      }
      subjects.CloseInChild();
    });
    return std::nullopt;
  } catch (const std::exception& e) {
    Record record = started.GiveUp(e.what());
    running.pop_back();
    return record;
  }
}

}  // namespace

IdleSubjects::Key IdleSubjects::KeyOf(const Trial& trial) {
  const Need needs = trial.test_case->needs;
  if (!Includes(needs, Need::kFaults) ||
      trial.target->start_trapped_subject == nullptr) {
    return {trial.target, Kind::kPlain};
  }
  return {trial.target, Includes(needs, Need::kFaultsOfClose)
                            ? Kind::kTrappedWithClose
                            : Kind::kTrapped};
}

std::unique_ptr<Subject> IdleSubjects::Start(const Key& key) {
  const auto& [target, kind] = key;
  if (kind != Kind::kPlain) {
    return target->start_trapped_subject(kind == Kind::kTrappedWithClose);
  }
  return target->start_subject == nullptr ? nullptr : target->start_subject();
}

std::unique_ptr<Subject> IdleSubjects::Take(const Trial& trial) {
  const Key key = KeyOf(trial);
  std::vector<std::unique_ptr<Subject>>& idle = idle_[key];
  if (idle.empty() || Includes(trial.test_case->needs, Need::kOwnNetwork)) {
    return Start(key);
  }
  std::unique_ptr<Subject> subject = std::move(idle.back());
  idle.pop_back();
  return subject;
}

void IdleSubjects::CloseInChild() {
  for (auto& [key, subjects] : idle_) {
    for (const std::unique_ptr<Subject>& subject : subjects) {
      subject->CloseInChild();
    }
  }
}

void IdleSubjects::Return(const Trial& trial,
                          std::unique_ptr<Subject> subject) {
  if (subject != nullptr) idle_[KeyOf(trial)].push_back(std::move(subject));
}

int DefaultJobs(unsigned int processors) {
  return std::max(2 * static_cast<int>(processors), processors <= 1 ? 8 : 16);
}

void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record) {
  IdleSubjects subjects;
  RunTrials(trials, options, on_record, subjects);
}

void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record,
               IdleSubjects& subjects) {
  const sandbox::Subreaper subreaper;
  std::list<RunningTrial> running;
  std::vector<pollfd> events;
  size_t next = 0;
  while (true) {
    while (next < trials.size() &&
           running.size() < static_cast<size_t>(options.jobs)) {
      const std::optional<Record> failure =
          StartTrial(trials[next++], options, subjects, running);
      if (failure.has_value()) on_record(*failure);
    }
    if (running.empty()) break;  // All have ended, or could not be started.
    AwaitNews(running, events);
    if (options.on_tick != nullptr) options.on_tick();
    const pollfd* event = events.data();
    for (auto trial = running.begin(); trial != running.end(); event += 3) {
      const std::optional<Record> record = Attend(*trial, event);
      if (!record.has_value()) {
        ++trial;
        continue;
      }
      subreaper.KillAdopted();
      on_record(*record);
      subjects.Return(trial->trial(), trial->TakeSubject());
      trial = running.erase(trial);
    }
  }
}

}  // namespace net::conformance
