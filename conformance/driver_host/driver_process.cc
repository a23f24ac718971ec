#include "conformance/driver_host/driver_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "conformance/driver_host/driver_keeper.h"
#include "conformance/driver_host/no_sigpipe.h"
#include "conformance/driver_host/session.h"
#include "conformance/suite/checked.h"
#include "syscalls/sandbox/child.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sandbox/process_tree.h"
#include "syscalls/sandbox/wait_status.h"

namespace net::conformance {
namespace {

// The number of bytes at the end of a driver's output that are kept.
constexpr size_t kOutputKept = 8192;

// The time that a process may take to end after it has closed its channel.
constexpr absl::Duration kMoment = absl::Seconds(2);

struct Pipe {
  int read_end;
  int write_end;
};

// Returns a pipe whose descriptors are above the numbers that the driver's
// channel will have.
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

// The ends of the trap's control channel.
struct Control {
  int own_end = -1;
  int trap_end = -1;
};

Control MakeControl() {
  std::array<int, 2> ends = {};
  Checked(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()),
          "socketpair");
  Control control = {.own_end = ends[0]};
  control.trap_end = CheckedFd(fcntl(ends[1], F_DUPFD_CLOEXEC, 10), "fcntl");
  close(ends[1]);
  return control;
}

}  // namespace

DriverProcess::DriverProcess(const DriverCommand& command,
                             const DriverNetwork& network) {
  const Pipe commands = MakePipe();
  const Pipe answers = MakePipe();
  const Pipe output = MakePipe();
  const Pipe status = MakePipe();
  const Pipe end = MakePipe();
  const Control control = command.trap.has_value() ? MakeControl() : Control{};
  // Asked here, it is asked once, not by each child.
  if (network.own_network) static_cast<void>(sandbox::CheckOwnNetwork());
  keeper_ = Checked(sandbox::ForkChild());
  if (keeper_ == 0) {
    KeepDriver(command, network,
               {.commands = commands.read_end,
                .answers = answers.write_end,
                .output = output.write_end,
                .status = status.write_end,
                .end = end.read_end,
                .passing = passing_.receiver(),
                .control = control.trap_end});
  }
  for (const int theirs : {commands.read_end, answers.write_end,
                           output.write_end, status.write_end, end.read_end}) {
    close(theirs);
  }
  if (control.trap_end >= 0) close(control.trap_end);
  control_fd_ = control.own_end;
  channel_ = {.read_fd = answers.read_end,
              .write_fd = commands.write_end,
              .passing = &passing_};
  output_fd_ = output.read_end;
  status_fd_ = status.read_end;
  end_fd_ = end.write_end;
  Checked(fcntl(output_fd_, F_SETFL, O_NONBLOCK), "fcntl");
}

DriverProcess::~DriverProcess() {
  // Closing the descriptor would not be enough, because a copy may be open in
  // another process. If the keeper is dead, there is nothing to end, and
  // SIGPIPE must not be raised.
  const NoSigpipe no_sigpipe;
  [[maybe_unused]] const ssize_t written = write(end_fd_, "", 1);
  static_cast<void>(sandbox::ReapChild(keeper_));
  CloseInChild();
}

std::vector<pid_t> DriverProcess::Processes() const {
  std::vector<pid_t> processes;
  for (const pid_t init : sandbox::ChildrenOf(keeper_)) {
    const std::vector<pid_t> own = sandbox::DescendantsOf(init);
    processes.insert(processes.end(), own.begin(), own.end());
  }
  return processes;
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

bool DriverProcess::ReadOutput() {
  // A driver that prints without end must not block the runner.
  constexpr int kMostReads = 16;
  std::array<char, 65536> buffer;
  for (int i = 0; i < kMostReads; ++i) {
    const ssize_t got = read(output_fd_, buffer.data(), buffer.size());
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    output_.append(buffer.data(), static_cast<size_t>(got));
    if (output_.size() > kOutputKept) {
      output_.erase(0, output_.size() - kOutputKept);
    }
  }
  return true;
}

absl::Status DriverProcess::AwaitEnd(absl::Duration timeout) {
  pollfd event = {.fd = status_fd_, .events = POLLIN, .revents = 0};
  const auto milliseconds =
      static_cast<int>(absl::ToInt64Milliseconds(timeout));
  if (!status_.has_value()) {
    if (poll(&event, 1, milliseconds) <= 0) {
      return absl::DeadlineExceededError("it does not end");
    }
    int status = 0;
    const ssize_t got = read(status_fd_, &status, sizeof(status));
    // Without a status, the init was killed, and the driver with it.
    status_ = got == sizeof(status) ? status : W_EXITCODE(0, SIGKILL);
  }
  if (*status_ == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(sandbox::DescribeWaitStatus(*status_));
}

void DriverProcess::CloseChannel() {
  close(channel_.write_fd);
  channel_.write_fd = -1;
}

void DriverProcess::CloseInChild() {
  for (const int fd : {channel_.read_fd, channel_.write_fd, control_fd_,
                       output_fd_, status_fd_, end_fd_}) {
    if (fd >= 0) close(fd);
  }
  passing_.Close();
}

std::string DriverProcess::Describe() {
  // A driver that has closed its channel is about to end.
  pollfd channel = {.fd = channel_.read_fd, .events = 0, .revents = 0};
  if (poll(&channel, 1, 0) == 1) static_cast<void>(AwaitEnd(kMoment));
  // Its last output may have arrived meanwhile.
  static_cast<void>(ReadOutput());
  std::string text;
  static_cast<void>(AwaitEnd(absl::ZeroDuration()));
  if (status_.has_value()) {
    absl::StrAppend(&text, "the driver ",
                    sandbox::DescribeWaitStatus(*status_));
  }
  if (!output_.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", "the driver printed:\n",
                    output_);
  }
  return text;
}

}  // namespace net::conformance
