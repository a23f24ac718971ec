#ifndef FAKES_EXPLORER_SCHEDULED_RUNS_H_
#define FAKES_EXPLORER_SCHEDULED_RUNS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/verdict.h"
#include "fakes/schedule/schedule.h"

// Runs a scenario under schedules, and describes the runs.

namespace net {

// Runs the scenario once, without faults, on a new FakeKernel whose
// participants run as the policy chooses.
ExploredRun RunUnder(SchedulePolicy& policy, const Scenario& scenario,
                     const RunOptions& options);

// Returns the defects of a run without faults. A failure of the scenario is a
// defect of the kind kBroken.
std::vector<Defect> DefectsOf(const ExploredRun& run,
                              const std::vector<Declaration>& declarations);

// Changes the kind kBroken to kRace. For a scenario that does not fail under
// the plain schedule.
void MakeRaces(std::vector<Defect>& defects);

// Returns a text that is the same for the same defect under different
// schedules. It contains no numbers of calls and descriptors.
std::string KeyOf(const Defect& defect);

// Returns a digest of the calls and the result of a run.
uint64_t DigestOf(const ExploredRun& run);

// Returns the calls in the order in which they returned, one a line, with the
// participants that made them.
std::string Interleaving(const ExploredRun& run);

}  // namespace net

#endif  // FAKES_EXPLORER_SCHEDULED_RUNS_H_
