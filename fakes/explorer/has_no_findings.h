#ifndef FAKES_EXPLORER_HAS_NO_FINDINGS_H_
#define FAKES_EXPLORER_HAS_NO_FINDINGS_H_

#include "fakes/explorer/explore_faults.h"
#include "gmock/gmock.h"

namespace net {

// Matches an ExploreResult without findings whose exploration is complete:
//
//   EXPECT_THAT(ExploreFaults(ConnectOnce), HasNoFindings());
MATCHER(HasNoFindings, negation ? "has findings" : "has no findings") {
  if (!arg.complete) *result_listener << "which is not complete";
  return arg.complete && arg.findings.empty();
}

}  // namespace net

#endif  // FAKES_EXPLORER_HAS_NO_FINDINGS_H_
