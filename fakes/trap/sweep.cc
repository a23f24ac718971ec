#include "fakes/trap/sweep.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/faults/effect.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/run_trapped.h"
#include "fakes/trap/syscall_trap.h"
#include "fakes/trap/trap_state.h"

namespace net::trap {
namespace {

// socket(2) never has this errno.
constexpr int kCanaryError = EXDEV;

// Returns the text that selects this call only.
std::string SelectorOf(SyscallId id) {
  std::string name(SyscallName(id));
  const auto selected = SelectSyscalls(name);
  return selected.has_value() && selected->size() > 1 ? name + "!" : name;
}

// A run and what it has shown.
struct Run {
  SweepEnd end;
  std::vector<TracedCall> calls;
  std::vector<FaultRule> unmatched;
};

// See SweepOptions::timeout.
constexpr int kParts = 6;
constexpr int kMostTimeouts = 5;

// Returns the time of a processor that a process has used; zero once it has
// ended.
absl::Duration ProcessorTimeOf(pid_t pid) {
  clockid_t clock = 0;
  timespec used = {};
  if (clock_getcpuclockid(pid, &clock) != 0) return absl::ZeroDuration();
  if (clock_gettime(clock, &used) != 0) return absl::ZeroDuration();
  return absl::DurationFromTimespec(used);
}

// Waits for the end of the program. Returns nullopt if it hangs.
absl::StatusOr<std::optional<int>> AwaitEndOrHang(SyscallTrap& trap,
                                                  absl::Duration timeout) {
  size_t calls = 0;
  absl::Duration used;
  for (int part = 1;; ++part) {
    absl::StatusOr<std::optional<int>> status = trap.WaitFor(timeout / kParts);
    if (!status.ok() || status->has_value()) return status;
    const size_t calls_now = trap.Calls().size();
    const absl::Duration used_now = ProcessorTimeOf(trap.pid());
    const bool goes_on = calls_now != calls || used_now != used;
    const bool is_over =
        !goes_on || used_now >= timeout || part >= kParts * kMostTimeouts;
    if (part >= kParts && is_over) return status;
    calls = calls_now;
    used = used_now;
  }
}

absl::StatusOr<Run> RunOnce(const SweepOptions& options,
                            const FaultPlan& plan) {
  TrapOptions trap_options = {.calls = CallsForAnyPlan(),
                              .keep_trace = true,
                              .notes_exit = true,
                              .is_quiet = true};
  if (options.traps_close) trap_options.calls.insert(SyscallId::kClose);
  absl::StatusOr<std::unique_ptr<SyscallTrap>> started =
      SyscallTrap::Start(trap_options, plan, options.command);
  if (!started.ok()) return started.status();
  SyscallTrap& trap = **started;
  const absl::StatusOr<std::optional<int>> status =
      AwaitEndOrHang(trap, options.timeout);
  if (!status.ok()) return status.status();
  Run run;
  run.end.wait_status = *status;
  const std::optional<std::vector<int>> open =
      status->has_value() ? trap.OpenAtExit() : trap.OpenDescriptors();
  if (open.has_value()) run.end.open_sockets = static_cast<int>(open->size());
  run.calls = trap.Calls();
  run.unmatched = trap.Unmatched();
  if (!trap.failure().empty()) return absl::UnimplementedError(trap.failure());
  return run;
}

bool WasRetried(const std::vector<TracedCall>& calls) {
  const auto failed =
      std::find_if(calls.begin(), calls.end(),
                   [](const TracedCall& call) { return call.injected; });
  if (failed == calls.end()) return false;
  const auto next = std::find_if(
      failed + 1, calls.end(),
      [&](const TracedCall& call) { return call.thread == failed->thread; });
  return next != calls.end() && next->call == failed->call &&
         next->fd == failed->fd;
}

absl::StatusOr<SweepRow> RunWithFault(const SweepOptions& options,
                                      const FaultRule& rule) {
  constexpr int kAttempts = 2;  // Threads may make the calls in another order.
  SweepRow row = {.rule = rule};
  for (int i = 0; i < kAttempts; ++i) {
    const absl::StatusOr<Run> run = RunOnce(options, {.rules = {rule}});
    if (!run.ok()) return run.status();
    row.was_reached = run->unmatched.empty();
    row.was_retried = WasRetried(run->calls);
    row.end = run->end;
    if (row.was_reached) break;
  }
  return row;
}

// Returns the faults: each call of a run with each errno that it can have, in
// the order of the calls.
std::vector<FaultRule> FaultsOf(const std::vector<TracedCall>& calls,
                                int most_occurrences) {
  std::map<SyscallId, int> counts;
  std::vector<FaultRule> rules;
  for (const TracedCall& call : calls) {
    const int nth = ++counts[call.call];
    if (nth > most_occurrences) continue;
    for (const int error : ErrnosOf(call.call)) {
      FaultRule rule;
      rule.selector.calls = SelectorOf(call.call);
      rule.selector.occurrence = {.first = nth, .last = nth};
      rule.action.error = error;
      rules.push_back(rule);
    }
  }
  return rules;
}

std::string EndText(const SweepEnd& end) {
  if (!end.wait_status.has_value()) return "hang";
  const int status = *end.wait_status;
  if (WIFSIGNALED(status)) {
    const char* const name = sigabbrev_np(WTERMSIG(status));
    return name != nullptr ? absl::StrCat("SIG", name)
                           : absl::StrCat("signal ", WTERMSIG(status));
  }
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

std::string HowEnded(const SweepRow& row, const SweepEnd& without_faults) {
  if (!row.was_reached) return "not reached";
  if (row.end.wait_status != without_faults.wait_status) {
    return EndText(row.end);
  }
  return row.was_retried ? "retried" : "handled";
}

// Returns how many more sockets are open than without faults: "+1", or "".
std::string OpenText(const SweepRow& row, const SweepEnd& without_faults) {
  if (!row.end.open_sockets.has_value()) return "";
  const int more =
      *row.end.open_sockets - without_faults.open_sockets.value_or(0);
  return more > 0 ? absl::StrCat("+", more) : "";
}

}  // namespace

std::string SweepResult::ToString() const {
  size_t widest = 5;
  for (const SweepRow& row : rows) {
    widest = std::max(widest, row.rule.ToString().size());
  }
  const auto line = [&](absl::string_view fault, absl::string_view ended,
                        absl::string_view open) {
    std::string text = absl::StrFormat(
        "%-*s  %-15s %s", static_cast<int>(widest), fault, ended, open);
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text = line("fault", "ended", "open sockets");
  std::map<std::string, int> sums;
  int leaks = 0;
  for (const SweepRow& row : rows) {
    const std::string how = HowEnded(row, without_faults);
    const std::string open = OpenText(row, without_faults);
    ++sums[how];
    leaks += open.empty() ? 0 : 1;
    absl::StrAppend(&text, line(row.rule.ToString(), how, open));
  }
  absl::StrAppend(&text, "\nWithout faults: ", EndText(without_faults), ", ",
                  without_faults.open_sockets.value_or(0),
                  " sockets open at the end.\n", rows.size(), " faults:");
  absl::string_view separator = " ";
  for (const auto& [how, count] : sums) {
    absl::StrAppend(&text, separator, count, " ", how);
    separator = ", ";
  }
  absl::StrAppend(&text, "; ", leaks, " with more sockets open at the end.\n");
  return text;
}

int SweepResult::NotReached() const {
  return static_cast<int>(
      std::count_if(rows.begin(), rows.end(),
                    [](const SweepRow& row) { return !row.was_reached; }));
}

absl::StatusOr<SweepResult> Sweep(const SweepOptions& options) {
  if (absl::Status status = CheckCanaryFault(); !status.ok()) return status;
  const absl::StatusOr<Run> plain = RunOnce(options, {});
  if (!plain.ok()) return plain.status();
  SweepResult result = {.without_faults = plain->end};
  const std::vector<FaultRule> faults =
      FaultsOf(plain->calls, options.most_occurrences);
  if (faults.empty()) {
    return absl::NotFoundError("the program made no call on a TCP socket");
  }
  for (const FaultRule& rule : faults) {
    if (options.progress != nullptr) {
      options.progress(absl::StrCat(result.rows.size() + 1, "/", faults.size(),
                                    " ", rule.ToString()));
    }
    absl::StatusOr<SweepRow> row = RunWithFault(options, rule);
    if (!row.ok()) return row.status();
    result.rows.push_back(*std::move(row));
  }
  return result;
}

absl::Status CheckCanaryFault() {
  FaultRule rule;
  rule.selector.calls = "socket";
  rule.action = {.error = kCanaryError, .effect = Effect::kBefore};
  const absl::StatusOr<TrapReport> report =
      RunTrapped({.rules = {rule}}, []() -> std::string {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int error = errno;
        if (fd >= 0) close(fd);
        return fd < 0 && error == kCanaryError ? "seen" : "not seen";
      });
  if (!report.ok()) return report.status();
  if (report->report != "seen" || !report->unmatched.empty()) {
    return absl::InternalError(
        "the canary fault was not seen: the trap is not in charge");
  }
  return absl::OkStatus();
}

}  // namespace net::trap
