#include "conformance/environments/linux/linux_descriptors.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "conformance/suite/witness.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/child.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// A program that every system has, that echoes its input, and that runs until
// its input ends.
constexpr char kWaitingProgram[] = "/bin/cat";

struct Pipe {
  int read_end;
  int write_end;
};

// Without /proc, descriptors with higher numbers are not seen.
constexpr int kNumbersWithoutProc = 1024;

// Returns the numbers of this process's open descriptors.
std::vector<int> OpenNumbers() {
  absl::StatusOr<std::vector<int>> listed =
      sandbox::ListNumbers("/proc/self/fd");
  if (ErrnoOf(listed) != ENOENT) return Checked(std::move(listed));
  std::vector<int> numbers;
  for (int fd = 0; fd < kNumbersWithoutProc; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) numbers.push_back(fd);
  }
  return numbers;
}

// Returns the inode of an open socket, or 0 if the descriptor is none.
uint64_t InodeOfSocket(int fd) {
  struct stat file = {};
  return fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
}

Pipe MakePipe() {
  std::array<int, 2> fds = {};
  Checked(pipe2(fds.data(), O_CLOEXEC), "pipe2");
  return {.read_end = fds[0], .write_end = fds[1]};
}

// In the child: execs the program with `input` and `output` as its standard
// input and output. If that fails, writes the errno to `failure`; success
// closes it.
[[noreturn]] void ExecWaitingProgram(int input, int output, int failure) {
  if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0) {
    execl(kWaitingProgram, kWaitingProgram, static_cast<char*>(nullptr));
  }
  const int error = errno;
  // If this fails, too, the parent finds a process without descriptors.
  [[maybe_unused]] const ssize_t told = write(failure, &error, sizeof(error));
  _exit(127);
}

}  // namespace

std::string DescribeDescriptor(int fd) {
  const Witness witness(DefaultSyscalls(), fd);
  const auto local = witness.LocalEndpoint();
  if (local.ok()) {
    std::string what = absl::StrCat("socket ", local->ToString());
    const auto peer = witness.PeerEndpoint();
    if (peer.ok()) absl::StrAppend(&what, " to ", peer->ToString());
    const auto info = witness.Info();
    if (info.ok() && info->state == TCP_LISTEN) what += ", listening";
    return what;
  }
  return sandbox::ReadLink(absl::StrCat("/proc/self/fd/", fd)).value_or("gone");
}

std::vector<Environment::Descriptor> ListOpenDescriptors() {
  std::vector<Environment::Descriptor> descriptors;
  for (const int fd : OpenNumbers()) {
    descriptors.push_back({.id = {.fd = fd, .inode = InodeOfSocket(fd)},
                           .what = DescribeDescriptor(fd),
                           .own_fd = fd});
  }
  return descriptors;
}

std::vector<Environment::Descriptor> ListDescriptorsAfterExec() {
  const Pipe input = MakePipe();
  const Pipe output = MakePipe();
  const Pipe failure = MakePipe();
  const pid_t child = Checked(sandbox::ForkChild());
  if (child == 0) {
    ExecWaitingProgram(input.read_end, output.write_end, failure.write_end);
  }
  close(input.read_end);
  close(output.write_end);
  close(failure.write_end);
  const absl::Cleanup end_child = [&] {
    close(input.write_end);
    close(output.read_end);
    close(failure.read_end);
    sandbox::ReapChild(child);
  };
  // End of file means that exec closed the other end.
  int error = 0;
  if (Checked(read(failure.read_end, &error, sizeof(error)), "read") != 0) {
    throw HarnessError(
        absl::StrCat("exec ", kWaitingProgram, ": ", ErrnoSymbol(error)));
  }
  // At its start the dynamic linker opens libraries, perhaps with numbers that
  // sockets had. The echo shows that it is past that.
  char byte = '?';
  Checked(write(input.write_end, &byte, 1), "write");
  if (Checked(read(output.read_end, &byte, 1), "read") != 1) {
    throw HarnessError(
        absl::StrCat(kWaitingProgram, " does not echo its input"));
  }
  const std::string folder = absl::StrCat("/proc/", child, "/fd");
  std::vector<Environment::Descriptor> descriptors;
  for (const int fd : Checked(sandbox::ListNumbers(folder))) {
    // A descriptor that was inherited has the same number in this process. One
    // that the program opened itself does not.
    const uint64_t inode = sandbox::SocketInode(folder, fd);
    const bool is_own = inode != 0 && inode == InodeOfSocket(fd);
    descriptors.push_back(
        {.id = {.fd = fd, .inode = inode},
         .what = inode == 0 ? "no socket" : "socket",
         .own_fd = is_own ? std::optional(fd) : std::nullopt});
  }
  return descriptors;
}

std::optional<std::string> LacksExec() {
  if (access(kWaitingProgram, X_OK) == 0) return std::nullopt;
  return std::string(ErrnoError(errno, kWaitingProgram).message());
}

DescriptorLimit::DescriptorLimit() {
  Checked(getrlimit(RLIMIT_NOFILE, &usual_), "getrlimit");
}

void DescriptorLimit::Leave(std::optional<int> free) const {
  rlimit limit = usual_;
  if (free.has_value()) {
    limit.rlim_cur =
        LimitThatLeaves(*free, [](int fd) { return fcntl(fd, F_GETFD) >= 0; });
  }
  Checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

std::vector<Environment::Descriptor> DescriptorLimit::ListOpen() const {
  rlimit limit = {};
  Checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  Checked(setrlimit(RLIMIT_NOFILE, &usual_), "setrlimit");
  std::vector<Environment::Descriptor> descriptors = ListOpenDescriptors();
  Checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  return descriptors;
}

rlim_t LimitThatLeaves(int free, absl::FunctionRef<bool(int fd)> is_open) {
  int found = 0;
  int fd = 0;
  while (true) {
    const bool is_free = !is_open(fd);
    if (is_free && found == free) return static_cast<rlim_t>(fd);
    if (is_free) ++found;
    ++fd;
  }
}

}  // namespace net::conformance
