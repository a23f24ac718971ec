#include "conformance/environments/linux/process_view.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/environments/linux/linux_descriptors.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/subject_error.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/sandbox/thread_status.h"

namespace net::conformance {
bool IsTcpSocket(int fd) {
  int protocol = 0;
  int domain = 0;
  socklen_t size = sizeof(int);
  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
         protocol == IPPROTO_TCP && (domain == AF_INET || domain == AF_INET6);
}

namespace {

bool SurvivesExec(pid_t pid, int fd) {
  const std::optional<int> flags = sandbox::DescriptorFlags(pid, fd);
  return flags.has_value() && (*flags & O_CLOEXEC) == 0;
}

}  // namespace

ProcessView::ProcessView(pid_t pid)
    : pid_(pid),
      pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
      calls_(pid) {
  if (pidfd_ < 0 && errno == ESRCH) ThrowEnded();
  Checked(pidfd_, absl::StrCat("pidfd_open ", pid));
  rlimit limit = {};
  CheckResult(prlimit(pid_, RLIMIT_NOFILE, nullptr, &limit), "prlimit");
  limit_ = limit.rlim_cur;
}

ProcessView::~ProcessView() { close(pidfd_); }

DescriptorId ProcessView::Identify(int fd) const {
  return {
      .process = pid_, .fd = fd, .inode = sandbox::SocketInode(Folder(), fd)};
}

std::vector<DescriptorId> ProcessView::Sockets() const {
  std::vector<DescriptorId> sockets;
  for (const int fd : List("fd")) {
    const DescriptorId id = Identify(fd);
    if (id.inode != 0) sockets.push_back(id);
  }
  return sockets;
}

bool ProcessView::HasEnded() const {
  pollfd event = {.fd = pidfd_, .events = POLLIN, .revents = 0};
  return poll(&event, 1, 0) == 1;
}

void ProcessView::ThrowEnded() const {
  throw SubjectError(absl::StrCat("process ", pid_, " has ended"));
}

void ProcessView::CheckResult(int64_t result, const char* operation) const {
  const int error = errno;
  if (result >= 0) return;
  if (HasEnded()) ThrowEnded();
  errno = error;
  Checked(result, operation);
}

std::vector<int> ProcessView::List(const char* folder) const {
  auto numbers =
      sandbox::ListNumbers(absl::StrCat("/proc/", pid_, "/", folder));
  if (!numbers.ok() && HasEnded()) ThrowEnded();
  return Checked(std::move(numbers));
}

std::optional<std::string> ProcessView::LinkOfDescriptor(int fd) const {
  auto link = sandbox::ReadLink(absl::StrCat(Folder(), "/", fd));
  if (link.ok()) return *std::move(link);
  if (ErrnoOf(link) != ENOENT) return std::nullopt;
  if (HasEnded()) ThrowEnded();
  return "";
}

uint64_t ProcessView::CaughtSignals() const {
  const auto status =
      sandbox::ReadThreadStatus(absl::StrCat("/proc/", pid_, "/status"));
  if (!status.has_value()) ThrowEnded();
  return status->caught;
}

std::vector<Environment::Descriptor> ProcessView::TcpSockets() const {
  std::vector<Environment::Descriptor> sockets;
  for (const DescriptorId& id : Sockets()) {
    const std::optional<int> own = Duplicate(id);
    if (!own.has_value()) continue;
    if (IsTcpSocket(*own)) {
      sockets.push_back({.id = id, .what = DescribeDescriptor(*own)});
    }
    close(*own);
  }
  return sockets;
}

std::optional<int> ProcessView::Duplicate(const DescriptorId& id) const {
  const bool survives_exec = SurvivesExec(pid_, id.fd);
  const int own = static_cast<int>(syscall(SYS_pidfd_getfd, pidfd_, id.fd, 0));
  if (own < 0) return std::nullopt;
  // The process may have closed it and reused the number for another socket.
  if (sandbox::SocketInode("/proc/self/fd", own) != id.inode) {
    close(own);
    return std::nullopt;
  }
  if (survives_exec) Checked(fcntl(own, F_SETFD, 0), "fcntl");
  return own;
}

std::vector<DescriptorId> ProcessView::SurvivorsOfExec() const {
  std::vector<DescriptorId> survivors;
  for (const int fd : List("fd")) {
    if (SurvivesExec(pid_, fd)) survivors.push_back(Identify(fd));
  }
  return survivors;
}

std::string ProcessView::Folder() const {
  return absl::StrCat("/proc/", pid_, "/fd");
}

void ProcessView::LimitDescriptors(std::optional<int> free) const {
  rlimit limit = {};
  CheckResult(prlimit(pid_, RLIMIT_NOFILE, nullptr, &limit), "prlimit");
  limit.rlim_cur = limit_;
  if (free.has_value()) {
    const std::vector<int> open = List("fd");
    limit.rlim_cur = LimitThatLeaves(*free, [&](int fd) {
      return std::binary_search(open.begin(), open.end(), fd);
    });
  }
  CheckResult(prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr), "prlimit");
}

void ProcessView::Interrupt(int signal) const {
  const uint64_t bit = uint64_t{1} << (signal - 1);
  const std::vector<pid_t> threads = calls_.Threads();
  for (const pid_t thread : threads) {
    // The id of a process that has ended may be reused.
    if (HasEnded()) ThrowEnded();
    // A thread may have ended meanwhile.
    const auto sent = syscall(SYS_tgkill, pid_, thread, signal);
    if (sent != 0 && errno != ESRCH) CheckResult(sent, "tgkill");
  }
  // No event reports that a thread has handled a signal, so poll for it. A
  // thread that blocks the signal is not interrupted.
  constexpr useconds_t kBetweenLooks = 100;
  constexpr int kLooks = 30'000;
  int looks = 0;
  for (const pid_t thread : threads) {
    const std::string path =
        absl::StrCat("/proc/", pid_, "/task/", thread, "/status");
    const auto is_pending = [&] {
      const auto status = sandbox::ReadThreadStatus(path);
      return status.has_value() &&
             (status->pending & ~status->blocked & bit) != 0;
    };
    while (is_pending()) {
      if (++looks == kLooks) {
        throw SubjectError(absl::StrCat("thread ", thread, " of the driver ",
                                        "does not handle signal ", signal));
      }
      usleep(kBetweenLooks);
    }
  }
}

std::string ProcessView::Snapshot() const {
  std::string text;
  for (const pid_t thread : calls_.Threads()) {
    const std::string folder = absl::StrCat("/proc/", pid_, "/task/", thread);
    const auto status = sandbox::ReadThreadStatus(folder + "/status");
    if (!status.has_value()) continue;
    // The first number is that of the system call; see syscall(2).
    absl::StrAppend(&text, "  thread ", thread, " ", status->name, ": ",
                    status->sleeps ? "sleeps" : "does not sleep", ", wchan ",
                    sandbox::FirstLineOf(folder + "/wchan"), ", syscall ",
                    sandbox::FirstLineOf(folder + "/syscall"), "\n");
    const auto call = calls_.Read(thread);
    if (call.ok() && call->has_value()) {
      absl::StrAppend(&text, "    ", Describe(**call), "\n");
    }
  }
  for (const Environment::Descriptor& socket : TcpSockets()) {
    absl::StrAppend(&text, "  descriptor ", socket.id.fd, ": ", socket.what,
                    "\n");
  }
  return text;
}

}  // namespace net::conformance
