#include "fakes/differential/threads/thread_differ.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/differential/threads/generate_threads.h"
#include "fakes/differential/threads/threaded_kernels.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/explorer/schedule_bounds.h"
#include "fakes/explorer/schedule_policies.h"
#include "fakes/explorer/schedule_search.h"

namespace net::differential {
namespace {

// More preemptions than a run with so many calls has, so that the exhaustive
// search leaves out no schedule.
int MostPreemptions(const ThreadedProgram& program) {
  constexpr size_t kChoicesPerCall = 8;
  return static_cast<int>(program.thread_calls() * kChoicesPerCall);
}

// Deletes threads or setup calls of the program that the order does not have.
ThreadStart StartOf(const ThreadedProgram& program, const ThreadStart& start) {
  ThreadStart same = start;
  std::erase_if(same.order, [&](size_t thread) {
    return thread >= program.threads.size();
  });
  return same;
}

}  // namespace

std::optional<ThreadedDifference> ThreadDiffer::FindAnswer(
    const ThreadedProgram& program, const ThreadStart& start,
    const ThreadedAnswer& expected) {
  const std::string wanted = expected.ToText();
  ThreadedDifference result;
  ScheduleLimits limits;
  limits.bounds.max_preemptions = MostPreemptions(program);
  limits.bounds.max_schedules = bounds_.exhaustive;
  limits.bounds.pct_schedules = bounds_.random;
  bool is_found = false;
  const auto run_once = [&](RecordingSchedule& policy,
                            bool /*is_repeated*/) -> ScheduledRun {
    ScheduledAnswer run = candidate_.Run(program, start, policy);
    ++result.schedules;
    std::string text = run.answer.ToText();
    const uint64_t digest = std::hash<std::string>()(text);
    is_found = is_found || text == wanted;
    if (!result.seen.contains(text)) {
      result.seen[std::move(text)] = std::move(run);
    }
    return {.goes_on = !is_found, .digest = digest};
  };
  ScheduleSearch search(limits, run_once);
  search.SearchExhaustively();
  result.is_exhausted = search.is_exhausted();
  if (!is_found && search.repeats() && !search.is_exhausted()) {
    search.SearchRandomly();
    if (is_found) ++unexhausted_;
  }
  result.repeats = search.repeats();
  schedules_ += result.schedules;
  if (is_found) return std::nullopt;
  result.program = program;
  result.start = start;
  result.expected = expected;
  return result;
}

absl::StatusOr<std::optional<ThreadedDifference>> ThreadDiffer::Compare(
    const ThreadedProgram& program, const ThreadStart& start, Watcher watcher) {
  const absl::StatusOr<ThreadedAnswer> expected = oracle_.Run(program, start);
  if (!expected.ok()) return expected.status();
  watcher(program, *expected);
  std::optional<ThreadedDifference> found =
      FindAnswer(program, start, *expected);
  if (!found.has_value()) return std::nullopt;
  const int confirmations =
      start.one_by_one ? kConfirmationsOneByOne : kConfirmationsAtOnce;
  ThreadStart patient = start;
  patient.awaits_deliveries = true;
  for (int i = 0; i < confirmations && found->repeats; ++i) {
    const absl::StatusOr<ThreadedAnswer> again = oracle_.Run(program, patient);
    if (!again.ok()) return again.status();
    if (found->seen.contains(again->ToText())) {
      ++unstable_;
      return std::nullopt;
    }
  }
  if (!found->is_exhausted) ++unexhausted_;
  return found;
}

absl::StatusOr<std::optional<ThreadedDifference>> ThreadDiffer::Compare(
    const ThreadedProgram& program, const ThreadStart& start) {
  return Compare(program, start,
                 [](const ThreadedProgram&, const ThreadedAnswer&) {});
}

absl::StatusOr<ThreadedDifference> ThreadDiffer::Shrink(
    ThreadedDifference found, absl::Time deadline) {
  bool has_shrunk = true;
  while (has_shrunk) {
    has_shrunk = false;
    for (const ThreadedProgram& smaller : SmallerPrograms(found.program)) {
      if (absl::Now() >= deadline) return found;
      absl::StatusOr<std::optional<ThreadedDifference>> difference =
          Compare(smaller, StartOf(smaller, found.start));
      if (!difference.ok()) return difference.status();
      if (!difference->has_value()) continue;
      found = **std::move(difference);
      has_shrunk = true;
      break;
    }
  }
  return found;
}

}  // namespace net::differential
