#include "syscalls/sandbox/other_user.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "syscalls/errors/error.h"

namespace net::sandbox {
namespace {

// Any users but root.
constexpr uid_t kOtherUid = 1;
constexpr uid_t kNobody = 65534;

}  // namespace

absl::Status CheckOtherUser() {
  if (seteuid(kOtherUid) != 0) {
    return ErrnoError(errno, "no second user: seteuid");
  }
  if (seteuid(0) != 0) return ErrnoError(errno, "seteuid");
  return absl::OkStatus();
}

absl::Status RunAsOtherUser(absl::FunctionRef<void()> body) {
  if (seteuid(kOtherUid) != 0) return ErrnoError(errno, "seteuid");
  body();
  if (seteuid(0) != 0) return ErrnoError(errno, "seteuid");
  return absl::OkStatus();
}

absl::Status BecomeOtherUser() {
  if (setgid(kNobody) != 0) return ErrnoError(errno, "setgid");
  if (setuid(kNobody) != 0) return ErrnoError(errno, "setuid");
  // Changing the user has made the files of /proc/self root's.
  if (prctl(PR_SET_DUMPABLE, 1) != 0) return ErrnoError(errno, "prctl");
  return absl::OkStatus();
}

}  // namespace net::sandbox
