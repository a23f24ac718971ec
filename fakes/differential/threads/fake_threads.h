#ifndef FAKES_DIFFERENTIAL_THREADS_FAKE_THREADS_H_
#define FAKES_DIFFERENTIAL_THREADS_FAKE_THREADS_H_

#include "fakes/differential/threads/threaded_kernels.h"
#include "fakes/differential/threads/threaded_program.h"
#include "fakes/schedule/schedule.h"

namespace net::differential {

// Runs programs on FakeKernels: a new kernel for each run. The setup is the
// participant 0 and has ended when the threads 1, 2 and 3 begin, so in the text
// of a schedule (fakes/schedule/schedule.h) they are b, c and d.
//
// A call is blocked for good if a deadlock ended it, or if it ended after the
// clock had jumped. The clock jumps only when all threads wait.
class FakeThreads : public ScheduledKernel {
 public:
  ScheduledAnswer Run(const ThreadedProgram& program, const ThreadStart& start,
                      SchedulePolicy& policy) override;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_FAKE_THREADS_H_
