#ifndef CONFORMANCE_ENGINE_RUNNER_H_
#define CONFORMANCE_ENGINE_RUNNER_H_

#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// Returns the number of trials that the programs run at a time by default:
// twice the processors, but at least 16, or 8 on one processor. Most trials
// wait: for a peer, a driver, or a timeout of the kernel. The default is the
// number of this machine's processors; 0 means that it is not known.
int DefaultJobs(unsigned int processors = std::thread::hardware_concurrency());

struct RunnerOptions {
  // The number of trials that run at a time, at least 1.
  int jobs = 1;
  // The time limit of a trial. At the limit, a trial is killed unless it was
  // active in the last sixth of this time: a busy machine may be slow. An
  // active trial is killed once it has been inactive for a sixth of this time,
  // or after five times this time. A trial is active if it makes system calls
  // or exchanges messages with its subject.
  //
  // The default is generous, because only hanging trials reach it. The slowest
  // cases wait several seconds for Linux to give up a connection.
  absl::Duration timeout = absl::Seconds(60);
  // The time limit of trials that are expected to hang (Trial::may_hang),
  // active or not.
  absl::Duration timeout_of_hanging = absl::Seconds(3);
  // Called at least once a second while trials run, if not null.
  std::function<void()> on_tick = nullptr;
};

// The subjects that are idle between trials, of one run or of several.
class IdleSubjects {
 public:
  // Returns a subject for a trial: an idle one, or a new one if none is idle or
  // the trial needs a network of its own. The subject is trapped if the trial
  // needs faults. Returns null if the target has no such subjects.
  std::unique_ptr<Subject> Take(const Trial& trial);
  // Keeps a subject for another trial. Does nothing if the subject is null.
  void Return(const Trial& trial, std::unique_ptr<Subject> subject);

  // Calls Subject::CloseInChild() of each idle subject. To be called in a
  // trial's process.
  void CloseInChild();

 private:
  // The way in which a subject was started.
  enum class Kind { kPlain, kTrapped, kTrappedWithClose };
  using Key = std::pair<const Target*, Kind>;

  static Key KeyOf(const Trial& trial);
  static std::unique_ptr<Subject> Start(const Key& key);

  std::map<Key, std::vector<std::unique_ptr<Subject>>> idle_;
};

// Runs each trial in its own process and passes its record to `on_record` when
// it has ended. Records come in the order in which trials end.
//
// - A trial that crashes or hangs gets that outcome, and the run continues.
// - A trial that cannot be started or watched is a harness error.
// - A trial's process inherits no descriptor that was opened for another trial.
// - Processes that a trial starts are killed when it ends, daemons included. To
//   find them, the calling process is a subreaper (prctl(2),
//   PR_SET_CHILD_SUBREAPER) during the run.
// - The output of a trial becomes part of the message if it crashes or hangs.
//
// Forks, so the calling process must have one thread.
//
// `subjects` keeps the targets' subjects from one call to the next, so that
// they need not be started again.
void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record,
               IdleSubjects& subjects);
void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_RUNNER_H_
