#ifndef FAKES_EXPLORER_EXPLORE_FAULTS_H_
#define FAKES_EXPLORER_EXPLORE_FAULTS_H_

#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/fault_outcome.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/out_parameter.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/schedule_bounds.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/faults/fault_plan.h"

// Tests error paths: runs a scenario with every fault that it can meet on
// Linux, and with every pair of faults.
//
//   absl::Status ConnectOnce(Syscalls& sys);   // See Scenario.
//
//   TEST(ConnectOnce, HasNoBadErrorPath) {
//     EXPECT_THAT(ExploreFaults(ConnectOnce), HasNoFindings());
//   }
//
// The scenario runs once on a new FakeKernel. Then it runs again for each of
// its system calls on TCP sockets and each fault that this call can have
// (FaultChoices lists them), each time on a new FakeKernel. Then it runs for
// every second fault that can follow the first one, also in the clean-up. Each
// run is judged:
//
// - CallMonitor watches its system calls: leaks, double closes and more.
// - The scenario must report the errno of the fault. options.declarations lists
//   the errnos that it handles in another way on purpose.
// - The scenario must end. If it waits for something that never happens, the
//   FakeKernel's deadlock ends it.
// - Afterwards the scenario must succeed on the same kernel without faults,
//   which shows that nothing is left bound.
//
// FindingKind lists the kinds of findings. Findings with the same cause are
// reported once, with the plan that a person would have written.

namespace net {

// A part of an exploration. All pairs of faults are divided among `total`
// shards.
struct ExploreShard {
  int index = 0;  // From 0 to total - 1.
  int total = 1;
};

// Returns the shard that Bazel has chosen for this process (TEST_TOTAL_SHARDS,
// TEST_SHARD_INDEX), and creates the file TEST_SHARD_STATUS_FILE. Without
// shards, returns the whole exploration.
//
// By default, GoogleTest divides the TESTs among the shards. To divide each
// exploration instead, link //fakes/explorer:sharded_main in place of
// gtest_main.
ExploreShard ShardFromEnvironment();

struct ExploreOptions {
  // The C++ name of the scenario, for the source of tests.
  std::string name = "Scenario";
  // The largest number of faults in a plan: 1, 2 or 3.
  int max_faults = 2;
  // The errnos that the scenario handles in another way than by reporting them.
  std::vector<Declaration> declarations;
  bool ignores_sigpipe = false;   // Sends may raise SIGPIPE.
  bool allows_inherited = false;  // Descriptors need not be close-on-exec.
  // The number of calls after which a run is endless.
  int max_calls = 10000;
  FakeKernelOptions kernel;
  FakeProcessOptions process;

  // Whether to leave out plans whose outcome follows from the outcomes of other
  // plans. This assumes that an errno changes nothing but the calls that the
  // scenario makes and the errno that it returns. ExploreCounts counts the
  // pruned plans.
  bool prune = true;
  ExploreShard shard;
  // A file that keeps the progress; "" for none. A run with the same options
  // and scenario continues where an earlier one was stopped. The file is
  // removed when the exploration is complete.
  std::string checkpoint;
  // The exploration stops after about this many runs.
  int64_t max_runs = std::numeric_limits<int64_t>::max();
  // Whether to explore in a child process first, so that a crash is a finding.
  // Takes twice the time. The process should have one thread. If false, a crash
  // ends the process. (ExploreSchedules() runs each schedule in a child process
  // instead.)
  bool catch_crashes = false;
  // The schedules that the functions of explore_schedules.h explore.
  ScheduleBounds schedules;
};

struct ExploreFinding {
  FindingKind kind = FindingKind::kLeak;
  std::string text;  // "nothing closes the descriptor of socket"
  FaultPlan plan;    // The smallest plan that shows it.
  // The schedule of the participants under which the plan shows the finding,
  // for ScheduleOptions::replay. Empty for the schedule of ExploreOptions.
  std::string schedule;
  int64_t plans = 0;  // The number of plans that have shown it.
  // The errnos that show the finding, in the order in which they were found, if
  // a single fault shows it.
  std::vector<int> errnos;
};

std::ostream& operator<<(std::ostream& os, const ExploreFinding& finding);

// The numbers of plans: in all, run, and left out for each reason.
struct ExploreCounts {
  int64_t plans = 0;  // All plans, also those that were pruned.
  int64_t runs = 0;   // Plans that were run.
  // Pairs of faults whose first fault has no effect on the calls after it. The
  // second fault meets the same calls in the same state as if it was alone.
  int64_t pruned_recovered = 0;
  // Pairs of faults whose first fault has the same calls after it as another
  // errno at the same place.
  int64_t pruned_same = 0;
};

// An errno at a call site, and its outcome.
struct ExploreSite {
  Call call = Call::kSocket;
  int occurrence = 1;  // 0: any call of that name after the first error.
  int error = 0;
  FaultOutcome outcome = FaultOutcome::kReported;
};

struct ExploreResult {
  std::string name;
  std::vector<Declaration> declarations;
  ExploreShard shard;
  int max_faults = 0;
  uint64_t seed = 1;  // FakeKernelOptions::seed.
  // The number of schedules of ExploreFaultsUnderSchedules(), and their maximum
  // number of preemptions.
  int64_t schedules = 0;
  int max_preemptions = 0;
  bool complete = true;  // False if it stopped after max_runs.
  std::vector<ExploreFinding> findings;
  ExploreCounts counts;
  std::vector<ExploreSite> sites;
  std::vector<Call> calls;  // Calls that the scenario makes, in any run.

  // Returns one sentence: "no set of <= 2 faults of the table makes
  // ConnectOnce leak, hang or swallow; 9312 plans, 61 % pruned because ...".
  std::string Statement() const;

  // Returns a table: for each call site, the errnos that were hit, by outcome;
  // and the calls of the errno table that were not reached.
  std::string SiteTable() const;

  // Returns the statement, the findings with their reproductions, and the
  // table.
  std::string ToString() const;

  // Returns the source of a GoogleTest that shows the finding.
  std::string TestSource(const ExploreFinding& finding) const;
};

// Returns the command that runs a program under a plan.
std::string TrapCommand(const FaultPlan& plan);

std::ostream& operator<<(std::ostream& os, const ExploreResult& result);

// Explore a scenario, as the beginning of this file describes. The calling
// thread must not be a participant of another FakeKernel.
ExploreResult ExploreFaults(const ExploreOptions& options,
                            const Scenario& scenario);
ExploreResult ExploreFaults(const Scenario& scenario);

// Runs the scenario under one plan only, and judges it. A rule that applies to
// no call is a finding of the kind kBroken.
ExploreResult RunFaultPlan(absl::string_view plan,
                           const ExploreOptions& options,
                           const Scenario& scenario);

}  // namespace net

#endif  // FAKES_EXPLORER_EXPLORE_FAULTS_H_
