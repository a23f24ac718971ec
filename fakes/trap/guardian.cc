#include "fakes/trap/guardian.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fakes/trap/owned_fd.h"
#include "syscalls/errors/error.h"

namespace net::trap {
namespace {

// The value that dismisses the guardian. Any other one is the process group.
constexpr pid_t kDismissed = -1;

constexpr absl::string_view kMessage =
    "trap: the supervisor ended before the program; the program is killed\n";

// Returns false at the end of the pipe.
bool ReadGroup(int pipe, pid_t& group) {
  while (true) {
    const ssize_t got = read(pipe, &group, sizeof(group));
    if (got < 0 && errno == EINTR) continue;
    return got == sizeof(group);
  }
}

// Only async-signal-safe calls: the parent may have threads.
[[noreturn]] void RunGuardian(int pipe) {
  // A session of its own, without the terminal's signals.
  setsid();
  // Whoever waits for the end of one of our descriptors must not wait for this
  // process. (stderr stays for the message.)
  dup2(pipe, STDIN_FILENO);
  close(STDOUT_FILENO);
  syscall(SYS_close_range, 3, UINT_MAX, 0);
  pid_t group = 0;
  pid_t read_now = 0;
  while (ReadGroup(STDIN_FILENO, read_now)) {
    if (read_now == kDismissed) _exit(0);
    group = read_now;
  }
  if (group > 0 && kill(-group, SIGKILL) == 0) {
    static_cast<void>(!write(STDERR_FILENO, kMessage.data(), kMessage.size()));
  }
  _exit(1);
}

}  // namespace

absl::StatusOr<Guardian> Guardian::Start() {
  std::array<int, 2> ends = {};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError(errno, "pipe2");
  const OwnedFd read_end(ends[0]);
  OwnedFd write_end(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return ErrnoError(errno, "fork");
  if (pid == 0) RunGuardian(read_end.get());
  return Guardian(pid, std::move(write_end));
}

Guardian::~Guardian() {
  if (!pipe_.ok()) return;  // It was moved from.
  static_cast<void>(Guard(kDismissed));
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

absl::Status Guardian::Guard(pid_t group) {
  if (write(pipe_.get(), &group, sizeof(group)) != sizeof(group)) {
    return ErrnoError(errno, "write");
  }
  return absl::OkStatus();
}

void Guardian::CloseInTarget() const { close(pipe_.get()); }

}  // namespace net::trap
