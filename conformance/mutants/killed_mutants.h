#ifndef CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_
#define CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "conformance/explain/killed_mutants.h"
#include "conformance/mutants/examination.h"
#include "conformance/mutants/museum.h"

namespace net::conformance {

// Returns a bug with the cases that found it: first those whose requirement it
// violates. `before` are those that an earlier examination found; of these, the
// ones that `findings` does not have stay.
KilledMutant Killed(const Mutant& bug, absl::Span<const Finding> findings,
                    absl::Span<const KilledMutant::Killer> before = {});

// Returns the text of conformance/explain/killed_mutants.txt. The bugs and
// their killers are kept in a file, so that programs that explain cases need
// not contain the bugs, nor run all cases on each.
std::string KilledMutantsText(const std::vector<KilledMutant>& all);

}  // namespace net::conformance

#endif  // CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_
