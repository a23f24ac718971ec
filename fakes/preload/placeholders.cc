#include "fakes/preload/placeholders.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/invocation.h"
#include "fakes/preload/native_descriptors.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

constexpr absl::Duration kCallTime = absl::Microseconds(1);

// Returns the placeholder for the descriptor that a call is about to make.
PlaceholderSpec SpecFor(const Invocation& invocation) {
  if (const auto* const counter = invocation.As<Call::kEventFd>()) {
    return {.kind = Kind::kCounter,
            .close_on_exec = (counter->flags & EFD_CLOEXEC) != 0};
  }
  if (const auto* const timer = invocation.As<Call::kTimerFdCreate>()) {
    return {.kind = Kind::kTimer,
            .close_on_exec = (timer->flags & TFD_CLOEXEC) != 0};
  }
  if (const auto* const epoll = invocation.As<Call::kEpollCreate1>()) {
    return {.kind = Kind::kEpoll,
            .close_on_exec = (epoll->flags & EPOLL_CLOEXEC) != 0};
  }
  if (const auto* const dup = invocation.As<Call::kDup>()) {
    return {.original = dup->fd};
  }
  if (const auto* const control = invocation.As<Call::kFcntl>()) {
    return {.close_on_exec = control->command == F_DUPFD_CLOEXEC,
            .original = control->fd,
            .lowest = control->argument};
  }
  int flags = 0;
  if (const auto* const made = invocation.As<Call::kSocket>()) {
    flags = made->type;
  } else if (const auto* const accepted = invocation.As<Call::kAccept4>()) {
    flags = accepted->flags;
  }
  return {.kind = Kind::kSocket, .close_on_exec = (flags & SOCK_CLOEXEC) != 0};
}

}  // namespace

FakeProcessOptions Placeholders::Behind(FakeProcessOptions options) {
  // The native descriptors, of which each has one, are limited.
  options.nofile_limit = 1 << 20;
  options.lowest_descriptor = 1 << 16;
  return options;
}

SysResult Placeholders::Renumber(int placeholder, int fd) {
  if (fd == placeholder) return SysResult::Ok(fd);
  const SysResult flags = target().Fcntl(fd, F_GETFD, 0);
  const bool close_on_exec = flags.ok() && (flags.value() & FD_CLOEXEC) != 0;
  const SysResult moved =
      target().Dup3(fd, placeholder, close_on_exec ? O_CLOEXEC : 0);
  const SysResult closed = target().Close(fd);
  return moved.ok() && !closed.ok() ? closed : moved;
}

SysResult Placeholders::MakePipe(int* fds, int flags,
                                 absl::FunctionRef<SysResult()> make) {
  std::array<int, 2> numbers = {};
  const SysResult piped = natives_->MakePipe(numbers.data(), flags & O_CLOEXEC);
  if (!piped.ok()) return piped;
  SysResult made = make();
  for (size_t i = 0; i < numbers.size() && made.ok(); ++i) {
    made = Renumber(numbers[i], fds[i]);
    fds[i] = numbers[i];
  }
  if (made.ok()) return SysResult::Ok();
  for (const int number : numbers) natives_->Close(number);
  return made;
}

SysResult Placeholders::Intercept(Invocation& invocation,
                                  absl::FunctionRef<SysResult()> make) {
  kernel_.Advance(kCallTime);
  if (invocation.call() == Call::kClose) {
    const SysResult closed = make();
    // Linux frees the number even if close(2) fails, unless it was not open.
    if (closed.error() != EBADF) natives_->Close(invocation.fd());
    return closed;
  }
  if (const auto* const dup = invocation.As<Call::kDup3>()) {
    const SysResult duplicated = make();
    if (duplicated.ok()) {
      natives_->Duplicate(dup->old_fd, dup->new_fd, dup->flags);
    }
    return duplicated;
  }
  if (const auto* const pipe = invocation.As<Call::kPipe2>()) {
    return MakePipe(pipe->fds, pipe->flags, make);
  }
  if (!invocation.makes_descriptor()) return make();
  // Linux checks the arguments of socket(2) before RLIMIT_NOFILE, and
  // RLIMIT_NOFILE before accept4(2) waits.
  const bool is_made_first = invocation.call() == Call::kSocket;
  SysResult made = is_made_first ? make() : SysResult::Ok();
  if (!made.ok()) return made;
  const SysResult placeholder = natives_->Make(SpecFor(invocation));
  if (!placeholder.ok()) {
    if (is_made_first) static_cast<void>(target().Close(made.fd()));
    return placeholder;
  }
  if (!is_made_first) made = make();
  if (made.ok()) made = Renumber(placeholder.fd(), made.fd());
  if (!made.ok()) natives_->Close(placeholder.fd());
  return made;
}

}  // namespace net::preload
