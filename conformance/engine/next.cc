#include "conformance/engine/next.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/last_calls.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"

namespace net::conformance {
namespace {

size_t CallsOf(const Record& record) {
  const std::string& calls = record.verdict.calls;
  if (calls.empty()) return std::numeric_limits<size_t>::max();
  const auto ends = std::count(calls.begin(), calls.end(), '\n');
  return static_cast<size_t>(ends) + (calls.back() == '\n' ? 0 : 1);
}

// The smaller, the cheaper.
using Cost = std::tuple<Level, bool, size_t, absl::string_view>;

Cost CostOf(const Record& record) {
  const Case& test_case = *record.trial.test_case;
  return {test_case.level, test_case.needs != Need::kNone, CallsOf(record),
          test_case.id};
}

std::string WhyCheapest(const Record& record, size_t failures) {
  const Case& test_case = *record.trial.test_case;
  std::string why = absl::StrCat(
      "of ", failures, " failures, a `", LevelName(test_case.level),
      "` that needs ",
      test_case.needs == Need::kNone ? "nothing" : "as little as possible");
  const size_t calls = CallsOf(record);
  if (calls == std::numeric_limits<size_t>::max()) return why;
  absl::StrAppend(&why, ", and the fewest system calls until it ended: ",
                  calls < LastCalls::kCalls ? "" : "at least ", calls);
  return why;
}

}  // namespace

const Record* CheapestFailure(absl::Span<const Record> records) {
  const Record* cheapest = nullptr;
  for (const Record& record : records) {
    if (IsExpected(record.verdict)) continue;
    if (cheapest == nullptr || CostOf(record) < CostOf(*cheapest)) {
      cheapest = &record;
    }
  }
  return cheapest;
}

std::string FormatNext(absl::Span<const Record> records,
                       absl::string_view command) {
  const Record* const next = CheapestFailure(records);
  if (next == nullptr) return "next: nothing fails\n";
  const auto failures = static_cast<size_t>(std::count_if(
      records.begin(), records.end(),
      [](const Record& one) { return !IsExpected(one.verdict); }));
  const Case& test_case = *next->trial.test_case;
  return absl::StrCat("next: ", TrialName(next->trial), "\n  requirement (",
                      LevelName(test_case.level), "): ", test_case.requirement,
                      "\n  why this one: ", WhyCheapest(*next, failures),
                      "\n  run it alone: ", command, " --cases=", test_case.id,
                      "\n  see what Linux does: ", command,
                      " --explain=", test_case.id, "\n");
}

}  // namespace net::conformance
