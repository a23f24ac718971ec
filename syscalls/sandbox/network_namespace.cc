#include "syscalls/sandbox/network_namespace.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/loopback_interface.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/sandbox/watched_child.h"

namespace net::sandbox {
namespace {

// Maps the process's user to root in a new user namespace
// (user_namespaces(7)). Without a map it would be nobody.
absl::Status MapToRoot(uid_t uid, gid_t gid) {
  absl::Status status = WriteFile("/proc/self/setgroups", "deny");
  if (status.ok()) {
    status = WriteFile("/proc/self/uid_map", absl::StrCat("0 ", uid, " 1"));
  }
  if (status.ok()) {
    status = WriteFile("/proc/self/gid_map", absl::StrCat("0 ", gid, " 1"));
  }
  return status;
}

// After an error, the process may be in the new namespaces without capabilities
// there, and cannot return.
absl::Status MoveToOwnNetwork() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWNET) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
      return ErrnoError(errno, "unshare");
    }
    if (absl::Status status = MapToRoot(uid, gid); !status.ok()) return status;
  }
  return SetLoopback(true);
}

absl::Status TryOwnNetwork() {
  const absl::StatusOr<std::string> why =
      RunInChild([] { return std::string(MoveToOwnNetwork().message()); });
  if (why.ok() && why->empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("no network namespace of its own: ",
                   why.ok() ? *why : why.status().message()));
}

absl::StatusOr<ino_t> InodeOf(const std::string& path) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) return ErrnoError(errno, path);
  return file.st_ino;
}

// Returns whether process `pid` is in this process's namespace of a kind:
// "net", "user".
absl::StatusOr<bool> SharesNamespace(absl::string_view kind, pid_t pid) {
  const auto own = InodeOf(absl::StrCat("/proc/self/ns/", kind));
  if (!own.ok()) return own.status();
  const auto other = InodeOf(absl::StrCat("/proc/", pid, "/ns/", kind));
  if (!other.ok()) return other.status();
  return *own == *other;
}

}  // namespace

absl::Status CheckOwnNetwork() {
  static const absl::Status result = TryOwnNetwork();
  return result;
}

absl::Status EnterOwnNetwork() {
  if (absl::Status status = CheckOwnNetwork(); !status.ok()) return status;
  return MoveToOwnNetwork();
}

absl::Status EnterOwnNetworkOfThread() {
  if (unshare(CLONE_NEWNET) != 0) {
    return ErrnoError(errno, "no network namespace of its own: unshare");
  }
  return SetLoopback(true);
}

absl::StatusOr<bool> SharesNetworkWith(pid_t pid) {
  return SharesNamespace("net", pid);
}

absl::Status EnterNetworkOf(pid_t pid) {
  const absl::StatusOr<bool> shares_user = SharesNamespace("user", pid);
  if (!shares_user.ok()) return shares_user.status();
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return ErrnoError(errno, "pidfd_open");
  const absl::Cleanup close_pidfd = [pidfd] { close(pidfd); };
  const int kinds = *shares_user ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET;
  if (setns(pidfd, kinds) != 0) return ErrnoError(errno, "setns");
  return absl::OkStatus();
}

}  // namespace net::sandbox
