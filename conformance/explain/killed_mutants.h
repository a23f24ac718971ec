#ifndef CONFORMANCE_EXPLAIN_KILLED_MUTANTS_H_
#define CONFORMANCE_EXPLAIN_KILLED_MUTANTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace net::conformance {

// A bug of the museum (conformance/mutants) that a case finds.
struct KilledMutant {
  std::string test_case;
  std::string name;  // "accept_returns_local_address"
  // The project and the year of a real bug: "WSL, 2018". "" for a bug of our
  // own.
  std::string source;
  // What the project's users noticed. For a bug of our own, the mistake.
  std::string text;
};

// Parses lines with these four fields, separated by tabs. "#" begins a comment.
absl::StatusOr<std::vector<KilledMutant>> ParseKilledMutants(
    absl::string_view lines);

// Returns the lines of --explain about the mutants that a case finds: why the
// case matters, and the mutants' names. Returns "" if the case finds none.
std::string FormatKilledMutants(const std::vector<KilledMutant>& all,
                                absl::string_view test_case);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_KILLED_MUTANTS_H_
