#include "fakes/trap/syscall_trap.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/guardian.h"
#include "fakes/trap/handover.h"
#include "fakes/trap/owned_fd.h"
#include "fakes/trap/probe.h"
#include "fakes/trap/seccomp.h"
#include "fakes/trap/supervisor.h"
#include "fakes/trap/trap_state.h"
#include "fakes/trap/trapped_call.h"
#include "syscalls/errors/error.h"
#include "syscalls/mutex.h"
#include "syscalls/sandbox/watched_child.h"

namespace net {
namespace {

// As of env(1) and timeout(1): their own failure, a program that was not found.
constexpr int kNotStarted = 125;
constexpr int kNotFound = 127;

// Adds the calls that a plan needs.
void AddCallsOf(const FaultPlan& plan, SyscallSet& calls) {
  for (const FaultRule& rule : plan.rules) {
    const auto selected = SelectSyscalls(rule.selector.calls);
    for (const SyscallId id : kAllSyscallIds) {
      if (selected.has_value() && selected->contains(id)) calls.insert(id);
    }
    if (rule.action.kind == ActionKind::kReuseNumber) {
      calls.insert(SyscallId::kClose);
    }
    if (rule.selector.nth_socket.has_value()) {
      calls.insert(SyscallId::kSocket);
      calls.insert(SyscallId::kAccept);
      calls.insert(SyscallId::kAccept4);
    }
  }
}

std::vector<int> NumbersFor(const TrapOptions& options,
                            const SyscallSet& calls) {
  std::vector<int> numbers = trap::NumbersOf(calls);
  if (options.notes_exit) numbers.push_back(SYS_exit_group);
  return numbers;
}

// Async-signal-safe.
void UseDevNull() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    dup2(null, fd);
  }
}

}  // namespace

SyscallSet CallsForAnyPlan() {
  SyscallSet calls;
  for (const SyscallId id : kAllSyscallIds) {
    if (id != SyscallId::kClose && !UsesNoSocket(id)) calls.insert(id);
  }
  return calls;
}

struct SyscallTrap::Parts {
  Parts(trap::Guardian its_guardian, trap::Handover its_handover,
        sandbox::WatchedChild its_child, const TrapOptions& options)
      : guardian(std::move(its_guardian)),
        handover(std::move(its_handover)),
        child(std::move(its_child)),
        pid(child.pid()),
        state(options.keep_trace || options.sink != nullptr, options.sink) {}

  trap::Guardian guardian;
  trap::Handover handover;
  sandbox::WatchedChild child;
  const pid_t pid;
  std::optional<int> wait_status;
  SyscallSet trapped;
  trap::TrapState state;
  Mutex mutex;
  std::optional<std::vector<int>> open_at_exit ABSL_GUARDED_BY(mutex);
  std::optional<trap::Supervisor> supervisor;
};

absl::StatusOr<std::unique_ptr<SyscallTrap>> SyscallTrap::Start(
    const TrapOptions& options, const FaultPlan& plan,
    absl::Span<const std::string> command) {
  std::vector<char*> words;
  for (const std::string& word : command) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  if (words.empty()) return absl::InvalidArgumentError("no program to start");
  words.push_back(nullptr);
  return StartChild(options, plan, [&](int /*report*/) {
    if (options.is_quiet) UseDevNull();
    execvp(words[0], words.data());
    return errno;
  });
}

absl::StatusOr<std::unique_ptr<SyscallTrap>> SyscallTrap::StartBody(
    const TrapOptions& options, const FaultPlan& plan,
    absl::FunctionRef<void(int report)> body) {
  return StartChild(options, plan, [&](int report) {
    body(report);
    return 0;
  });
}

absl::StatusOr<std::unique_ptr<SyscallTrap>> SyscallTrap::StartChild(
    const TrapOptions& options, const FaultPlan& plan,
    absl::FunctionRef<int(int report)> body) {
  SyscallSet calls = options.calls;
  AddCallsOf(plan, calls);
  const bool wait_killable = trap::WaitKillableWorks();
  absl::StatusOr<trap::Guardian> guardian = trap::Guardian::Start();
  if (!guardian.ok()) return guardian.status();
  absl::StatusOr<trap::Handover> handover = trap::Handover::Create(
      trap::BuildFilter(NumbersFor(options, calls)), wait_killable);
  if (!handover.ok()) return handover.status();
  absl::StatusOr<sandbox::WatchedChild> child =
      sandbox::WatchedChild::Start([&](int report) {
        guardian->CloseInTarget();
        if (!handover->InstallAndWait()) _exit(kNotStarted);
        const int error = body(report);
        if (error == 0) return;
        handover->Leave(trap::Handover::Step::kExecError, error);
        _exit(kNotFound);
      });
  if (!child.ok()) return child.status();
  if (absl::Status status = guardian->Guard(child->pid()); !status.ok()) {
    return status;
  }
  absl::StatusOr<trap::OwnedFd> listener =
      handover->Take(child->Events()[1].fd);
  if (!listener.ok()) return listener.status();

  auto parts = std::make_unique<Parts>(
      *std::move(guardian), *std::move(handover), *std::move(child), options);
  parts->trapped = calls;
  parts->state.AddProcess(parts->pid);
  parts->state.Arm(plan);
  Parts& own = *parts;
  parts->supervisor.emplace(
      *std::move(listener), parts->state,
      trap::Supervisor::Options{
          .knows_results = options.knows_results,
          .on_exit =
              [&own](pid_t thread) {
                if (own.state.ProcessOf(thread) != own.pid) return;
                std::vector<int> open = own.state.OpenDescriptors();
                const MutexLock lock(own.mutex);
                own.open_at_exit = std::move(open);
              },
          .kill_target = [&own] { kill(-own.pid, SIGKILL); }});
  return absl::WrapUnique(new SyscallTrap(std::move(parts)));
}

