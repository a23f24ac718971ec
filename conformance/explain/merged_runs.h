#ifndef CONFORMANCE_EXPLAIN_MERGED_RUNS_H_
#define CONFORMANCE_EXPLAIN_MERGED_RUNS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/explain/c_call.h"

namespace net::conformance {

// The error of runs that make different calls, or whose calls have different
// results.
absl::Status RunsDiffer();

// Returns the lines of one program for two runs of the same calls. A value that
// is not the same in both runs is not compared.
//
// Fails with RunsDiffer() if the lines differ otherwise, and if a value differs
// between the runs only for some of the calls with the same arguments: for the
// others it may be the same by chance.
absl::StatusOr<std::vector<std::string>> MergeRuns(
    const std::vector<Statement>& one, const std::vector<Statement>& other);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_MERGED_RUNS_H_
