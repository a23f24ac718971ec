// The program trap: see kHelp.

#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/faults/trace.h"
#include "fakes/trap/control_server.h"
#include "fakes/trap/sweep.h"
#include "fakes/trap/syscall_trap.h"
#include "syscalls/errors/error.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(std::string, plan, "", "");
ABSL_FLAG(bool, trace, false, "");
ABSL_FLAG(std::string, trace_file, "", "");
ABSL_FLAG(std::string, record, "", "");
ABSL_FLAG(bool, sweep, false, "");
ABSL_FLAG(int, occurrences, 0, "");
ABSL_FLAG(absl::Duration, timeout, absl::ZeroDuration(), "");
ABSL_FLAG(bool, trap_close, false, "");
ABSL_FLAG(int, control_fd, -1, "");
ABSL_FLAG(bool, help, false, "");

namespace net::trap {
namespace {

constexpr absl::string_view kHelp =
    R"(usage: trap [FLAGS] -- COMMAND [ARGUMENTS...]

Runs COMMAND, a program in any language, and makes chosen system calls on its
TCP sockets fail. Needs no privileges: seccomp(2) notifies this program of the
calls. Child processes of COMMAND are included.

  trap --plan='accept4#2=EMFILE' -- python3 server.py
  trap --trace -- ./server
  trap --sweep --timeout=5s -- python3 server.py

  --plan=TEXT        which calls fail, and how: "accept4#2=EMFILE; send=short(1);
                     connect(127.0.0.1:*)=EINTR*3; close=EIO after". The
                     grammar: fakes/faults/fault_plan.h
  --trace            print the calls and their results to stderr
  --trace-file=FILE  write the calls and their results to FILE
  --record=FILE      write the calls to FILE, as a trace that can be replayed
                     (fakes/faults/trace.h)
  --sweep            run COMMAND without faults, and then once for each of its
                     calls and each errno that this call can have. Print how
                     each run ended
  --occurrences=N    sweep: only the first N calls of each name fail
  --timeout=DURATION kill COMMAND after this time, such as 5s. Default: never;
                     with --sweep 10s. A run of --sweep that still makes calls
                     or uses a processor gets up to five times as long
  --trap-close       trap close(2), too. (A signal can make a trapped close(2)
                     fail without having closed. A plan with close traps it in
                     any case.)
  --control-fd=N     take plans from the socket N while COMMAND runs
                     (fakes/trap/trap_control.h)
  --help             print this and exit

exit status:
  COMMAND's, or 128 plus the number of the signal that ended it;
  0    --sweep: the table is complete
  2    the command line has a mistake
  124  COMMAND was killed after --timeout
  125  the trap has failed: seccomp is forbidden here, the canary was not seen,
       or a rule of the plan applied to no call
  126  COMMAND cannot be executed
  127  COMMAND was not found
)";

constexpr int kUsageError = 2;
constexpr int kTimedOut = 124;
constexpr int kTrapFailed = 125;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;
constexpr int kSignalled = 128;

int Fail(int status, absl::string_view message) {
  std::cerr << "trap: " << message << "\n";
  return status;
}

int UsageError(absl::string_view message) {
  return Fail(kUsageError, absl::StrCat(message, " (--help shows the flags)"));
}

int FailToStart(const absl::Status& status) {
  if (absl::IsFailedPrecondition(status)) {
    return Fail(kTrapFailed, absl::StrCat("precondition: ", status.message()));
  }
  const int error = ErrnoOf(status);
  return Fail(error == ENOENT   ? kNotFound
              : error == EACCES ? kNotExecutable
                                : kTrapFailed,
              status.message());
}

// The process group that gets this process's signals; 0 if there is none.
std::atomic<pid_t> forward_to = 0;

// Forwards signals that ask this process to end.
void ForwardSignals(pid_t group) {
  forward_to = group;
  struct sigaction action = {};
  action.sa_handler = [](int signal) {
    const int before = errno;
    if (forward_to > 0) kill(-forward_to, signal);
    errno = before;
  };
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    sigaction(signal, &action, nullptr);
  }
}

