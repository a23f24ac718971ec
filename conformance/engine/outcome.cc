#include "conformance/engine/outcome.h"

#include <optional>
#include <ostream>

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

}  // namespace net::conformance
