#ifndef CONFORMANCE_ENGINE_OUTCOME_H_
#define CONFORMANCE_ENGINE_OUTCOME_H_

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace net::conformance {

// The outcome of a trial: of a case on one address family, for one
// implementation.
enum class Outcome {
  kPass,            // the requirement is met
  kVariation,       // met by another allowed behaviour than Linux's usual one
  kFail,            // not met
  kExpectedFail,    // not met, and the expectations list the deviation
  kUnexpectedPass,  // met, although the expectations list a deviation
  kTimeout,         // the trial did not end in time and was killed
  kCrash,           // the trial's process died, or the implementation threw
  kUnsupported,     // the implementation claims not to offer this
  kPrecondition,    // this environment cannot run the case
  kHarnessError,    // the suite itself failed; the trial shows nothing
};

// All outcomes, in the order above.
inline constexpr Outcome kAllOutcomes[] = {
    Outcome::kPass,         Outcome::kVariation,      Outcome::kFail,
    Outcome::kExpectedFail, Outcome::kUnexpectedPass, Outcome::kTimeout,
    Outcome::kCrash,        Outcome::kUnsupported,    Outcome::kPrecondition,
    Outcome::kHarnessError,
};

// Returns the name in records and reports: "pass", "expected-fail".
absl::string_view OutcomeName(Outcome outcome);
std::optional<Outcome> OutcomeFromName(absl::string_view name);
std::ostream& operator<<(std::ostream& os, Outcome outcome);

// Returns true for pass, variation, expected-fail, unsupported and
// precondition.
bool IsExpected(Outcome outcome);

// A descriptor that a trial left open, or closed without having opened it.
// Independent of the outcome.
enum class Leak {
  kNone,              // no leak, or the trial ended before the check
  kLeak,              // a leak
  kExpectedLeak,      // a leak that the expectations list
  kUnexpectedNoLeak,  // no leak, although the expectations list one
};

inline constexpr Leak kAllLeaks[] = {Leak::kLeak, Leak::kExpectedLeak,
                                     Leak::kUnexpectedNoLeak};

// Returns the name in records and reports: "leak", "expected-leak"; "" for
// kNone.
absl::string_view LeakName(Leak leak);
std::ostream& operator<<(std::ostream& os, Leak leak);

// The reason why a trial ended unexpectedly, as far as further runs of it show
// (see ClassifyAgain()).
enum class Rerun {
  kNone,             // unknown: the trial was not run again
  kDeterministic,    // the trial alone: it ends unexpectedly in each run
  kTimingSensitive,  // timing: it ends unexpectedly in some runs, or only while
                     // other processes use the processors
  kInterference,     // the other trials: without them, it ends as expected
};

// Returns the name in records and reports: "deterministic",
// "timing-sensitive", "interference"; "" for kNone.
absl::string_view RerunName(Rerun rerun);
std::ostream& operator<<(std::ostream& os, Rerun rerun);

// The result of a trial.
struct Verdict {
  Outcome outcome = Outcome::kPass;
  std::string message;
  // The errno or kind ("EACCES", "no_access") of the last operation before the
  // failed assertion. Set for a failed trial if that operation failed.
  std::string error;
  Leak leak = Leak::kNone;
  // The descriptors that were left open or wrongly closed, a line each, with
  // the addresses and the commands that made them. Expectations::Apply() adds
  // the reason as the first line.
  std::string leaked;
  // The last system calls, a line each (LastCalls). Set for an unexpected
  // outcome or leak if the implementation runs in the trial's process.
  std::string calls;
  // The features that the implementation was seen to support; and, if the
  // outcome is `unsupported`, those that it claimed not to offer. See
  // Context::Call().
  std::vector<std::string> proven;
  std::vector<std::string> claimed;
};

// Returns true if both the outcome and the leak are expected.
bool IsExpected(const Verdict& verdict);

// Returns the outcome and the leak, if any: "pass", "pass, leak".
std::string EndingName(const Verdict& verdict);

// The heading of the session with a driver in a message.
inline constexpr absl::string_view kSessionHeading = "the session:\n";
// Appends a session to a message, unless it is empty.
void AppendSession(std::string& message, absl::string_view transcript);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_OUTCOME_H_
