#ifndef FAKES_DIFFERENTIAL_TIMED_TIMED_DIFFER_H_
#define FAKES_DIFFERENTIAL_TIMED_TIMED_DIFFER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fakes/differential/timed/linux_timed.h"
#include "fakes/differential/timed/timed_program.h"

namespace net::differential {

// A program whose results differ.
struct TimedDifference {
  TimedProgram program;
  TimedPlan plan;                     // As the FakeKernel ran it.
  std::vector<std::string> expected;  // The results on Linux.
  size_t first = 0;                   // The first step that differs.
};

// Returns a key that is equal for differences that probably have one cause.
std::string KindOf(const TimedDifference& difference);

// Plans a program: runs it on the candidate.
using TimedPlanner = std::function<TimedPlan(const TimedProgram&)>;

// Runs timed programs on Linux and on a candidate, and compares the results.
class TimedDiffer {
 public:
  // `oracle` must outlive this.
  TimedDiffer(LinuxTimed& oracle, TimedPlanner planner)
      : oracle_(oracle), planner_(std::move(planner)) {}

  // Compares programs that run at the same time. Returns what differs in this
  // one run, in the order of the programs.
  absl::StatusOr<std::vector<std::optional<TimedDifference>>> RunAll(
      const std::vector<TimedProgram>& programs);

  // Runs one program alone, until three runs were punctual. Returns the
  // difference if all three runs have it, and nullopt if not.
  absl::StatusOr<std::optional<TimedDifference>> CompareAlone(
      const TimedProgram& program);

  // Searches for a smaller program with a difference, until `deadline`. Returns
  // the smallest difference found.
  absl::StatusOr<TimedDifference> Shrink(TimedDifference found,
                                         absl::Time deadline);

  // The programs of RunAll() that were compared, and those that were not,
  // because the machine was too busy. Shrinking counts, too.
  int64_t compared() const { return compared_; }
  int64_t delayed() const { return delayed_; }

 private:
  // Returns a difference of the same kind of a smaller program, or nullopt.
  absl::StatusOr<std::optional<TimedDifference>> FindSmaller(
      const TimedDifference& found);

  LinuxTimed& oracle_;
  const TimedPlanner planner_;
  int64_t compared_ = 0;
  int64_t delayed_ = 0;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_TIMED_DIFFER_H_
