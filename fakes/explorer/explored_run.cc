#include "fakes/explorer/explored_run.h"

#include <fcntl.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

// Longer than any timer of TCP (tcp_retries2 gives up after 924 s, tcp(7)).
constexpr absl::Duration kLater = absl::Minutes(20);

// Returns what `scenario` does, or an error if it had to be ended.
absl::Status Run(absl::FunctionRef<absl::Status(Syscalls&)> scenario,
                 CallMonitor& monitor) {
  try {
    return scenario(monitor);
  } catch (const EndlessProgram&) {
    return absl::AbortedError("ended, because it makes calls without an end");
  }
}

// Returns the hits with indices of calls. Both lists are in the order of time.
std::vector<FaultHit> HitsOf(const std::vector<FaultInjector::Hit>& hits,
                             const std::vector<MonitoredCall>& calls) {
  std::vector<FaultHit> found;
  size_t next = 0;
  for (const FaultInjector::Hit& hit : hits) {
    while (next < calls.size() && calls[next].position != hit.position) ++next;
    if (next == calls.size()) break;
    found.push_back({static_cast<int>(next), hit.rule});
  }
  return found;
}

constexpr int kFirstNumber = 3;

// A process in which 0 to 2 are free, but new descriptors begin at 3 all the
// same, unless fcntl(2) asks for another number: as if the program had closed
// standard input just before the fault fd0.
class HighNumbers final : public InterceptingSyscalls {
 public:
  using InterceptingSyscalls::InterceptingSyscalls;

 protected:
  SysResult Intercept(Invocation& invocation,
                      absl::FunctionRef<SysResult()> make) override {
    const SysResult made = make();
    const bool is_low = made.ok() && invocation.makes_descriptor() &&
                        made.value() < kFirstNumber;
    if (!is_low || invocation.call() == Call::kFcntl ||
        invocation.call() == Call::kDup3) {
      return made;
    }
    const SysResult flags = target().Fcntl(made.fd(), F_GETFD, 0);
    const bool is_cloexec = flags.ok() && (flags.value() & FD_CLOEXEC) != 0;
    const SysResult moved = target().Fcntl(
        made.fd(), is_cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, kFirstNumber);
    static_cast<void>(target().Close(made.fd()));
    return moved;
  }
};

bool WantsDescriptorZero(const FaultPlan& plan) {
  return std::any_of(plan.rules.begin(), plan.rules.end(),
                     [](const FaultRule& rule) {
                       return rule.action.kind == ActionKind::kDescriptorZero;
                     });
}

// Returns whether another run on the same kernel would show the same defect
// again.
bool PreventsAnother(const Violation& violation) {
  switch (violation.kind) {
    case FindingKind::kSigpipe:
    case FindingKind::kNotCloseOnExec:
    case FindingKind::kOutParameter:
    case FindingKind::kRetryStorm:
      return false;
    default:
      return true;
  }
}

}  // namespace

RunOptions RunOptionsOf(const ExploreOptions& options) {
  return {.limits = {.ignores_sigpipe = options.ignores_sigpipe,
                     .allows_inherited = options.allows_inherited,
                     .max_calls = options.max_calls},
          .kernel = options.kernel,
          .process = options.process};
}

ExploredRun RunOnKernel(absl::FunctionRef<absl::Status(Syscalls&)> scenario,
                        const FaultPlan& plan, const MonitorLimits& limits,
                        Syscalls& kernel, std::function<int()> caller) {
  FaultInjector injector(kernel);
  injector.Arm(plan);
  CallMonitor monitor(injector, limits);
  monitor.set_caller(std::move(caller));
  ExploredRun run;
  run.status = Run(scenario, monitor);
  monitor.Finish();
  run.calls = monitor.calls();
  run.violations = monitor.violations();
  if (!plan.rules.empty()) {
    run.hits = HitsOf(injector.Hits(), run.calls);
    run.unmatched = injector.Unmatched();
  }
  return run;
}

ExploredRun RunOnFakeKernel(const Scenario& scenario, const FaultPlan& plan,
                            const RunOptions& options) {
  FakeKernel kernel(options.kernel);
  kernel.ExpectDeadlock();  // A finding.
  FakeProcessOptions process_options = options.process;
  const bool needs_zero = WantsDescriptorZero(plan);
  if (needs_zero) process_options.standard_descriptors = false;
  FakeProcess& fake_process = kernel.NewProcess(process_options);
  const FakeKernel::Participant self(kernel, "scenario");
  const auto run_once = [&](Syscalls& sys) {
    return scenario.Run(sys, kernel);
  };
  HighNumbers high_numbers(fake_process);
  Syscalls& process = needs_zero ? static_cast<Syscalls&>(high_numbers)
                                 : static_cast<Syscalls&>(fake_process);
  ExploredRun run = RunOnKernel(run_once, plan, options.limits, process,
                                [&] { return kernel.CurrentParticipant(); });
  run.deadlock = kernel.Deadlock();
  run.participants = kernel.ParticipantNames();
  run.not_replayable = kernel.NotReplayable();
  if (!options.runs_again || run.deadlock.has_value() ||
      std::any_of(run.violations.begin(), run.violations.end(),
                  PreventsAnother)) {
    return run;
  }
  kernel.Advance(kLater);
  CallMonitor monitor(process, options.limits);
  absl::Status again = Run(run_once, monitor);
  if (again.ok() && kernel.Deadlock().has_value()) {
    again = absl::DeadlineExceededError("blocks");
  }
  run.again = std::move(again);
  return run;
}

}  // namespace net
