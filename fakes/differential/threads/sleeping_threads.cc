#include "fakes/differential/threads/sleeping_threads.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/error.h"

namespace net::differential {
namespace {

constexpr int64_t kWaitForSockets[] = {
    SYS_accept4,
    SYS_connect,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_read,
    SYS_readv,
    SYS_sendto,
    SYS_sendmsg,
    SYS_write,
    SYS_writev,
    SYS_splice,
    SYS_sendfile,
    // They wait for a splice(2) that has the lock of a pipe.
    SYS_close,
    SYS_dup3,
    SYS_ioctl,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_ppoll,
};

absl::StatusOr<int> OpenFile(pid_t thread, absl::string_view name) {
  const std::string path = absl::StrCat("/proc/self/task/", thread, "/", name);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, path);
  return fd;
}

// Returns the first line, or "" if the thread has ended.
std::string ReadLine(int fd) {
  char buffer[256];
  const ssize_t size = pread(fd, buffer, sizeof(buffer), 0);
  if (size <= 0) return "";
  const absl::string_view all(buffer, static_cast<size_t>(size));
  return std::string(all.substr(0, all.find('\n')));
}

}  // namespace

absl::StatusOr<SleepReader> SleepReader::Open(pid_t thread) {
  const absl::StatusOr<int> syscall = OpenFile(thread, "syscall");
  if (!syscall.ok()) return syscall.status();
  const absl::StatusOr<int> schedstat = OpenFile(thread, "schedstat");
  if (!schedstat.ok()) {
    close(*syscall);
    return schedstat.status();
  }
  return SleepReader(*syscall, *schedstat);
}

SleepReader::SleepReader(SleepReader&& other) noexcept
    : syscall_(std::exchange(other.syscall_, -1)),
      schedstat_(std::exchange(other.schedstat_, -1)) {}

SleepReader::~SleepReader() {
  if (syscall_ < 0) return;
  close(syscall_);
  close(schedstat_);
}

std::optional<std::string> SleepReader::Sleeps() const {
  // The line begins with the number of the call, and is "running" while the
  // thread can run.
  const std::string line = ReadLine(syscall_);
  int64_t number = -1;
  if (!absl::SimpleAtoi(line.substr(0, line.find(' ')), &number) ||
      std::find(std::begin(kWaitForSockets), std::end(kWaitForSockets),
                number) == std::end(kWaitForSockets)) {
    return std::nullopt;
  }
  // Times in nanoseconds on and for a processor, and how often it had one.
  const std::string times = ReadLine(schedstat_);
  return times.substr(times.rfind(' ') + 1);
}

}  // namespace net::differential
