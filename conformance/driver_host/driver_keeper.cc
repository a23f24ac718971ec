#include "conformance/driver_host/driver_keeper.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/checked.h"
#include "syscalls/sandbox/capabilities.h"
#include "syscalls/sandbox/child.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sandbox/pid_namespace.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/sandbox/sysctl.h"
#include "syscalls/testing/command_line.h"

namespace net::conformance {
namespace {

// The numbers that the channel has in the driver.
constexpr int kReadFd = 3;
constexpr int kWriteFd = 4;
constexpr int kAdoptFd = 5;
constexpr int kControlFd = 6;  // for the trap only

constexpr int kCannotStart = 126;  // an exit status, as sh(1) has it

// Does not close the standard streams.
void CloseAllBut(std::initializer_list<int> kept) {
  for (const int fd : Checked(sandbox::ListNumbers("/proc/self/fd"))) {
    const bool is_kept = fd <= STDERR_FILENO ||
                         std::find(kept.begin(), kept.end(), fd) != kept.end();
    if (!is_kept) close(fd);
  }
}

// Returns the command line for sh(1).
std::string LineOf(const DriverCommand& command) {
  std::string line = absl::StrCat("exec ", command.line);
  if (!command.trap.has_value()) return line;
  return absl::StrCat("exec ", ShellWord(command.trap->program),
                      " --control-fd=", kControlFd,
                      command.trap->traps_close ? " --trap-close" : "",
                      " -- /bin/sh -c ", ShellWord(line));
}

void ReportStatus(int pipe, int status) {
  // The runner may be dead.
  [[maybe_unused]] const ssize_t written = write(pipe, &status, sizeof(status));
}

[[noreturn]] void FailToStart(const KeeperPipes& pipes, absl::string_view why) {
  [[maybe_unused]] const ssize_t written =
      write(pipes.output, why.data(), why.size());
  ReportStatus(pipes.status, W_EXITCODE(kCannotStart, 0));
  _exit(kCannotStart);
}

// Turns this process into the driver. Throws HarnessError.
[[noreturn]] void ExecDriver(const DriverCommand& command,
                             const DriverNetwork& network,
                             const KeeperPipes& pipes) {
  // A process group of its own. The parent-death signal matters only without a
  // PID namespace, if somebody kills the init.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_DFL);
  if (!network.privileged_ports) {
    // A capability that is not in the bounding set does not return with exec.
    Checked(sandbox::DropCapabilityForExec(CAP_NET_BIND_SERVICE));
  }
  dup2(pipes.output, STDERR_FILENO);
  dup2(pipes.output, STDOUT_FILENO);
  const int no_input = open("/dev/null", O_RDONLY);
  dup2(no_input, STDIN_FILENO);
  if (no_input > STDERR_FILENO) close(no_input);
  dup2(pipes.commands, ReadNumber(command));
  dup2(pipes.answers, WriteNumber(command));
  dup2(pipes.passing, kAdoptFd);
  setenv("CONFORMANCE_READ_FD", absl::StrCat(ReadNumber(command)).c_str(), 1);
  setenv("CONFORMANCE_WRITE_FD", absl::StrCat(WriteNumber(command)).c_str(), 1);
  setenv("CONFORMANCE_ADOPT_FD", absl::StrCat(kAdoptFd).c_str(), 1);
  if (pipes.control >= 0) dup2(pipes.control, kControlFd);
  const std::string line = LineOf(command);
  execl("/bin/sh", "sh", "-c", line.c_str(), static_cast<char*>(nullptr));
  Checked(-1, "exec /bin/sh");
  _exit(kCannotStart);
}

// Runs the init: starts the driver, reports its wait status, and returns only
// when all its descendants have ended.
[[noreturn]] void RunInit(const DriverCommand& command,
                          const DriverNetwork& network,
                          const KeeperPipes& pipes) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Where this is not permitted, /proc still shows the numbers of the runner's
  // namespace.
  if (getpid() == 1) static_cast<void>(sandbox::MountOwnProc());
  const auto driver = static_cast<pid_t>(Checked(fork(), "fork"));
  if (driver == 0) ExecDriver(command, network, pipes);
  // Copies in this process would hide the end of the channel from the driver,
  // and the driver's closing of it from the runner.
  CloseAllBut({pipes.status});
  while (true) {
    int status = 0;
    const pid_t child = waitpid(-1, &status, 0);
    if (child == driver) ReportStatus(pipes.status, status);
    if (child < 0 && errno == ECHILD) _exit(0);
  }
}

[[noreturn]] void RunKeeper(const DriverCommand& command,
                            const DriverNetwork& network,
                            const KeeperPipes& pipes) {
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  CloseAllBut({pipes.commands, pipes.answers, pipes.output, pipes.status,
               pipes.end, pipes.passing, pipes.control});
  if (network.own_network && sandbox::CheckOwnNetwork().ok()) {
    Checked(sandbox::EnterOwnNetwork());
    if (!network.ipv6) {
      Checked(sandbox::WriteSysctl("net.ipv6.conf.all.disable_ipv6", "1"));
    }
  }
  // Where this is not permitted, the descendants are found through /proc.
  static_cast<void>(sandbox::UnsharePids());
  const auto init = static_cast<pid_t>(Checked(fork(), "fork"));
  if (init == 0) {
    try {
      RunInit(command, network, pipes);
    } catch (const std::exception& e) {
      FailToStart(pipes, e.what());
    }
  }
  CloseAllBut({pipes.end});
  pollfd events[] = {
      {.fd = pipes.end, .events = POLLIN, .revents = 0},
      {.fd = CheckedFd(static_cast<int>(syscall(SYS_pidfd_open, init, 0)),
                       "pidfd_open"),
       .events = POLLIN,
       .revents = 0}};
  while (poll(events, std::size(events), -1) < 0 && errno == EINTR) {
  }
  sandbox::KillOtherChildren();
  _exit(0);
}

}  // namespace

int ReadNumber(const DriverCommand& command) {
  return command.stdio ? STDIN_FILENO : kReadFd;
}
int WriteNumber(const DriverCommand& command) {
  return command.stdio ? STDOUT_FILENO : kWriteFd;
}

void KeepDriver(const DriverCommand& command, const DriverNetwork& network,
                const KeeperPipes& pipes) noexcept {
  try {
    RunKeeper(command, network, pipes);
  } catch (const std::exception& e) {
    FailToStart(pipes, e.what());
  }
}

}  // namespace net::conformance
