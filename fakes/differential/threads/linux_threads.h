#ifndef FAKES_DIFFERENTIAL_THREADS_LINUX_THREADS_H_
#define FAKES_DIFFERENTIAL_THREADS_LINUX_THREADS_H_

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/differential/linux_worlds.h"
#include "fakes/differential/threads/threaded_kernels.h"
#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {

// Runs programs on the kernel that this runs on, each in a world of
// LinuxWorldFactory, with real threads.
//
// The threads are blocked for good if each has ended or sleeps in a call of the
// program, and none has run between two inspections of all of them
// (sleeping_threads.h), nor after what they sent had arrived (Delivery). The
// process then interrupts the calls with SIGUSR1.
//
// While it runs, no other thread of the process may open or close descriptors.
class LinuxThreads : public ThreadedKernel {
 public:
  LinuxThreads() = default;
  // Calls `prepare` as LinuxWorldFactory does.
  explicit LinuxThreads(std::function<absl::Status()> prepare)
      : worlds_(std::move(prepare)) {}

  absl::StatusOr<ThreadedAnswer> Run(const ThreadedProgram& program,
                                     const ThreadStart& start) override;

 private:
  LinuxWorldFactory worlds_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_LINUX_THREADS_H_
