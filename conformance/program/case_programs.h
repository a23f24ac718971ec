#ifndef CONFORMANCE_PROGRAM_CASE_PROGRAMS_H_
#define CONFORMANCE_PROGRAM_CASE_PROGRAMS_H_

#include <set>
#include <string>

#include "absl/types/span.h"
#include "conformance/engine/trial.h"
#include "conformance/page/page.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// Returns the first target with this case whose calls can be recorded: net::tcp
// or the kernel of this machine. Returns null if there is none.
const Target* FindRecordable(absl::Span<const Target> targets,
                             const Case& test_case);

// Returns the C program of each case, or the reason why there is none. Runs the
// cases on net::tcp and on this machine's kernel, `jobs` at a time. A case has
// the program of its first address family.
CasePrograms ProgramsOfCases(const std::set<std::string>& ids, int jobs);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_CASE_PROGRAMS_H_
