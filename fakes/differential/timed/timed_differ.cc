#include "fakes/differential/timed/timed_differ.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/differential/timed/generate_timed.h"
#include "fakes/differential/timed/linux_timed.h"
#include "fakes/differential/timed/timed_program.h"

namespace net::differential {
namespace {

// A difference counts if it comes in so many runs in a row.
constexpr int kRuns = 3;
// The most runs that a busy machine may delay.
constexpr int kMostRuns = 10;
// The most programs that run at the same time while shrinking.
constexpr size_t kAtOnce = 60;

std::optional<TimedDifference> Compare(const TimedProgram& program,
                                       const TimedPlan& plan,
                                       const TimedAnswer& answer) {
  for (size_t i = 0; i < plan.size(); ++i) {
    if (plan[i].result == answer.results[i]) continue;
    return TimedDifference{program, plan, answer.results, i};
  }
  return std::nullopt;
}

}  // namespace

std::string KindOf(const TimedDifference& difference) {
  const PlannedStep& step = difference.plan[difference.first];
  return absl::StrCat(CallName(step.step.call.call), "; ",
                      difference.expected[difference.first], "; ", step.result);
}

absl::StatusOr<std::vector<std::optional<TimedDifference>>> TimedDiffer::RunAll(
    const std::vector<TimedProgram>& programs) {
  std::vector<TimedPlan> plans;
  plans.reserve(programs.size());
  std::vector<const TimedPlan*> pointers;
  pointers.reserve(programs.size());
  for (const TimedProgram& program : programs) {
    pointers.push_back(&plans.emplace_back(planner_(program)));
  }
  const absl::StatusOr<std::vector<TimedAnswer>> answers =
      oracle_.Run(pointers);
  if (!answers.ok()) return answers.status();
  std::vector<std::optional<TimedDifference>> differences(programs.size());
  for (size_t i = 0; i < programs.size(); ++i) {
    if (!(*answers)[i].punctual) {
      ++delayed_;
      continue;
    }
    ++compared_;
    differences[i] = Compare(programs[i], plans[i], (*answers)[i]);
  }
  return differences;
}

absl::StatusOr<std::optional<TimedDifference>> TimedDiffer::CompareAlone(
    const TimedProgram& program) {
  const TimedPlan plan = planner_(program);
  std::optional<TimedDifference> difference;
  int punctual = 0;
  for (int run = 0; run < kMostRuns && punctual < kRuns; ++run) {
    const absl::StatusOr<std::vector<TimedAnswer>> answers =
        oracle_.Run({&plan});
    if (!answers.ok()) return answers.status();
    const TimedAnswer& answer = answers->front();
    if (!answer.punctual) continue;
    ++punctual;
    std::optional<TimedDifference> now = Compare(program, plan, answer);
    if (!now.has_value() ||
        (difference.has_value() && difference->first != now->first)) {
      return std::nullopt;
    }
    difference = std::move(now);
  }
  if (punctual < kRuns) return std::nullopt;
  return difference;
}

absl::StatusOr<std::optional<TimedDifference>> TimedDiffer::FindSmaller(
    const TimedDifference& found) {
  const std::vector<TimedProgram> all = SmallerPrograms(found.program);
  for (size_t first = 0; first < all.size(); first += kAtOnce) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<TimedProgram> some(
        begin, begin + static_cast<std::ptrdiff_t>(
                           std::min(kAtOnce, all.size() - first)));
    auto differences = RunAll(some);
    if (!differences.ok()) return differences.status();
    for (std::optional<TimedDifference>& one : *differences) {
      if (one.has_value() && KindOf(*one) == KindOf(found))
        return std::move(one);
    }
  }
  return std::nullopt;
}

absl::StatusOr<TimedDifference> TimedDiffer::Shrink(TimedDifference found,
                                                    absl::Time deadline) {
  const TimedDifference original = found;
  while (absl::Now() < deadline) {
    auto smaller = FindSmaller(found);
    if (!smaller.ok()) return smaller.status();
    if (!smaller->has_value()) break;
    found = **std::move(smaller);
  }
  auto alone = CompareAlone(found.program);
  if (!alone.ok()) return alone.status();
  return alone->has_value() ? **std::move(alone) : original;
}

}  // namespace net::differential
