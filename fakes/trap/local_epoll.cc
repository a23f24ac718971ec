#include "fakes/trap/local_epoll.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <optional>
#include <thread>

namespace net::trap {
namespace {

constexpr unsigned int kLast = std::numeric_limits<unsigned int>::max();

// Gives the calling thread a copy of the table of descriptors, as far as
// `last`. Not unshare(2), which sandboxes often forbid.
bool OwnTable(int last) {
  return syscall(SYS_close_range, static_cast<unsigned int>(last) + 1, kLast,
                 CLOSE_RANGE_UNSHARE) == 0;
}

// Closes all descriptors of the thread's own table. Without it they are closed
// some time after the thread was joined, and keep the target's files open.
void CloseAll() { syscall(SYS_close_range, 0U, kLast, 0U); }

// Gives `fd` the number `number`. `other` keeps what it refers to.
bool Renumber(int fd, int number, int& other) {
  if (fd == number) return true;
  if (other == number) other = fcntl(other, F_DUPFD_CLOEXEC, 0);
  return other >= 0 && syscall(SYS_dup3, fd, number, O_CLOEXEC) == number;
}

}  // namespace

std::optional<int64_t> EpollCtlAs(int number, int epoll, int operation,
                                  int duplicate, epoll_event* event) {
  std::optional<int64_t> result;
  // Raw calls, which the sanitizers do not take for calls on the table that
  // they know.
  std::thread([&] {
    if (!OwnTable(std::max(epoll, duplicate))) return;
    if (Renumber(duplicate, number, epoll)) {
      const int64_t returned =
          syscall(SYS_epoll_ctl, epoll, operation, number, event);
      result = returned < 0 ? -errno : returned;
    }
    CloseAll();
  }).join();
  return result;
}

}  // namespace net::trap