// Makes a process group the foreground of this terminal, and this process's
// group again at the end.
class Foreground {
 public:
  explicit Foreground(pid_t group) {
    if (tcgetpgrp(STDIN_FILENO) != getpgrp()) return;
    is_changed_ = true;
    Set(group);
  }
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;
  ~Foreground() {
    if (is_changed_) Set(getpgrp());
  }

 private:
  static void Set(pid_t group) {
    // The default action of SIGTTOU stops a background process.
    auto* const before = std::signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, group);
    std::signal(SIGTTOU, before);
  }
  bool is_changed_ = false;
};

// The destination of the lines of the trace.
struct Outputs {
  bool to_stderr = false;
  std::ofstream trace;
  std::ofstream record;

  void Write(absl::string_view line) {
    if (to_stderr) std::cerr << line << "\n" << std::flush;
    if (trace.is_open()) trace << line << "\n" << std::flush;
    if (record.is_open()) record << line << "\n" << std::flush;
  }
};

bool Open(std::ofstream& file, const std::string& path) {
  if (path.empty()) return true;
  file.open(FromCallersFolder(path));
  return file.is_open();
}

// Adds what went wrong with the trap to the program's own status.
int StatusAfter(const SyscallTrap& trap, int wait_status) {
  int status = WIFSIGNALED(wait_status) ? kSignalled + WTERMSIG(wait_status)
                                        : WEXITSTATUS(wait_status);
  if (const int phantoms = trap.PhantomInterruptions(); phantoms > 0) {
    std::cerr
        << "trap: signals ended " << phantoms
        << " trapped calls before they were received. Those that the "
           "kernel did not restart failed with EINTR and were not made.\n";
  }
  if (!trap.failure().empty()) status = Fail(kTrapFailed, trap.failure());
  // In control mode the other side asks.
  if (absl::GetFlag(FLAGS_control_fd) >= 0) return status;
  for (const FaultRule& rule : trap.Unmatched()) {
    status = Fail(kTrapFailed,
                  absl::StrCat("'", rule.ToString(), "' applied to no call"));
  }
  return status;
}

absl::StatusOr<std::optional<int>> Await(SyscallTrap& trap) {
  const int control = absl::GetFlag(FLAGS_control_fd);
  if (control >= 0) return ServeControl(trap, control);
  const absl::Duration timeout = absl::GetFlag(FLAGS_timeout);
  return trap.WaitFor(
      timeout > absl::ZeroDuration() ? timeout : absl::InfiniteDuration());
}

int RunCommand(const FaultPlan& plan, absl::Span<const std::string> command) {
  Outputs outputs;
  outputs.to_stderr = absl::GetFlag(FLAGS_trace);
  if (!Open(outputs.trace, absl::GetFlag(FLAGS_trace_file)) ||
      !Open(outputs.record, absl::GetFlag(FLAGS_record))) {
    return Fail(kTrapFailed,
                absl::StrCat("cannot write the trace: ", std::strerror(errno)));
  }
  if (outputs.record.is_open()) outputs.record << kTraceHeader;
  const bool has_outputs =
      outputs.to_stderr || outputs.trace.is_open() || outputs.record.is_open();
  const int control = absl::GetFlag(FLAGS_control_fd);
  TrapOptions options;
  if (has_outputs || control >= 0) options.calls = CallsForAnyPlan();
  if (absl::GetFlag(FLAGS_trap_close)) {
    options.calls.insert(SyscallId::kClose);
  }
  options.keep_trace = control >= 0;
  options.knows_results = has_outputs;
  if (has_outputs) {
    options.sink = [&](absl::string_view line) { outputs.Write(line); };
  }
  absl::StatusOr<std::unique_ptr<SyscallTrap>> started =
      SyscallTrap::Start(options, plan, command);
  if (!started.ok()) return FailToStart(started.status());
  SyscallTrap& trap = **started;
  ForwardSignals(trap.pid());
  absl::StatusOr<std::optional<int>> status;
  {
    const Foreground foreground(trap.pid());
    status = Await(trap);
  }
  forward_to = 0;
  if (!status.ok()) return FailToStart(status.status());
  if (!status->has_value()) {
    return Fail(kTimedOut, "the program was killed after --timeout");
  }
  return StatusAfter(trap, **status);
}

