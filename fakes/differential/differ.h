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

// A program that two kernels answer differently.
struct Difference {
  Program program;  // up to and including the step that is answered differently
  Trace expected;   // the oracle's
  Trace seen;       // the subject's
};

// Runs programs on an oracle and a subject, and tells where they differ.
//
// An oracle that runs in real time may answer otherwise when it is interrupted
// for long enough: a timer of TCP then strikes in the middle of a program. So
// a difference counts only if all of it, both traces, can be seen again; what
// cannot is counted as unstable.
class Differ {
 public:
  // Both outlive it.
  Differ(Worlds& oracle, Worlds& subject)
      : oracle_(oracle), subject_(subject) {}

  // Called with each program and what the oracle answered.
  using Watcher = absl::FunctionRef<void(const Program&, const Trace&)>;

  // The difference that this program shows, if any. Errors are those of making
  // a world.
  absl::StatusOr<std::optional<Difference>> Compare(const Program& program,
                                                    Watcher watcher);
  absl::StatusOr<std::optional<Difference>> Compare(const Program& program);

  // A smaller program that shows a difference: tries smaller ones until none of
  // them does, or `deadline`. `found` is that of `program`.
  absl::StatusOr<Difference> Shrink(const rc::Shrinkable<Program>& program,
                                    Difference found, absl::Time deadline);

  int64_t programs() const { return programs_; }
  int64_t unstable() const { return unstable_; }

 private:
  Worlds& oracle_;
  Worlds& subject_;
  int64_t programs_ = 0;
  int64_t unstable_ = 0;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_DIFFER_H_
