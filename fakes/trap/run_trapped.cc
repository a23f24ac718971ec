#include "fakes/trap/run_trapped.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/syscall_trap.h"
#include "syscalls/sandbox/watched_child.h"

namespace net {

absl::StatusOr<TrapReport> RunTrapped(const FaultPlan& plan,
                                      absl::FunctionRef<std::string()> body) {
  TrapOptions options = {
      .calls = CallsForAnyPlan(), .keep_trace = true, .notes_exit = true};
  options.calls.insert(SyscallId::kClose);
  absl::StatusOr<std::unique_ptr<SyscallTrap>> started =
      SyscallTrap::StartBody(options, plan, [&](int report) {
        if (!sandbox::WriteReport(report, body())) _exit(1);
      });
  if (!started.ok()) return started.status();
  SyscallTrap& trap = **started;
  const absl::StatusOr<int> status = trap.Wait();
  if (!status.ok()) return status.status();
  if (!trap.failure().empty()) {
    return absl::UnimplementedError(trap.failure());
  }
  return TrapReport{
      .wait_status = *status,
      .report = trap.Report(),
      .unmatched = trap.Unmatched(),
      .trace = trap.Trace(),
      .open_descriptors = trap.OpenAtExit().value_or(std::vector<int>()),
      .stray_closes = trap.StrayCloses(),
      .phantom_interruptions = trap.PhantomInterruptions()};
}

}  // namespace net
