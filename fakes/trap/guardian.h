#ifndef FAKES_TRAP_GUARDIAN_H_
#define FAKES_TRAP_GUARDIAN_H_

#include <sys/types.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/trap/owned_fd.h"

namespace net::trap {

// A process that kills the target's process group if this process dies before
// it has destroyed the Guardian. Without a supervisor, each trapped call fails
// with ENOSYS, and the target would take that for the kernel's result.
//
// Does not kill processes of the target that have left the group (setsid(2)).
class Guardian {
 public:
  // Forks the guardian. Call it before the target is started.
  static absl::StatusOr<Guardian> Start();

  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;
  Guardian(Guardian&& other) noexcept = default;
  Guardian& operator=(Guardian&&) = delete;
  // Ends the guardian. The target is no longer killed.
  ~Guardian();

  // Sets the process group to kill.
  absl::Status Guard(pid_t group);

  // Closes this process's end of the pipe, which the target must not hold.
  // Called in the target, after fork(2). Async-signal-safe.
  void CloseInTarget() const;

 private:
  Guardian(pid_t pid, OwnedFd pipe) : pid_(pid), pipe_(std::move(pipe)) {}

  pid_t pid_;
  OwnedFd pipe_;  // The guardian reads end of file when this process has died.
};

}  // namespace net::trap

#endif  // FAKES_TRAP_GUARDIAN_H_
