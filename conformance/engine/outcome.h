#ifndef CONFORMANCE_ENGINE_OUTCOME_H_
#define CONFORMANCE_ENGINE_OUTCOME_H_

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace net::conformance {

// How a trial (a case, on one axis, of one implementation) ended.
enum class Outcome {
  kPass,            // the requirement is met
  kVariation,       // met, by a known behaviour that is not Linux's usual one
  kFail,            // not met
  kExpectedFail,    // not met, as the implementation's expectations say
  kUnexpectedPass,  // met, though the expectations say otherwise
  kTimeout,         // it did not end, and was killed
  kCrash,           // its process died, or the implementation threw
  kUnsupported,     // the implementation says that it does not offer this
  kPrecondition,    // this environment cannot run the case
  kHarnessError,    // the suite itself failed; nothing was learned
};

// All of them, in the order above.
inline constexpr Outcome kAllOutcomes[] = {
    Outcome::kPass,         Outcome::kVariation,      Outcome::kFail,
    Outcome::kExpectedFail, Outcome::kUnexpectedPass, Outcome::kTimeout,
    Outcome::kCrash,        Outcome::kUnsupported,    Outcome::kPrecondition,
    Outcome::kHarnessError,
};

// "pass", "expected-fail": in records and reports.
absl::string_view OutcomeName(Outcome outcome);
std::optional<Outcome> OutcomeFromName(absl::string_view name);
std::ostream& operator<<(std::ostream& os, Outcome outcome);

// True for the outcomes that a run is expected to have: pass, variation,
// expected-fail, unsupported and precondition.
bool IsExpected(Outcome outcome);

// An outcome with what there is to say about it.
struct Verdict {
  Outcome outcome = Outcome::kPass;
  std::string message;
  // Of a failed trial: the errno or kind ("EACCES", "no_access") of the last
  // operation before the failure, if it had failed.
  std::string error;
  // What the implementation was seen to do, and what it claims not to offer
  // where that made the outcome `unsupported`: see Context::Call().
  std::vector<std::string> proven;
  std::vector<std::string> claimed;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_OUTCOME_H_
