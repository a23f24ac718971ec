#ifndef FAKES_DIFFERENTIAL_DIFFER_H_
#define FAKES_DIFFERENTIAL_DIFFER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/differential/worlds.h"
#include "rapidcheck.h"

namespace net::differential {

// A program for which two kernels return different results.
struct Difference {
  Program program;  // Up to and including the first differing step.
  Trace expected;   // Of the oracle.
  Trace seen;       // Of the candidate.
};

// Runs programs on an oracle and a candidate and compares their traces.
//
// A kernel in real time may be late:
//
// - On a busy machine, what was sent arrives late. So a program that differs is
//   run again, in worlds in which each call waits for what was sent before it.
// - A TCP timer expires in the middle of the program and changes its results.
//   So a difference counts only if repeated runs give the same two traces.
//   Otherwise it is counted as unstable.
class Differ {
 public:
  // Both must outlive the Differ.
  Differ(WorldFactory& oracle, WorldFactory& candidate)
      : oracle_(oracle), candidate_(candidate) {}

  // A function that is called with each program and the oracle's trace.
  using Watcher = absl::FunctionRef<void(const Program&, const Trace&)>;

  // Compares one program. Returns the difference, or nullopt if there is none.
  // Returns an error if a world cannot be made.
  absl::StatusOr<std::optional<Difference>> Compare(const Program& program,
                                                    Watcher watcher);
  absl::StatusOr<std::optional<Difference>> Compare(const Program& program);

  // Shrinks a program: tries smaller programs until none of them shows a
  // difference, or until `deadline`. `found` is the difference of `program`.
  // Returns the smallest difference found.
  absl::StatusOr<Difference> Shrink(const rc::Shrinkable<Program>& program,
                                    Difference found, absl::Time deadline);

  int64_t programs() const { return programs_; }
  int64_t unstable() const { return unstable_; }
  // The programs whose difference was gone, because the oracle returned other
  // results, when each call waited for what was sent before it.
  int64_t late() const { return late_; }

 private:
  WorldFactory& oracle_;
  WorldFactory& candidate_;
  int64_t programs_ = 0;
  int64_t unstable_ = 0;
  int64_t late_ = 0;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_DIFFER_H_
