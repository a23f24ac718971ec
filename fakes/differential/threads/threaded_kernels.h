#ifndef FAKES_DIFFERENTIAL_THREADS_THREADED_KERNELS_H_
#define FAKES_DIFFERENTIAL_THREADS_THREADED_KERNELS_H_

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

// A kernel whose threads run one at a time, in an order that a policy chooses.
// The same choices give the same answer.
class ScheduledKernel {
 public:
  ScheduledKernel() = default;
  ScheduledKernel(const ScheduledKernel&) = delete;
  ScheduledKernel& operator=(const ScheduledKernel&) = delete;
  virtual ~ScheduledKernel() = default;

  virtual ThreadedAnswer Run(const ThreadedProgram& program,
                             SchedulePolicy& policy) = 0;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_THREADED_KERNELS_H_
