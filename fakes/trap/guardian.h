#ifndef FAKES_TRAP_GUARDIAN_H_
#define FAKES_TRAP_GUARDIAN_H_

#include <sys/types.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/trap/owned_fd.h"

namespace net::trap {

// A process that kills the target's process group if this process dies before
// it has called Dismiss(). Without supervisor each trapped call fails with
// ENOSYS, and the target would go on and take that for the kernel's answer.
//
// Processes of the target that have left the group (setsid(2)) live on.
class Guardian {
 public:
  // Forks the guardian. Call it before the target is started.
  static absl::StatusOr<Guardian> Start();

  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;
  Guardian(Guardian&& other) noexcept = default;
  Guardian& operator=(Guardian&&) = delete;
  // Dismisses it.
  ~Guardian();

  // Sets the process group to kill.
  absl::Status Guard(pid_t group);

  // In the target, after fork(2): closes this process's end of the pipe, which
  // the target must not hold. Async-signal-safe.
  void CloseInTarget() const;

 private:
  Guardian(pid_t pid, OwnedFd pipe) : pid_(pid), pipe_(std::move(pipe)) {}

  pid_t pid_;
  OwnedFd pipe_;  // Its end tells the guardian that this process has died.
};

}  // namespace net::trap

#endif  // FAKES_TRAP_GUARDIAN_H_
