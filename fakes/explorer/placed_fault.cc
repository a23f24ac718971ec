#include "fakes/explorer/placed_fault.h"

#include <cstddef>
#include <string>
#include <vector>

#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/fault_choices.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"

namespace net {
namespace {

// Returns the text of a plan that selects that call and no other.
std::string ExactName(Call call) {
  std::string name(CallName(call));
  const bool names_family = FamilyOf(IdOf(call)) == name;
  return names_family ? name + "!" : name;
}

}  // namespace

FaultPlan PlanOf(const PlacedFaults& faults) {
  FaultPlan plan;
  plan.rules.reserve(faults.size());
  for (size_t i = faults.size(); i-- > 0;) {
    const PlacedFault& fault = faults[i];
    FaultRule& rule = plan.rules.emplace_back();
    rule.action = fault.choice->action;
    rule.times = fault.choice->times;
    const bool is_storm = rule.times > 1;
    rule.selector.calls = is_storm ? ExactName(fault.call) : "*";
    rule.selector.position =
        CountRange{.first = fault.position,
                   .last = is_storm ? CountRange().last : fault.position};
  }
  return plan;
}

std::vector<FaultPlan> SinglePlans(const std::vector<MonitoredCall>& calls,
                                   const FaultChoices& choices) {
  std::vector<FaultPlan> plans;
  for (const MonitoredCall& call : calls) {
    if (call.position == 0) continue;
    for (const FaultChoice& choice : choices.Of(call.call)) {
      if (!MakesDifference(choice, call)) continue;
      plans.push_back(PlanOf({{call.position, call.call, &choice}}));
    }
  }
  return plans;
}

}  // namespace net
