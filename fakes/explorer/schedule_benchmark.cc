// Measures how many schedules ExploreSchedules() runs in a second. Required on
// an idle machine: BM_TwoThreadsSixCalls at least 2,000.
//
// An iteration is an exploration of all schedules with at most two preemptions,
// the search for the planted race included; items are schedules.
//
//   bazel run --config=opt //fakes/explorer:schedule_benchmark

#include <cstdint>
#include <ctime>

#include "absl/status/status.h"
#include "benchmark/benchmark.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/fake_kernel.h"
#include "fakes/run_tasks.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

// Two threads make six calls each.
absl::Status TwoThreadsSixCalls(Syscalls& sys, FakeKernel& kernel) {
  const auto make_calls = [&] {
    for (int i = 0; i < 6; ++i) {
      timespec now = {};
      static_cast<void>(sys.ClockGetTime(CLOCK_MONOTONIC, &now));
    }
  };
  return RunTasks(kernel, {{"one", make_calls}, {"two", make_calls}});
}

void BM_TwoThreadsSixCalls(benchmark::State& state) {
  int64_t schedules = 0;
  for (auto _ : state) {
    const ScheduleResult result = ExploreSchedules(TwoThreadsSixCalls);
    if (!result.exhausted || !result.findings.empty()) {
      state.SkipWithError(result.ToString().c_str());
      break;
    }
    schedules += result.counts.Total();
  }
  state.SetItemsProcessed(schedules);
}

BENCHMARK(BM_TwoThreadsSixCalls)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace net
