#ifndef FAKES_TRAP_SWEEP_H_
#define FAKES_TRAP_SWEEP_H_

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"

namespace net::trap {

struct SweepOptions {
  std::vector<std::string> command;
  // The time limit of a run. A run that reaches it is killed, and counts as a
  // hang. A run that made trapped calls or used a processor in the last sixth
  // of this time gets more, because a busy machine may be slow. It is killed
  // when
  // - it has done neither for a sixth of this time,
  // - it has used this much processor time, or
  // - five times this time has passed.
  absl::Duration timeout = absl::Seconds(10);
  // The maximum number of occurrences of each call that fail.
  int most_occurrences = std::numeric_limits<int>::max();
  // Traps close(2), too.
  bool traps_close = false;
  // Called with "3/120 listen#1=EADDRINUSE" before each run.
  std::function<void(absl::string_view)> progress;
};

// The end of a run.
struct SweepEnd {
  // The wait status; nullopt if the run was a hang.
  std::optional<int> wait_status;
  // The TCP sockets that were open when the program exited, or was killed as a
  // hang; nullopt if a signal ended it.
  std::optional<int> open_sockets;

  friend bool operator==(const SweepEnd&, const SweepEnd&) = default;
};

// A run with one fault.
struct SweepRow {
  FaultRule rule;
  bool was_reached = true;
  // The thread's next call was the same call on the same descriptor.
  bool was_retried = false;
  SweepEnd end;
};

struct SweepResult {
  SweepEnd without_faults;
  std::vector<SweepRow> rows;

  // Returns the table: a line for each fault, and a summary.
  //
  //   fault               ended          open sockets
  //   socket#1=EMFILE     exit status 1
  //   accept4#1=EINTR     retried
  //   accept4#2=EMFILE    hang           +1
  //
  // "handled": the run ended as without faults. "retried": so did this one,
  // after the program repeated the call. "not reached": the program did not
  // make the call in this run.
  std::string ToString() const;
  int NotReached() const;
};

// Runs a program once without faults. Then runs it once for each call on a TCP
// socket that it made and each errno of this call (fakes/faults/effect.h), with
// the effect that the errno has on Linux. Checks with a canary fault, before
// the runs, that faults reach a program.
//
// Fails with FAILED_PRECONDITION if nothing can be trapped, and with NOT_FOUND
// if the program makes no such call.
absl::StatusOr<SweepResult> Sweep(const SweepOptions& options);

// Makes socket(2) fail in a child process, with an errno that it never has.
// Returns INTERNAL if the child saw another result.
absl::Status CheckCanaryFault();

}  // namespace net::trap

#endif  // FAKES_TRAP_SWEEP_H_
