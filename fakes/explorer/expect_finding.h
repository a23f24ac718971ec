#ifndef FAKES_EXPLORER_EXPECT_FINDING_H_
#define FAKES_EXPLORER_EXPECT_FINDING_H_

#include "absl/strings/string_view.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario.h"

// For the explorer's own tests.

namespace net {

// Expects that the explorer finds exactly one defect, of that kind, and reduces
// it to that plan; that an exploration without pruning finds the same; and that
// the plan shows the defect when it is run alone.
void ExpectFinding(const ExploreOptions& options, const Scenario& scenario,
                   FindingKind kind, absl::string_view plan);
void ExpectFinding(const Scenario& scenario, FindingKind kind,
                   absl::string_view plan);

// Expects that the explorer finds nothing, with pruning and without.
void ExpectNoFinding(const ExploreOptions& options, const Scenario& scenario);

}  // namespace net

#endif  // FAKES_EXPLORER_EXPECT_FINDING_H_
