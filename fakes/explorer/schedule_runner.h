#ifndef FAKES_EXPLORER_SCHEDULE_RUNNER_H_
#define FAKES_EXPLORER_SCHEDULE_RUNNER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/shared_schedule.h"
#include "fakes/explorer/verdict.h"
#include "fakes/schedule/schedule.h"

namespace net {

// The result of a run under a schedule.
struct ScheduleOutcome {
  bool succeeds = false;  // The scenario has returned OK.
  // A failure of the scenario is of the kind kBroken, not kRace.
  std::vector<Defect> defects;
  uint64_t digest = 0;       // DigestOf().
  std::string interleaving;  // Interleaving(), if it was asked for.
};

// Runs a scenario under schedules, without faults. With
// ExploreOptions::catch_crashes, each run has a child process of its own, so
// that a crash is a defect.
class ScheduleRunner {
 public:
  // Both must outlive this.
  ScheduleRunner(const ExploreOptions& options, const Scenario& scenario);

  // Runs the scenario once on a new FakeKernel whose participants run as the
  // policy chooses. Afterwards `policy` has the state after these choices, even
  // if a child process has made them. `describes`: sets the interleaving of the
  // outcome, which takes time. It stays empty after a crash.
  ScheduleOutcome Run(SchedulePolicy& policy, bool describes = false);

  // The error of the first run that could not have a child process.
  const absl::Status& status() const { return status_; }

 private:
  ScheduleOutcome RunHere(SchedulePolicy& policy, bool describes) const;
  ScheduleOutcome RunInChild(SchedulePolicy& policy, bool describes);

  const ExploreOptions& options_;
  const Scenario& scenario_;
  const RunOptions run_options_;
  std::optional<SharedChoices> choices_;  // Nullopt: runs have no child.
  absl::Status status_;
};

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULE_RUNNER_H_
