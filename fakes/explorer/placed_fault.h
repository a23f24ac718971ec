#ifndef FAKES_EXPLORER_PLACED_FAULT_H_
#define FAKES_EXPLORER_PLACED_FAULT_H_

#include <vector>

#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/fault_choices.h"
#include "fakes/faults/fault_plan.h"

namespace net {

// A fault at a position of the trace.
struct PlacedFault {
  int position = 0;
  Call call = Call::kSocket;
  const FaultChoice* choice = nullptr;
};

// In the order of their positions.
using PlacedFaults = std::vector<PlacedFault>;

// Returns the plan. Its rule i is faults[faults.size() - 1 - i]: later faults
// come first, so that a later fault also hits a call within the storm of an
// earlier one.
FaultPlan PlanOf(const PlacedFaults& faults);

// Returns the plans with one fault each that can be tried in a run with these
// calls, in the order of the calls.
std::vector<FaultPlan> SinglePlans(const std::vector<MonitoredCall>& calls,
                                   const FaultChoices& choices);

}  // namespace net

#endif  // FAKES_EXPLORER_PLACED_FAULT_H_
