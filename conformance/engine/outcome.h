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

// Whether a trial left a descriptor open, or closed one that was not its own. A
// second ending beside the outcome, which stays the case's own.
enum class Leak {
  kNone,              // no leak, or the trial ended before one could be found
  kLeak,              // a leak
  kExpectedLeak,      // a leak, as the implementation's expectations say
  kUnexpectedNoLeak,  // no leak, though the expectations say otherwise
};

inline constexpr Leak kAllLeaks[] = {Leak::kLeak, Leak::kExpectedLeak,
                                     Leak::kUnexpectedNoLeak};

// "leak", "expected-leak": in records and reports; "" for kNone.
absl::string_view LeakName(Leak leak);
std::ostream& operator<<(std::ostream& os, Leak leak);

// An outcome with what there is to say about it.
struct Verdict {
  Outcome outcome = Outcome::kPass;
  std::string message;
  // Of a failed trial: the errno or kind ("EACCES", "no_access") of the last
  // operation before the failure, if it had failed.
  std::string error;
  Leak leak = Leak::kNone;
  // The descriptors that were left open or closed by mistake, a line each, with
  // their addresses and the commands that made them. After
  // Expectations::Apply() the reason comes first.
  std::string leaked;
  // What the implementation was seen to do, and what it claims not to offer
  // where that made the outcome `unsupported`: see Context::Call().
  std::vector<std::string> proven;
  std::vector<std::string> claimed;
};

// True if both the outcome and the leak are expected.
bool IsExpected(const Verdict& verdict);

// The outcome, and the leak if there is one: "pass", "pass, leak".
std::string EndingName(const Verdict& verdict);

// In a message: what stands before the session with a driver.
inline constexpr absl::string_view kSessionHeading = "the session:\n";
// Appends a session to a message; nothing if it is "".
void AppendSession(std::string& message, absl::string_view transcript);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_OUTCOME_H_
