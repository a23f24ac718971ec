#ifndef FAKES_EXPLORER_VERDICT_H_
#define FAKES_EXPLORER_VERDICT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/fault_outcome.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/faults/fault_plan.h"

namespace net {

// A place in a scenario: its nth call of that name in the run without faults,
// or -n for the nth call of a run that has no counterpart there.
struct ScenarioSite {
  Call call = Call::kSocket;
  int occurrence = 1;

  friend bool operator==(const ScenarioSite&, const ScenarioSite&) = default;
  friend bool operator<(const ScenarioSite& a, const ScenarioSite& b) {
    return std::tie(a.call, a.occurrence) < std::tie(b.call, b.occurrence);
  }
};

// Returns the sites of the calls of `run`. `plain` are the calls of the run
// without faults. A call that repeats a failed call has the same site.
std::vector<ScenarioSite> SitesOf(const std::vector<MonitoredCall>& plain,
                                  const ExploredRun& run);

// Returns the index of the first call that each rule hit, in the order of the
// calls.
std::vector<int> FirstHits(const ExploredRun& run);

// A defect that a run shows.
struct Defect {
  FindingKind kind = FindingKind::kLeak;
  // The index of the call that made the descriptor, or else of the call that
  // failed; -1 if there is none.
  int object = -1;
  std::string text;  // "leak: nobody closes the descriptor that socket made"
};

// Returns the site of the object; nullopt if there is none. `sites` are the
// sites of the run. The site of a storm stands for all calls of its name.
std::optional<ScenarioSite> ObjectSite(const Defect& defect,
                                       const std::vector<ScenarioSite>& sites);

struct Verdict {
  std::vector<Defect> defects;
  std::vector<FaultOutcome> outcomes;  // One for each rule of the plan.
};

// Judges a run under `plan`.
Verdict Judge(const ExploredRun& run, const FaultPlan& plan,
              const std::vector<Declaration>& declarations);

}  // namespace net

#endif  // FAKES_EXPLORER_VERDICT_H_
