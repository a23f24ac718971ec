#ifndef FAKES_EXPLORER_CRASHES_H_
#define FAKES_EXPLORER_CRASHES_H_

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/scenario.h"

namespace net {

// Explores in child processes, and returns the texts of the plans that crash
// the scenario. After each crash a new child begins again, without the plans
// that crashed. Stops after 32 crashes.
//
// Fails if the process cannot fork.
absl::StatusOr<std::set<std::string>> FindCrashes(const ExploreOptions& options,
                                                  const Scenario& scenario);

}  // namespace net

#endif  // FAKES_EXPLORER_CRASHES_H_
