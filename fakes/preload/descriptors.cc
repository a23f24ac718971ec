#include "fakes/preload/descriptors.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "fakes/call.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/invocation.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/world.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

constexpr absl::Duration kCallTime = absl::Microseconds(1);

// Descriptors above are native: fs.nr_open is not higher by default.
constexpr size_t kNumbers = size_t{1} << 20;
std::array<std::atomic<Kind>, kNumbers> kinds;
std::atomic<int> highest = -1;  // The highest number that was not native.

std::atomic<Kind>* SlotOf(int fd) {
  const auto number = static_cast<size_t>(fd);
  return fd >= 0 && number < kNumbers ? &kinds[number] : nullptr;
}

Kind RawKindOf(int fd) {
  const std::atomic<Kind>* const slot = SlotOf(fd);
  return slot == nullptr ? Kind::kNative
                         : slot->load(std::memory_order_relaxed);
}

void SetKind(int fd, Kind kind) {
  SlotOf(fd)->store(kind, std::memory_order_relaxed);
  int before = highest.load(std::memory_order_relaxed);
  while (before < fd && !highest.compare_exchange_weak(before, fd)) {
  }
}

SysResult ResultOf(int returned) {
  return returned < 0 ? SysResult::Error(errno) : SysResult::Ok(returned);
}

// The calls of this file on native descriptors. The names of the C library are
// those of the hooks, which pass on what the FakeKernel's own code calls.
class NativeCalls {
 private:
  const fake::KernelSection section_;
};

struct Placeholder {
  SysResult fd;
  Kind kind = Kind::kNative;
};

// Makes the placeholder for the descriptor that a call is about to make.
Placeholder MakePlaceholder(const Invocation& invocation) {
  const NativeCalls native;
  if (const auto* const counter = invocation.As<Call::kEventFd>()) {
    return {ResultOf(eventfd(0, counter->flags & EFD_CLOEXEC)), Kind::kCounter};
  }
  if (const auto* const timer = invocation.As<Call::kTimerFdCreate>()) {
    return {
        ResultOf(timerfd_create(CLOCK_MONOTONIC, timer->flags & TFD_CLOEXEC)),
        Kind::kCounter};
  }
  if (const auto* const epoll = invocation.As<Call::kEpollCreate1>()) {
    return {ResultOf(epoll_create1(epoll->flags & EPOLL_CLOEXEC)),
            Kind::kEpoll};
  }
  if (const auto* const dup = invocation.As<Call::kDup>()) {
    return {ResultOf(fcntl(dup->fd, F_DUPFD, 0)), RawKindOf(dup->fd)};
  }
  if (const auto* const control = invocation.As<Call::kFcntl>()) {
    return {ResultOf(fcntl(control->fd, control->command, control->argument)),
            RawKindOf(control->fd)};
  }
  int flags = SOCK_STREAM;
  if (const auto* const made = invocation.As<Call::kSocket>()) {
    flags |= made->type & SOCK_CLOEXEC;
  } else if (const auto* const accepted = invocation.As<Call::kAccept4>()) {
    flags |= accepted->flags & SOCK_CLOEXEC;
  }
  return {ResultOf(socket(AF_UNIX, flags, 0)), Kind::kSocket};
}

void CloseNative(int fd) {
  const NativeCalls native;
  if (std::atomic<Kind>* const slot = SlotOf(fd)) {
    slot->store(Kind::kNative, std::memory_order_relaxed);
  }
  close(fd);
}

}  // namespace

Kind KindOf(int fd, const char* call) {
  const Kind kind = RawKindOf(fd);
  if (kind == Kind::kNative || !IsInCharge()) return Kind::kNative;
  if (kind == Kind::kForeign) RefuseForeign(call, fd);
  return kind;
}

bool IsOwned(int fd) {
  const Kind kind = RawKindOf(fd);
  return kind != Kind::kNative && kind != Kind::kForeign && IsInCharge();
}

void ForgetForeign(int fd) {
  if (RawKindOf(fd) == Kind::kForeign) SetKind(fd, Kind::kNative);
}

void DisownDescriptors() {
  for (int fd = 0; fd <= highest; ++fd) {
    if (RawKindOf(fd) != Kind::kNative) SlotOf(fd)->store(Kind::kForeign);
  }
}

FakeProcessOptions Placeholders::Behind(FakeProcessOptions options) {
  // The native descriptors, of which each has one, are limited.
  options.nofile_limit = 1 << 20;
  options.lowest_descriptor = 1 << 16;
  return options;
}

SysResult Placeholders::MoveTo(int placeholder, int fd) {
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
  {
    const NativeCalls native;
    const SysResult piped = ResultOf(pipe2(numbers.data(), flags & O_CLOEXEC));
    if (!piped.ok()) return piped;
  }
  for (const int number : numbers) SetKind(number, Kind::kPipe);
  SysResult made = make();
  for (size_t i = 0; i < numbers.size() && made.ok(); ++i) {
    made = MoveTo(numbers[i], fds[i]);
    fds[i] = numbers[i];
  }
  if (made.ok()) return SysResult::Ok();
  for (const int number : numbers) CloseNative(number);
  return made;
}

SysResult Placeholders::Intercept(Invocation& invocation,
                                  absl::FunctionRef<SysResult()> make) {
  kernel_.Advance(kCallTime);
  if (invocation.call() == Call::kClose) {
    const SysResult closed = make();
    // Linux frees the number even if close(2) fails, unless it was not open.
    if (closed.error() != EBADF) CloseNative(invocation.fd());
    return closed;
  }
  if (const auto* const dup = invocation.As<Call::kDup3>()) {
    const SysResult duplicated = make();
    if (!duplicated.ok()) return duplicated;
    const NativeCalls native;
    dup3(dup->old_fd, dup->new_fd, dup->flags);
    SetKind(dup->new_fd, RawKindOf(dup->old_fd));
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
  const Placeholder placeholder = MakePlaceholder(invocation);
  if (!placeholder.fd.ok()) {
    if (is_made_first) static_cast<void>(target().Close(made.fd()));
    return placeholder.fd;
  }
  const int number = placeholder.fd.fd();
  SetKind(number, placeholder.kind);
  if (!is_made_first) made = make();
  if (made.ok()) made = MoveTo(number, made.fd());
  if (!made.ok()) CloseNative(number);
  return made;
}

}  // namespace net::preload
