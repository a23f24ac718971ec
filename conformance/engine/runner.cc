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
#include <cstring>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/harness_error.h"
#include "conformance/linux/harness_error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace net::conformance {
namespace {

// How much of a trial's output goes into a message: its end.
constexpr int64_t kOutputTail = 4096;

// A verdict on its way through the pipe: the outcome's name, a newline, the
// message, and a NUL that shows that it has come whole.
std::string EncodeVerdict(const Verdict& verdict) {
  std::string text =
      absl::StrCat(OutcomeName(verdict.outcome), "\n", verdict.message);
  // A NUL of the message's own would end it early.
  std::replace(text.begin(), text.end(), '\0', ' ');
  text.push_back('\0');
  return text;
}

std::optional<Verdict> DecodeVerdict(absl::string_view text) {
  const size_t newline = text.find('\n');
  if (text.empty() || text.back() != '\0') return std::nullopt;
  if (newline == absl::string_view::npos) return std::nullopt;
  const std::optional<Outcome> outcome =
      OutcomeFromName(text.substr(0, newline));
  if (!outcome.has_value()) return std::nullopt;
  text.remove_prefix(newline + 1);
  text.remove_suffix(1);
  return Verdict{*outcome, std::string(text)};
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
#if defined(__SANITIZE_ADDRESS__)
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
[[noreturn]] void RunInChild(const Trial& trial, int pipe, int output) {
  // A group of its own, so that the watchdog gets what the trial started, too;
  // and no trial outlives the runner.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close(output);
  // SIGPIPE must show, and the runner's caller may have had it ignored.
  std::signal(SIGPIPE, SIG_DFL);
  RunTrial(trial, [pipe](const Verdict& verdict) {
    WriteAll(pipe, EncodeVerdict(verdict));
  });
  std::fflush(nullptr);
  if (LeaksMemory()) std::abort();
  _exit(0);
}

// What became of a process, in words.
std::string DescribeStatus(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return absl::StrCat("killed by SIG", sigabbrev_np(signal), " (",
                        sigdescr_np(signal), ")");
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(status));
}

// A trial that runs.
class RunningTrial {
 public:
  RunningTrial(const Trial& trial, absl::Duration timeout)
      : trial_(trial), started_(absl::Now()), deadline_(started_ + timeout) {
    std::array<int, 2> pipe_fds = {};
    Checked(pipe2(pipe_fds.data(), O_CLOEXEC), "pipe2");
    output_ = CheckedFd(memfd_create("output", MFD_CLOEXEC), "memfd_create");
    std::fflush(nullptr);  // Else the child would print what is buffered here.
    pid_ = static_cast<pid_t>(Checked(fork(), "fork"));
    if (pid_ == 0) {
      close(pipe_fds[0]);
      RunInChild(trial, pipe_fds[1], output_);
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

  // What to poll for: the verdict, and the process's end. (The pipe's end would
  // not do: a process that the trial started may hold it open.)
  std::array<pollfd, 2> Events() const {
    return {{{.fd = pipe_ended_ ? -1 : pipe_, .events = POLLIN, .revents = 0},
             {.fd = pidfd_, .events = POLLIN, .revents = 0}}};
  }
  absl::Time deadline() const { return deadline_; }

  // Reads what has come; does not wait for more.
  void Read() {
    std::array<char, 65536> buffer;
    ssize_t got = 0;
    while ((got = read(pipe_, buffer.data(), buffer.size())) > 0) {
      received_.append(buffer.data(), static_cast<size_t>(got));
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR) Checked(-1, "read");
    if (got == 0) pipe_ended_ = true;
  }

  // The record of a trial whose process has ended.
  Record Finish() {
    Read();
    const int status = Reap();
    const std::optional<Verdict> verdict = DecodeVerdict(received_);
    if (verdict.has_value() && status == 0) return MakeRecord(*verdict);
    return MakeRecord({Outcome::kCrash,
                       absl::StrCat(DescribeStatus(status),
                                    verdict.has_value() ? " after its verdict"
                                                        : " before its verdict",
                                    OutputTail())});
  }

  // The record of a trial that is late.
  Record Kill() {
    static_cast<void>(KillAndReap());
    return MakeRecord({Outcome::kTimeout,
                       absl::StrCat("not done after ",
                                    absl::FormatDuration(deadline_ - started_),
                                    OutputTail())});
  }

 private:
  Record MakeRecord(Verdict verdict) const {
    return {.trial = trial_,
            .verdict = std::move(verdict),
            .milliseconds = absl::ToInt64Milliseconds(absl::Now() - started_)};
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
  const absl::Time started_;
  const absl::Time deadline_;
  pid_t pid_ = -1;
  int pipe_ = -1;
  int pidfd_ = -1;
  int output_ = -1;
  bool pipe_ended_ = false;
  std::string received_;
};

// Waits until a trial has something to say, has ended, or is late. `events` are
// then two for each trial, in their order: the verdict's and the end's.
void AwaitNews(const std::list<RunningTrial>& running,
               std::vector<pollfd>& events) {
  events.clear();
  absl::Time next_deadline = absl::InfiniteFuture();
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

void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record) {
  std::list<RunningTrial> running;
  std::vector<pollfd> events;
  size_t next = 0;
  while (next < trials.size() || !running.empty()) {
    while (next < trials.size() &&
           running.size() < static_cast<size_t>(options.jobs)) {
      running.emplace_back(trials[next++], options.timeout);
    }
    AwaitNews(running, events);
    auto event = events.begin();
    for (auto trial = running.begin(); trial != running.end();) {
      const bool has_news = (event++)->revents != 0;
      const bool has_ended = (event++)->revents != 0;
      if (has_ended) {
        on_record(trial->Finish());
        trial = running.erase(trial);
      } else if (trial->deadline() <= absl::Now()) {
        on_record(trial->Kill());
        trial = running.erase(trial);
      } else {
        if (has_news) trial->Read();
        ++trial;
      }
    }
  }
}

}  // namespace net::conformance
