#include "fakes/explorer/schedule_canary.h"

#include <atomic>
#include <ctime>

#include "absl/status/status.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/schedule_bounds.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_search.h"
#include "fakes/explorer/scheduled_runs.h"
#include "fakes/fake_kernel.h"
#include "fakes/run_tasks.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

// Enough to find the race with certainty, for either search.
constexpr int kSchedules = 1000;

void MakeCall(Syscalls& sys) {
  timespec now = {};
  static_cast<void>(sys.ClockGetTime(CLOCK_MONOTONIC, &now));
}

// Two tasks add 1: each reads, makes a call, and writes. Atomic, because a data
// race is not what is planted.
absl::Status LosesAnUpdate(Syscalls& sys, FakeKernel& kernel) {
  std::atomic<int> value = 0;
  const auto add = [&] {
    const int before = value.load(std::memory_order_relaxed);
    MakeCall(sys);
    value.store(before + 1, std::memory_order_relaxed);
  };
  absl::Status status = RunTasks(kernel, {{"one", add}, {"two", add}});
  if (!status.ok()) return status;
  return value == 2 ? absl::OkStatus()
                    : absl::InternalError("an update was lost");
}

// The second task fails if it runs before the first one.
absl::Status DependsOnTheOrder(Syscalls& sys, FakeKernel& kernel) {
  std::atomic<bool> is_ready = false;
  return RunTasks(kernel,
                  {{"first",
                    [&] {
                      MakeCall(sys);
                      is_ready.store(true, std::memory_order_relaxed);
                    }},
                   {"second", [&] {
                      return is_ready.load(std::memory_order_relaxed)
                                 ? absl::OkStatus()
                                 : absl::InternalError("it is not ready");
                    }}});
}

}  // namespace

bool FindsPlantedRace(const ScheduleBounds& bounds, const RunOptions& options) {
  const bool is_exhaustive = bounds.max_schedules > 0;
  const bool preempts =
      is_exhaustive ? bounds.max_preemptions > 0 : bounds.pct_depth > 1;
  bool is_found = false;
  const auto run = [&](RecordingSchedule& policy, bool /*is_repeated*/) {
    const ExploredRun made = preempts
                                 ? RunUnder(policy, LosesAnUpdate, options)
                                 : RunUnder(policy, DependsOnTheOrder, options);
    is_found = absl::IsInternal(made.status);
    return ScheduledRun{.goes_on = !is_found};
  };
  ScheduleBounds enough = bounds;
  enough.max_schedules = is_exhaustive ? kSchedules : 0;
  enough.pct_schedules = is_exhaustive ? 0 : kSchedules;
  ScheduleSearch search({.bounds = enough}, run);
  search.SearchExhaustively();
  search.SearchRandomly();
  return is_found;
}

}  // namespace net
