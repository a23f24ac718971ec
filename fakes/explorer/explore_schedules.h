#ifndef FAKES_EXPLORER_EXPLORE_SCHEDULES_H_
#define FAKES_EXPLORER_EXPLORE_SCHEDULES_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/schedule_bounds.h"

// Tests code that has several threads: runs a scenario under every order in
// which its participants can run, up to a number of preemptions.
//
//   // Two threads of one process close a socket.
//   absl::Status CloseTwice(Syscalls& sys, FakeKernel& kernel) {
//     const SysResult made =
//         sys.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
//     std::atomic<bool> closed = false;
//     const auto close = [&] {
//       if (closed) return absl::OkStatus();
//       ... // A call.
//       closed = true;
//       ...
//     };
//     return RunTasks(kernel, {{"one", close}, {"two", close}});
//   }
//
//   TEST(CloseTwice, HasNoRace) {
//     EXPECT_THAT(ExploreSchedules(CloseTwice), HasNoFindings());
//   }
//
// The scenario is one of ExploreFaults(), with several participants. It runs
// once for each schedule (fakes/schedule/schedule.h), each time on a new
// FakeKernel. The participant that has the baton can lose it at each of its
// calls, when it blocks, and when it ends.
//
// - First, the explorer searches for a race that it has planted itself. If it
//   does not find the race, that is a finding, because the explorer does not
//   control the schedules.
// - Then it runs all schedules with at most ScheduleBounds::max_preemptions
//   preemptions, those with fewer first. If there are more than max_schedules,
//   a random search follows (PCT).
// - A run is judged as by ExploreFaults(): by its result, by whether it ends,
//   and by the violations that CallMonitor has seen: leaks, double closes, uses
//   after close.
// - A finding has the schedule with the fewest preemptions that shows it, and
//   the line of code that repeats it.
// - Some runs are repeated. A scenario that then does something else is a
//   finding, because its schedules prove nothing. A scenario without any choice
//   is a finding, too.
//
// Limits:
// - Between two calls, a participant runs without interruption. Memory accesses
//   between two calls are therefore explored only in the orders of the calls.
//   ThreadSanitizer finds data races.
// - Threads that are not participants (std::thread) are not in the schedule.
//
// Faults and schedules together: ExploreFaultsUnderSchedules().

namespace net {

// A defect that some schedules show.
struct ScheduleFinding {
  FindingKind kind = FindingKind::kRace;
  std::string text;       // "it returns INTERNAL: an update was lost"
  std::string schedule;   // For ReplaySchedule().
  int preemptions = 0;    // The number in `schedule`.
  int64_t schedules = 0;  // The number of schedules that have shown it.
  // The calls of the scenario under `schedule`, one a line, each with the
  // participant that made it.
  std::string interleaving;
};

std::ostream& operator<<(std::ostream& os, const ScheduleFinding& finding);

// The numbers of schedules that were run.
struct ScheduleCounts {
  std::vector<int64_t> exhaustive;  // By number of preemptions.
  int64_t random = 0;

  int64_t Total() const;
};

struct ScheduleResult {
  std::string name;
  uint64_t seed = 1;         // FakeKernelOptions::seed.
  bool has_options = false;  // Whether it was called with options.
  ScheduleBounds bounds;
  ExploreShard shard;
  // Whether all schedules with at most max_preemptions preemptions have run.
  bool exhausted = false;
  // Whether the search has run to its end: exhausted, or else with all its
  // random schedules.
  bool complete = false;
  std::vector<ScheduleFinding> findings;
  ScheduleCounts counts;

  // Returns one sentence: "no schedule with <= 2 preemptions makes CloseTwice
  // fail, hang or leak; 112 schedules, seed 1".
  std::string Statement() const;

  // Returns the statement, and the findings with their reproductions.
  std::string ToString() const;

  // Returns the line that repeats a finding:
  // ReplaySchedule("call:abc", options, CloseTwice)
  std::string ReplayLine(const ScheduleFinding& finding) const;
};

std::ostream& operator<<(std::ostream& os, const ScheduleResult& result);

// Explore a scenario, as the beginning of this file describes.
// options.schedules bounds the search. Options about faults are not used. Of
// options.kernel.schedule, only `pins_threads` is used. options.max_runs bounds
// the schedules of both searches together. The calling thread must not be a
// participant of another FakeKernel.
//
// With options.checkpoint, an exploration that was stopped by max_runs or by
// the end of the process continues in the next call. With
// options.catch_crashes, each run has a child process of its own, and a crash
// is a finding with its schedule. This takes about a millisecond a run.
ScheduleResult ExploreSchedules(const ExploreOptions& options,
                                const Scenario& scenario);
ScheduleResult ExploreSchedules(const Scenario& scenario);

// Run the scenario once under this schedule, and judge the run. A schedule
// whose choices cannot be made is a finding of the kind kNotRepeatable. The
// scenario runs in the calling process, so a crash ends this process.
ScheduleResult ReplaySchedule(absl::string_view schedule,
                              const ExploreOptions& options,
                              const Scenario& scenario);
ScheduleResult ReplaySchedule(absl::string_view schedule,
                              const Scenario& scenario);

// Explores plans and schedules together. Takes each schedule of the scenario
// without faults that options.schedules allows, and calls ExploreFaults() under
// it. After a fault, the choices of the schedule are made as long as this is
// possible; then the plain choices follow. The findings have a plan and a
// schedule.
//
// There are as many runs as plans times schedules. One fault and one preemption
// are often enough:
//
//   EXPECT_THAT(ExploreFaultsUnderSchedules(
//                   {.max_faults = 1, .schedules = {.max_preemptions = 1}},
//                   AskTwoServers),
//               HasNoFindings());
//
// The schedules are those of the exhaustive search. The result is not complete
// if this search gives up after max_schedules, or if there are more than
// options.max_runs runs. A race without a fault is a finding with an empty
// plan.
//
// options.checkpoint and options.catch_crashes work as in ExploreFaults(). A
// second file, whose name ends with ".schedule", keeps the progress under the
// last schedule. The schedules without faults are run again in each part.
ExploreResult ExploreFaultsUnderSchedules(const ExploreOptions& options,
                                          const Scenario& scenario);

}  // namespace net

#endif  // FAKES_EXPLORER_EXPLORE_SCHEDULES_H_
