#include "conformance/driver_host/driver_process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/session.h"
#include "conformance/engine/wait_status.h"
#include "conformance/harness_error.h"
#include "conformance/linux/harness_error.h"
#include "conformance/linux/linux_network.h"

namespace net::conformance {
namespace {

// How much of what a driver prints is kept: the end.
constexpr size_t kOutputKept = 8192;

// How long a process may take to end once it has closed what it had open.
constexpr absl::Duration kMoment = absl::Seconds(2);

// The numbers that the channel has in the driver.
constexpr int kReadFd = 3;
constexpr int kWriteFd = 4;

struct Pipe {
  int read_end;
  int write_end;
};

// Above the numbers that the child will give to its ends.
Pipe MakePipe() {
  std::array<int, 2> low = {};
  Checked(pipe2(low.data(), O_CLOEXEC), "pipe2");
  Pipe pipe = {};
  pipe.read_end = CheckedFd(fcntl(low[0], F_DUPFD_CLOEXEC, 10), "fcntl");
  pipe.write_end = CheckedFd(fcntl(low[1], F_DUPFD_CLOEXEC, 10), "fcntl");
  close(low[0]);
  close(low[1]);
  return pipe;
}

int ReadNumber(const DriverCommand& command) {
  return command.stdio ? STDIN_FILENO : kReadFd;
}
int WriteNumber(const DriverCommand& command) {
  return command.stdio ? STDOUT_FILENO : kWriteFd;
}

}  // namespace

DriverProcess::DriverProcess(const DriverCommand& command,
                             const DriverWorld& world) {
  const Pipe commands = MakePipe();
  const Pipe answers = MakePipe();
  const Pipe output = MakePipe();
  std::fflush(nullptr);  // Else the child would print what is buffered here.
  pid_ = static_cast<pid_t>(Checked(fork(), "fork"));
  if (pid_ == 0) {
    RunInChild(command, world,
               {.read_fd = commands.read_end, .write_fd = answers.write_end},
               output.write_end);
  }
  // As the child does: whichever of the two comes first.
  setpgid(pid_, pid_);
  close(commands.read_end);
  close(answers.write_end);
  close(output.write_end);
  channel_ = {.read_fd = answers.read_end, .write_fd = commands.write_end};
  output_fd_ = output.read_end;
  Checked(fcntl(output_fd_, F_SETFL, O_NONBLOCK), "fcntl");
}

DriverProcess::~DriverProcess() {
  close(channel_.read_fd);
  if (channel_.write_fd >= 0) close(channel_.write_fd);
  close(output_fd_);
  kill(-pid_, SIGKILL);
  static_cast<void>(Reap(/*wait=*/true));
}

std::string DriverProcess::CommandToType(const DriverCommand& command,
                                         const std::string& commands,
                                         const std::string& answers) {
  const int read_fd = ReadNumber(command);
  const int write_fd = WriteNumber(command);
  return absl::StrCat("CONFORMANCE_READ_FD=", read_fd,
                      " CONFORMANCE_WRITE_FD=", write_fd, " ", command.line,
                      " ", read_fd, "<", commands, " ", write_fd, ">", answers);
}

void DriverProcess::RunInChild(const DriverCommand& command,
                               const DriverWorld& world, Channel theirs,
                               int output) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_DFL);
  try {
    if (world.own_network && !EnterOwnNetwork().has_value() && !world.ipv6) {
      WriteSysctl("net.ipv6.conf.all.disable_ipv6", "1");
    }
    if (!world.privileged_ports) {
      // Not in the bounding set, it does not come back with exec either.
      Checked(prctl(PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE, 0, 0, 0),
              "PR_CAPBSET_DROP");
    }
    dup2(output, STDERR_FILENO);
    dup2(output, STDOUT_FILENO);
    const int no_input = open("/dev/null", O_RDONLY);
    dup2(no_input, STDIN_FILENO);
    if (no_input > STDERR_FILENO) close(no_input);
    dup2(theirs.read_fd, ReadNumber(command));
    dup2(theirs.write_fd, WriteNumber(command));
    setenv("CONFORMANCE_READ_FD", absl::StrCat(ReadNumber(command)).c_str(), 1);
    setenv("CONFORMANCE_WRITE_FD", absl::StrCat(WriteNumber(command)).c_str(),
           1);
    const std::string line = absl::StrCat("exec ", command.line);
    execl("/bin/sh", "sh", "-c", line.c_str(), static_cast<char*>(nullptr));
    Checked(-1, "exec /bin/sh");
  } catch (const HarnessError& e) {
    const absl::string_view what = e.what();
    // If this fails, too, the status alone tells.
    [[maybe_unused]] const ssize_t told =
        write(STDERR_FILENO, what.data(), what.size());
  }
  _exit(126);
}

bool DriverProcess::ReadOutput() {
  std::array<char, 65536> buffer;
  ssize_t got = 0;
  while ((got = read(output_fd_, buffer.data(), buffer.size())) > 0) {
    output_.append(buffer.data(), static_cast<size_t>(got));
    if (output_.size() > kOutputKept) {
      output_.erase(0, output_.size() - kOutputKept);
    }
    if (static_cast<size_t>(got) < buffer.size()) return true;
  }
  return got < 0 && (errno == EAGAIN || errno == EINTR);
}

bool DriverProcess::Reap(bool wait) {
  while (!ended_) {
    const pid_t got = waitpid(pid_, &status_, wait ? 0 : WNOHANG);
    if (got < 0 && errno == EINTR) continue;
    ended_ = got == pid_;
    break;
  }
  return ended_;
}

absl::Status DriverProcess::AwaitEnd(absl::Duration patience) {
  const int pidfd =
      CheckedFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)), "pidfd");
  pollfd event = {.fd = pidfd, .events = POLLIN, .revents = 0};
  const int ended =
      poll(&event, 1, static_cast<int>(absl::ToInt64Milliseconds(patience)));
  close(pidfd);
  if (ended == 0) return absl::DeadlineExceededError("it does not end");
  static_cast<void>(Reap(/*wait=*/true));
  if (status_ == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(DescribeWaitStatus(status_));
}

void DriverProcess::CloseChannel() {
  close(channel_.write_fd);
  channel_.write_fd = -1;
}

std::string DriverProcess::Describe() {
  // One that has let go of its channel is about to end.
  pollfd channel = {.fd = channel_.read_fd, .events = 0, .revents = 0};
  if (poll(&channel, 1, 0) == 1) static_cast<void>(AwaitEnd(kMoment));
  // What it printed before it ended may have come since.
  static_cast<void>(ReadOutput());
  std::string text;
  if (Reap(/*wait=*/false)) {
    absl::StrAppend(&text, "the driver ", DescribeWaitStatus(status_));
  }
  if (!output_.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", "the driver printed:\n",
                    output_);
  }
  return text;
}

}  // namespace net::conformance
