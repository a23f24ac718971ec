#ifndef FAKES_DIFFERENTIAL_THREADS_THREADED_KERNELS_H_
#define FAKES_DIFFERENTIAL_THREADS_THREADED_KERNELS_H_

#include <string>

#include "absl/status/statusor.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/schedule/schedule.h"

namespace net::differential {

// A kernel that does not control the order of its threads.
class ThreadedKernel {
 public:
  ThreadedKernel() = default;
  ThreadedKernel(const ThreadedKernel&) = delete;
  ThreadedKernel& operator=(const ThreadedKernel&) = delete;
  virtual ~ThreadedKernel() = default;

  // Runs a program once. Returns an error if this machine cannot run it.
  virtual absl::StatusOr<ThreadedAnswer> Run(const ThreadedProgram& program,
                                             const ThreadStart& start) = 0;
};

// A run under a schedule.
struct ScheduledAnswer {
  ThreadedAnswer answer;
  // The text of the schedule (fakes/schedule/schedule.h). It repeats the run if
  // all threads may begin at once.
  std::string schedule;
};

// A kernel whose threads run one at a time, in an order that a policy chooses.
// The same choices give the same answer.
class ScheduledKernel {
 public:
  ScheduledKernel() = default;
  ScheduledKernel(const ScheduledKernel&) = delete;
  ScheduledKernel& operator=(const ScheduledKernel&) = delete;
  virtual ~ScheduledKernel() = default;

  // Runs a program once. If the threads begin one by one, one that has not
  // begun runs only when those before it have ended or are blocked; `policy`
  // makes all other choices.
  virtual ScheduledAnswer Run(const ThreadedProgram& program,
                              const ThreadStart& start,
                              SchedulePolicy& policy) = 0;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_THREADED_KERNELS_H_
