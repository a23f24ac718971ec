#ifndef CONFORMANCE_EXPLAIN_KILLED_MUTANTS_H_
#define CONFORMANCE_EXPLAIN_KILLED_MUTANTS_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// A bug of conformance/mutants, and the cases that find it.
struct KilledMutant {
  // A case that finds the bug.
  struct Killer {
    std::string test_case;
    // Whether the bug violates the case's requirement. If not, the case finds
    // it on the way to something else.
    bool by_requirement = false;

    friend bool operator==(const Killer& a, const Killer& b) = default;
    friend std::ostream& operator<<(std::ostream& os, const Killer& killer) {
      return os << (killer.by_requirement ? "! " : "  ") << killer.test_case;
    }
  };

  std::string name;  // "accept_returns_local_address"
  // The project and the year of a real bug: "WSL, 2018". "" for a bug of our
  // own.
  std::string source;
  // What the project's users noticed. For a bug of our own, the mistake.
  std::string text;
  std::vector<Killer> killers;
};

// Parses and formats lists of bugs. A bug is a line with the first three
// fields, separated by tabs, and a line for each case: "! " before the case's
// id if the bug violates its requirement, else two spaces. "#" begins a
// comment.
absl::StatusOr<std::vector<KilledMutant>> ParseKilledMutants(
    absl::string_view lines);
std::string FormatKilledMutants(const std::vector<KilledMutant>& all);

// Returns the lines of --explain about the bugs that a case finds: why the case
// matters, and the bugs' names. A case matters because of what users noticed of
// such bugs, or else because of its requirement's source.
std::string FormatWhatItKills(const std::vector<KilledMutant>& all,
                              const Case& test_case);

}  // namespace net::conformance

#endif  // CONFORMANCE_EXPLAIN_KILLED_MUTANTS_H_