SyscallTrap::SyscallTrap(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

SyscallTrap::~SyscallTrap() {
  // The supervisor must outlive the program.
  if (!parts_->wait_status.has_value()) {
    static_cast<void>(parts_->child.Kill());
  }
}

void SyscallTrap::Arm(const FaultPlan& plan) { parts_->state.Arm(plan); }

std::vector<FaultRule> SyscallTrap::Unmatched() const {
  return parts_->state.Unmatched();
}

int SyscallTrap::Count(absl::string_view calls) const {
  return parts_->state.Count(calls);
}

int SyscallTrap::Count(SyscallId call) const {
  return parts_->state.Count(call);
}

std::vector<std::string> SyscallTrap::Trace() const {
  std::vector<std::string> lines;
  for (trap::TracedCall& call : parts_->state.Trace()) {
    lines.push_back(std::move(call.text));
  }
  return lines;
}

std::vector<int> SyscallTrap::OpenDescriptors() const {
  return parts_->state.OpenDescriptors();
}

int SyscallTrap::StrayCloses() const { return parts_->state.StrayCloses(); }

absl::Status SyscallTrap::CheckTrapped(const FaultPlan& plan) const {
  for (const FaultRule& rule : plan.rules) {
    SyscallSet needed;
    AddCallsOf(FaultPlan{.rules = {rule}}, needed);
    // A family or "*" is content with some of its calls.
    const bool is_one_call = needed.size() == 1;
    bool has_any = false;
    for (const SyscallId id : kAllSyscallIds) {
      has_any |= needed.contains(id) && parts_->trapped.contains(id);
    }
    const bool lacks_close = rule.action.kind == ActionKind::kReuseNumber &&
                             !parts_->trapped.contains(SyscallId::kClose);
    if (!has_any || lacks_close) {
      return absl::FailedPreconditionError(absl::StrCat(
          "'", rule.ToString(),
          "': ", is_one_call ? rule.selector.calls : "close",
          "(2) is not trapped; which calls are is fixed at the start"));
    }
  }
  return absl::OkStatus();
}

int SyscallTrap::PhantomInterruptions() const {
  return parts_->state.PhantomInterruptions();
}

int SyscallTrap::UnseenFaults() const { return parts_->state.UnseenFaults(); }

std::vector<trap::TracedCall> SyscallTrap::Calls() const {
  return parts_->state.Trace();
}

std::optional<std::vector<int>> SyscallTrap::OpenAtExit() const {
  const MutexLock lock(parts_->mutex);
  return parts_->open_at_exit;
}

std::string SyscallTrap::failure() const { return parts_->state.failure(); }

pid_t SyscallTrap::pid() const { return parts_->pid; }

int SyscallTrap::pidfd() const { return parts_->child.Events()[1].fd; }

absl::StatusOr<int> SyscallTrap::Wait() {
  absl::StatusOr<std::optional<int>> status = WaitFor(absl::InfiniteDuration());
  if (!status.ok()) return status.status();
  return **status;
}

absl::StatusOr<std::optional<int>> SyscallTrap::WaitFor(
    absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!parts_->wait_status.has_value()) {
    std::array<pollfd, 2> events = parts_->child.Events();
    const absl::Duration rest = deadline - absl::Now();
    if (rest <= absl::ZeroDuration()) return std::nullopt;
    // At most a minute at a time: the argument is an int.
    const auto wait_ms = static_cast<int>(
        absl::ToInt64Milliseconds(std::min(rest, absl::Minutes(1))) + 1);
    if (poll(events.data(), events.size(), wait_ms) < 0 && errno != EINTR) {
      return ErrnoError(errno, "poll");
    }
    if (absl::Status status = parts_->child.Read(); !status.ok()) return status;
    if (events[1].revents != 0) parts_->wait_status = parts_->child.Reap();
  }
  const absl::StatusOr<int> status = Ended();
  if (!status.ok()) return status.status();
  return *status;
}

absl::StatusOr<int> SyscallTrap::Kill() {
  if (!parts_->wait_status.has_value()) {
    parts_->wait_status = parts_->child.Kill();
  }
  return *parts_->wait_status;
}

absl::StatusOr<int> SyscallTrap::Ended() {
  switch (parts_->handover.step()) {
    case trap::Handover::Step::kExecError:
      return ErrnoError(parts_->handover.error(), "execve");
    case trap::Handover::Step::kRunning:
      return *parts_->wait_status;
    default:
      return absl::InternalError(
          "the canary was not answered: the trap is not in charge");
  }
}

const std::string& SyscallTrap::Report() const {
  return parts_->child.report();
}

}  // namespace net
