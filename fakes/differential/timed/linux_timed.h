#ifndef FAKES_DIFFERENTIAL_TIMED_LINUX_TIMED_H_
#define FAKES_DIFFERENTIAL_TIMED_LINUX_TIMED_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fakes/differential/timed/lossy_loopback.h"
#include "fakes/differential/timed/timed_program.h"
#include "syscalls/net/ip_addr.h"

namespace net::differential {

// The results of a plan's steps on Linux.
struct TimedAnswer {
  std::vector<std::string> results;
  // All steps were made in time. If not, the machine was busy, and the results
  // must not be compared.
  bool punctual = true;
};

// Runs timed programs on the kernel that this runs on, in real time, many at
// once: each in a thread that sleeps until its next step.
//
// All programs share one network namespace, which the process has entered. Each
// has two loopback addresses that no other program uses. SIGPIPE is ignored
// from then on. The process must have no other purpose.
class LinuxTimed {
 public:
  // Enters a new network namespace. The process must have one thread.
  static absl::StatusOr<std::unique_ptr<LinuxTimed>> Make();

  // Runs all plans at once. They begin one after the other within
  // kStartInterval each, so that they do not wake up together.
  absl::StatusOr<std::vector<TimedAnswer>> Run(
      const std::vector<const TimedPlan*>& plans);

 private:
  explicit LinuxTimed(std::unique_ptr<LossyLoopback> loopback)
      : loopback_(std::move(loopback)) {}

  const std::unique_ptr<LossyLoopback> loopback_;
  uint32_t programs_ = 0;  // The number of programs that have had addresses.
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_LINUX_TIMED_H_
