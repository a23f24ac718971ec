#include "syscalls/sandbox/pid_namespace.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>

#include "absl/status/status.h"
#include "syscalls/errors/error.h"

namespace net::sandbox {

absl::Status UnsharePids() {
  if (unshare(CLONE_NEWPID) != 0) return ErrnoError(errno, "unshare");
  return absl::OkStatus();
}

absl::Status MountOwnProc() {
  if (unshare(CLONE_NEWNS) != 0) return ErrnoError(errno, "unshare");
  // Else the mount would show in the namespace that this one was copied from.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return ErrnoError(errno, "mount / as private");
  }
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
            nullptr) != 0) {
    return ErrnoError(errno, "mount /proc");
  }
  return absl::OkStatus();
}

}  // namespace net::sandbox