// Prints the progress of a sweep on standard error: on a terminal each line,
// which replaces the one before; otherwise a line each ten seconds.
class Progress {
 public:
  void Print(absl::string_view line) {
    const absl::Time now = absl::Now();
    if (is_terminal_) {
      std::cerr << kClear << line << std::flush;
    } else if (now >= next_) {
      next_ = now + absl::Seconds(10);
      std::cerr << line << ", " << absl::ToInt64Seconds(now - start_) << " s\n"
                << std::flush;
    }
  }
  void End() const {
    if (is_terminal_) std::cerr << kClear;
  }

 private:
  static constexpr absl::string_view kClear = "\r\033[K";

  const bool is_terminal_ = isatty(STDERR_FILENO) == 1;
  const absl::Time start_ = absl::Now();
  absl::Time next_ = start_;
};

int RunSweep(absl::Span<const std::string> command) {
  Progress progress;
  SweepOptions options = {
      .command = {command.begin(), command.end()},
      .traps_close = absl::GetFlag(FLAGS_trap_close),
      .progress = [&](absl::string_view line) { progress.Print(line); }};
  if (const absl::Duration timeout = absl::GetFlag(FLAGS_timeout);
      timeout > absl::ZeroDuration()) {
    options.timeout = timeout;
  }
  if (const int most = absl::GetFlag(FLAGS_occurrences); most > 0) {
    options.most_occurrences = most;
  }
  const absl::StatusOr<SweepResult> result = Sweep(options);
  progress.End();
  if (!result.ok()) return FailToStart(result.status());
  std::cout << result->ToString() << std::flush;
  if (result->NotReached() == 0) return 0;
  return Fail(kTrapFailed,
              absl::StrCat(result->NotReached(), " faults applied to no call"));
}

int Main(int argc, char** argv) {
  const absl::Span<char* const> words(argv, static_cast<size_t>(argc));
  size_t flags = 1;
  while (flags < words.size() && std::strcmp(words[flags], "--") != 0) ++flags;
  const absl::Status parsed = ParseFlags(words.subspan(1, flags - 1));
  if (absl::GetFlag(FLAGS_help)) {
    std::cout << kHelp;
    return 0;
  }
  if (!parsed.ok()) return UsageError(parsed.message());
  if (flags + 1 >= words.size()) return UsageError("no '-- COMMAND'");
  const std::vector<std::string> command(words.begin() + flags + 1,
                                         words.end());
  const absl::StatusOr<FaultPlan> plan =
      ParseFaultPlan(absl::GetFlag(FLAGS_plan));
  if (!plan.ok()) {
    return UsageError(absl::StrCat("--plan: ", plan.status().message()));
  }
  const int control = absl::GetFlag(FLAGS_control_fd);
  if (control >= 0 && fcntl(control, F_SETFD, FD_CLOEXEC) != 0) {
    return UsageError(
        absl::StrCat("--control-fd=", control, ": ", std::strerror(errno)));
  }
  const bool sweeps = absl::GetFlag(FLAGS_sweep);
  const bool has_more = !plan->rules.empty() || absl::GetFlag(FLAGS_trace) ||
                        !absl::GetFlag(FLAGS_trace_file).empty() ||
                        !absl::GetFlag(FLAGS_record).empty() || control >= 0;
  if (sweeps && has_more) {
    return UsageError("--sweep makes its own plans, and writes no trace");
  }
  return sweeps ? RunSweep(command) : RunCommand(*plan, command);
}

}  // namespace
}  // namespace net::trap

int main(int argc, char** argv) {
  try {
    return net::trap::Main(argc, argv);
  } catch (const std::exception& e) {
    return net::trap::Fail(net::trap::kTrapFailed, e.what());
  }
}
