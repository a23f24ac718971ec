#include "conformance/engine/outcome.h"

#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace net::conformance {

absl::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
      return "pass";
    case Outcome::kVariation:
      return "variation";
    case Outcome::kFail:
      return "fail";
    case Outcome::kExpectedFail:
      return "expected-fail";
    case Outcome::kUnexpectedPass:
      return "unexpected-pass";
    case Outcome::kTimeout:
      return "timeout";
    case Outcome::kCrash:
      return "crash";
    case Outcome::kUnsupported:
      return "unsupported";
    case Outcome::kPrecondition:
      return "precondition";
    case Outcome::kHarnessError:
      return "harness-error";
  }
  return "";
}

std::optional<Outcome> OutcomeFromName(absl::string_view name) {
  for (const Outcome outcome : kAllOutcomes) {
    if (OutcomeName(outcome) == name) return outcome;
  }
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& os, Outcome outcome) {
  return os << OutcomeName(outcome);
}

bool IsExpected(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
    case Outcome::kVariation:
    case Outcome::kExpectedFail:
    case Outcome::kUnsupported:
    case Outcome::kPrecondition:
      return true;
    case Outcome::kFail:
    case Outcome::kUnexpectedPass:
    case Outcome::kTimeout:
    case Outcome::kCrash:
    case Outcome::kHarnessError:
      return false;
  }
  return false;
}

absl::string_view LeakName(Leak leak) {
  switch (leak) {
    case Leak::kNone:
      return "";
    case Leak::kLeak:
      return "leak";
    case Leak::kExpectedLeak:
      return "expected-leak";
    case Leak::kUnexpectedNoLeak:
      return "unexpected-no-leak";
  }
  return "";
}

std::ostream& operator<<(std::ostream& os, Leak leak) {
  return os << (leak == Leak::kNone ? "no leak" : LeakName(leak));
}

absl::string_view RerunName(Rerun rerun) {
  switch (rerun) {
    case Rerun::kNone:
      return "";
    case Rerun::kDeterministic:
      return "deterministic";
    case Rerun::kTimingSensitive:
      return "timing-sensitive";
    case Rerun::kInterference:
      return "interference";
  }
  return "?";
}

std::ostream& operator<<(std::ostream& os, Rerun rerun) {
  return os << (rerun == Rerun::kNone ? "none" : RerunName(rerun));
}

bool IsExpected(const Verdict& verdict) {
  return IsExpected(verdict.outcome) && verdict.leak != Leak::kLeak &&
         verdict.leak != Leak::kUnexpectedNoLeak;
}

std::string EndingName(const Verdict& verdict) {
  return absl::StrCat(OutcomeName(verdict.outcome),
                      verdict.leak == Leak::kNone ? "" : ", ",
                      LeakName(verdict.leak));
}

void AppendSession(std::string& message, absl::string_view transcript) {
  if (transcript.empty()) return;
  absl::StrAppend(&message, message.empty() ? "" : "\n", kSessionHeading,
                  transcript);
}

}  // namespace net::conformance
