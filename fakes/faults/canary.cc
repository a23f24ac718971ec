#include "fakes/faults/canary.h"

#include <cerrno>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/faults.h"

namespace net {

absl::Status CheckInCharge(Faults& faults,
                           absl::FunctionRef<absl::Status()> scenario) {
  FaultRule canary;
  canary.selector.calls = "*";
  canary.selector.position = CountRange{1, 1};
  canary.action.error = EMFILE;
  canary.action.effect = Effect::kBefore;
  faults.Arm({{canary}});
  const absl::Status outcome = scenario();
  const bool seen = faults.Unmatched().empty();
  faults.Arm(FaultPlan());
  if (!seen) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the canary ", canary.ToString(),
        " met no call: the scenario makes no call on a TCP socket, or makes "
        "its calls on another kernel"));
  }
  if (outcome.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the scenario succeeded although the canary ",
                     canary.ToString(), " made its first call fail"));
  }
  return absl::OkStatus();
}

}  // namespace net
