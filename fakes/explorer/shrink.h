#ifndef FAKES_EXPLORER_SHRINK_H_
#define FAKES_EXPLORER_SHRINK_H_

#include <string>
#include <vector>

#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/found_defects.h"
#include "fakes/explorer/scenario.h"
#include "fakes/faults/fault_plan.h"

namespace net {

// A reduced plan, and the text of the defect that it shows.
struct ShrunkPlan {
  FaultPlan plan;
  std::string text;
};

// Reduces the plan of a defect to one that a person would have written. A step
// is kept if the plan, parsed from its text, still shows the defect:
//
// - Drop a fault.
// - Name the call and its occurrence instead of the position in the trace.
// - Drop the occurrence, the number of times, the effect.
// - Take the best-known errno (UsualErrnos()).
//
// The plan of a crash is only rewritten, not run.
// `plain` are the calls of the run without faults.
ShrunkPlan Shrink(const FoundDefect& found,
                  const std::vector<MonitoredCall>& plain,
                  const ExploreOptions& options, const Scenario& scenario);

}  // namespace net

#endif  // FAKES_EXPLORER_SHRINK_H_
