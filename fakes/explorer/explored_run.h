#ifndef FAKES_EXPLORER_EXPLORED_RUN_H_
#define FAKES_EXPLORER_EXPLORED_RUN_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/scenario.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "syscalls/syscalls.h"

namespace net {

// A call that a rule of the plan applied to.
struct FaultHit {
  int call = 0;  // Its index in ExploredRun::calls.
  size_t rule = 0;
};

// One run of a scenario under a fault plan.
struct ExploredRun {
  absl::Status status;
  std::vector<MonitoredCall> calls;
  std::vector<Violation> violations;
  std::vector<FaultHit> hits;             // In the order of the calls.
  std::vector<FaultRule> unmatched;       // Rules that applied to no call.
  std::optional<std::string> deadlock;    // The FakeKernel's report.
  std::vector<std::string> participants;  // Of the FakeKernel, by number.
  std::string not_replayable;             // FakeKernel::NotReplayable().
  // The result of a second run on the same kernel without faults. Nullopt if
  // there was none, because the first run left something behind that prevents a
  // second one.
  std::optional<absl::Status> again;
};

struct RunOptions {
  MonitorLimits limits;
  FakeKernelOptions kernel;
  FakeProcessOptions process;
  bool runs_again = true;  // Whether it runs once more without faults.
};

RunOptions RunOptionsOf(const ExploreOptions& options);

// Runs the scenario under the plan in a process of a new FakeKernel, and then
// once more without faults.
ExploredRun RunOnFakeKernel(const Scenario& scenario, const FaultPlan& plan,
                            const RunOptions& options);

// Runs a function once under the plan on any kernel. `caller` is for
// CallMonitor::set_caller().
ExploredRun RunOnKernel(absl::FunctionRef<absl::Status(Syscalls&)> scenario,
                        const FaultPlan& plan, const MonitorLimits& limits,
                        Syscalls& kernel, std::function<int()> caller = {});

}  // namespace net

#endif  // FAKES_EXPLORER_EXPLORED_RUN_H_
