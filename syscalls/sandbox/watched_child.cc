#include "syscalls/sandbox/watched_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/child.h"
#include "syscalls/sandbox/wait_status.h"

namespace net::sandbox {
namespace {

// The most bytes that are read of a report. Real reports have a few kilobytes.
constexpr size_t kMaxReport = size_t{64} << 20;

// Is noexcept, because an exception must not reach the parent's code.
[[noreturn]] void RunBody(absl::FunctionRef<void(int report)> body,
                          int report) noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  body(report);
  _exit(0);
}

}  // namespace

absl::StatusOr<WatchedChild> WatchedChild::Start(
    absl::FunctionRef<void(int report)> body) {
  std::array<int, 2> ends = {};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError(errno, "pipe2");
  WatchedChild child(ends[0]);
  const absl::Cleanup close_write_end = [&] { close(ends[1]); };
  if (fcntl(child.pipe_, F_SETFL, O_NONBLOCK) != 0) {
    return ErrnoError(errno, "fcntl");
  }
  const absl::StatusOr<pid_t> pid = ForkChild();
  if (!pid.ok()) return pid.status();
  if (*pid == 0) {
    child.CloseDescriptors();
    RunBody(body, ends[1]);
  }
  child.pid_ = *pid;
  child.pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, *pid, 0));
  if (child.pidfd_ < 0) return ErrnoError(errno, "pidfd_open");
  return child;
}

WatchedChild::WatchedChild(WatchedChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pipe_(std::exchange(other.pipe_, -1)),
      pidfd_(std::exchange(other.pidfd_, -1)),
      pipe_ended_(other.pipe_ended_),
      report_(std::move(other.report_)) {}

WatchedChild& WatchedChild::operator=(WatchedChild&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pipe_, other.pipe_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(pipe_ended_, other.pipe_ended_);
  std::swap(report_, other.report_);
  return *this;
}

WatchedChild::~WatchedChild() {
  if (pid_ > 0) static_cast<void>(Kill());
  CloseDescriptors();
}

std::array<pollfd, 2> WatchedChild::Events() const {
  return {{{.fd = pipe_ended_ ? -1 : pipe_, .events = POLLIN, .revents = 0},
           {.fd = pidfd_, .events = POLLIN, .revents = 0}}};
}

absl::Status WatchedChild::Read() {
  std::array<char, 65536> buffer;
  ssize_t got = 0;
  while (report_.size() < kMaxReport &&
         (got = read(pipe_, buffer.data(), buffer.size())) > 0) {
    report_.append(buffer.data(), static_cast<size_t>(got));
  }
  if (got >= 0) pipe_ended_ = true;
  if (got < 0 && errno != EAGAIN && errno != EINTR) {
    return ErrnoError(errno, "read");
  }
  return absl::OkStatus();
}

int WatchedChild::Reap() { return ReapChild(std::exchange(pid_, -1)); }

int WatchedChild::Kill() {
  kill(-pid_, SIGKILL);
  return Reap();
}

absl::StatusOr<int> WatchedChild::Await() {
  while (true) {
    std::array<pollfd, 2> events = Events();
    if (poll(events.data(), events.size(), /*timeout=*/-1) < 0) {
      if (errno == EINTR) continue;
      return ErrnoError(errno, "poll");
    }
    if (absl::Status status = Read(); !status.ok()) return status;
    if (events[1].revents != 0) return Reap();
  }
}

void WatchedChild::CloseInChild() {
  pid_ = -1;
  CloseDescriptors();
}

void WatchedChild::CloseDescriptors() {
  for (int* fd : {&pipe_, &pidfd_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

bool WriteReport(int report, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(report, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

absl::StatusOr<std::string> RunInChild(absl::FunctionRef<std::string()> body) {
  absl::StatusOr<WatchedChild> child = WatchedChild::Start([body](int report) {
    if (!WriteReport(report, body())) _exit(1);
  });
  if (!child.ok()) return child.status();
  const absl::StatusOr<int> status = child->Await();
  if (!status.ok()) return status.status();
  if (*status != 0) return absl::AbortedError(DescribeWaitStatus(*status));
  return child->report();
}

}  // namespace net::sandbox
