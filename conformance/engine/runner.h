#ifndef CONFORMANCE_ENGINE_RUNNER_H_
#define CONFORMANCE_ENGINE_RUNNER_H_

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"
#include "conformance/engine/subject.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

struct RunnerOptions {
  // How many trials run at a time, at least 1.
  int jobs = 1;
  // After this long a trial is killed. Only hanging trials take that long, so
  // it is generous: the slowest cases wait some seconds for Linux to give up a
  // connection.
  absl::Duration timeout = absl::Seconds(60);
  // The same for one of which it is known that it may hang.
  absl::Duration timeout_of_hanging = absl::Seconds(3);
  // Called at least once a second while trials run, if not null.
  std::function<void()> on_tick = nullptr;
};

// The subjects that wait for their next trial, of this run or of another.
class IdleSubjects {
 public:
  // One for a trial, which must be a new one if its world matters. Null if the
  // column has none.
  std::unique_ptr<Subject> Take(const Trial& trial);
  // Null: there is none to return.
  void Return(const Trial& trial, std::unique_ptr<Subject> subject);

  // For a trial's process: see Subject::CloseInChild().
  void CloseInChild();

 private:
  std::map<const Column*, std::vector<std::unique_ptr<Subject>>> idle_;
};

// Runs trials, each in a process of its own, and hands over the record of each
// when it has ended (in the order in which they end). A trial that crashes or
// hangs has its outcome like any other, and the run goes on. One that cannot be
// started is a harness error, as is one that cannot be watched.
//
// A trial's process inherits nothing that was opened for another trial. What it
// starts ends with it, daemons included: the calling process is a subreaper
// (PR_SET_CHILD_SUBREAPER of prctl(2)) meanwhile.
//
// What a trial prints is kept, and becomes part of the message if it crashes or
// hangs.
//
// Forks, so the calling process must have one thread.
//
// `subjects` is for those who run trials in several portions, and need not
// start the columns' subjects anew for each.
void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record,
               IdleSubjects& subjects);
void RunTrials(absl::Span<const Trial> trials, const RunnerOptions& options,
               absl::FunctionRef<void(const Record&)> on_record);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_RUNNER_H_
