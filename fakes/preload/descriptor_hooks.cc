#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "fakes/preload/descriptors.h"
#include "fakes/preload/streams.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "syscalls/sys_result.h"

// fcntl(2) and ioctl(2) with the argument that they can have. The C library
// reads the argument even if the caller passed none, and so does the hook.
// Reading a register that holds no argument is harmless.
using FcntlFunction = int(int fd, int command, intptr_t argument);
using IoctlFunction = int(int fd, uint64_t request, intptr_t argument);
extern "C" FcntlFunction FcntlHook __asm__("fcntl");
extern "C" FcntlFunction Fcntl64Hook __asm__("fcntl64");
extern "C" IoctlFunction IoctlHook __asm__("ioctl");

NET_NEXT_FUNCTION(close)
NET_NEXT_FUNCTION(close_range)
NET_NEXT_FUNCTION(dup)
NET_NEXT_FUNCTION(dup2)
NET_NEXT_FUNCTION(dup3)
NET_NEXT_FUNCTION(fdopen)

namespace net::preload {
namespace {

constinit threads::Next next_fcntl(static_cast<FcntlFunction*>(nullptr),
                                   "fcntl");
constinit threads::Next next_ioctl(static_cast<IoctlFunction*>(nullptr),
                                   "ioctl");

// Sets FD_CLOEXEC on the placeholder, too, because execve(2) looks at the
// placeholder.
int Control(int fd, int command, intptr_t argument) {
  const SysResult result = Sys().Fcntl(fd, command, argument);
  if (command == F_SETFD && result.ok()) {
    next_fcntl(fd, F_SETFD, argument);
  }
  return Returned(result);
}

// dup2(2) and dup3(2), for two numbers of which at least one belongs to the
// FakeKernel.
int DuplicateTo(int fd, int new_fd, int flags) {
  if (IsOwned(fd)) return Returned(Sys().Dup3(fd, new_fd, flags));
  if (next_fcntl(fd, F_GETFD, 0) < 0) return -1;  // EBADF closes nothing.
  static_cast<void>(Sys().Close(new_fd));
  return threads::next::dup3(fd, new_fd, flags);
}

// A descriptor that the program has not opened.
int FailAsClosed() {
  errno = EBADF;
  return -1;
}

}  // namespace
}  // namespace net::preload

using net::preload::IsFake;
using net::preload::IsInCharge;
using net::preload::IsInternal;
using net::preload::IsOwned;
using net::preload::Returned;
using net::preload::Sys;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.

int FcntlHook(int fd, int command, intptr_t argument) {
  if (!IsOwned(fd)) {
    return net::preload::next_fcntl(fd, command, argument);
  }
  return net::preload::Control(fd, command, argument);
}

int Fcntl64Hook(int fd, int command, intptr_t argument) {
  return FcntlHook(fd, command, argument);
}

int IoctlHook(int fd, uint64_t request, intptr_t argument) {
  if (!IsFake(fd, "ioctl")) {
    return net::preload::next_ioctl(fd, request, argument);
  }
  return Returned(Sys().Ioctl(fd, request, argument));
}

extern "C" {

int close(int fd) {
  if (IsOwned(fd)) return Returned(Sys().Close(fd));
  if (IsInternal(fd)) return net::preload::FailAsClosed();
  net::preload::ForgetForeign(fd);
  return next::close(fd);
}

int close_range(unsigned first, unsigned last, int flags) noexcept {
  constexpr unsigned kHighest = (1U << 20) - 1;
  for (unsigned fd = first; IsInCharge() && fd <= std::min(last, kHighest);
       ++fd) {
    const int number = static_cast<int>(fd);
    if (IsInternal(number)) {
      if (fd > first) next::close_range(first, fd - 1, flags);
      if (fd == last) return 0;
      first = fd + 1;
      continue;
    }
    if (!IsOwned(number)) {
      if ((static_cast<unsigned>(flags) & CLOSE_RANGE_CLOEXEC) == 0) {
        net::preload::ForgetForeign(number);
      }
      continue;
    }
    static_cast<void>((static_cast<unsigned>(flags) & CLOSE_RANGE_CLOEXEC) != 0
                          ? Sys().Fcntl(number, F_SETFD, FD_CLOEXEC)
                          : Sys().Close(number));
  }
  return next::close_range(first, last, flags);
}

void closefrom(int lowest) noexcept {
  close_range(static_cast<unsigned>(std::max(lowest, 0)), ~0U, 0);
}

int dup(int fd) noexcept {
  if (IsInternal(fd)) return net::preload::FailAsClosed();
  if (!IsOwned(fd)) return next::dup(fd);
  return Returned(Sys().Dup(fd));
}

int dup2(int fd, int new_fd) noexcept {
  if (IsInternal(fd) || IsInternal(new_fd)) {
    return net::preload::FailAsClosed();
  }
  if (fd == new_fd || (!IsOwned(fd) && !IsOwned(new_fd))) {
    net::preload::ForgetForeign(new_fd);
    return next::dup2(fd, new_fd);
  }
  return net::preload::DuplicateTo(fd, new_fd, 0);
}

int dup3(int fd, int new_fd, int flags) noexcept {
  if (IsInternal(fd) || IsInternal(new_fd)) {
    return net::preload::FailAsClosed();
  }
  if (fd == new_fd || (!IsOwned(fd) && !IsOwned(new_fd))) {
    net::preload::ForgetForeign(new_fd);
    return next::dup3(fd, new_fd, flags);
  }
  return net::preload::DuplicateTo(fd, new_fd, flags);
}

FILE* fdopen(int fd, const char* mode) noexcept {
  if (!IsFake(fd, "fdopen")) return next::fdopen(fd, mode);
  return net::preload::OpenStream(fd, mode);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
