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
#include <ctime>
#include <optional>

#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/streams.h"
#include "fakes/preload/world.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

// Descriptors above are native: fs.nr_open is not higher by default.
constexpr size_t kNumbers = size_t{1} << 20;
// Not of std::atomic: clang would let the loader initialize so many, after the
// World has set some.
constinit std::array<Kind, kNumbers> kinds = {};
std::atomic<int> highest = -1;  // The highest number that was not native.

std::optional<std::atomic_ref<Kind>> SlotOf(int fd) {
  const auto number = static_cast<size_t>(fd);
  if (fd < 0 || number >= kNumbers) return std::nullopt;
  return std::atomic_ref(kinds[number]);
}

Kind RawKindOf(int fd) {
  const auto slot = SlotOf(fd);
  return slot.has_value() ? slot->load(std::memory_order_relaxed)
                          : Kind::kNative;
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

int Open(const PlaceholderSpec& spec) {
  if (spec.original >= 0) {
    return fcntl(spec.original, spec.close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD,
                 spec.lowest);
  }
  switch (spec.kind) {
    case Kind::kCounter:
      return eventfd(0, spec.close_on_exec ? EFD_CLOEXEC : 0);
    case Kind::kTimer:
      return timerfd_create(CLOCK_MONOTONIC,
                            spec.close_on_exec ? TFD_CLOEXEC : 0);
    case Kind::kEpoll:
      return epoll_create1(spec.close_on_exec ? EPOLL_CLOEXEC : 0);
    default:
      return socket(AF_UNIX,
                    SOCK_STREAM | (spec.close_on_exec ? SOCK_CLOEXEC : 0), 0);
  }
}

class ProgramDescriptors final : public NativeDescriptors {
 public:
  SysResult Make(const PlaceholderSpec& spec) override {
    const NativeCalls native;
    const SysResult made = ResultOf(Open(spec));
    if (made.ok()) {
      SetKind(made.fd(),
              spec.original >= 0 ? RawKindOf(spec.original) : spec.kind);
    }
    return made;
  }

  SysResult MakePipe(int* fds, int flags) override {
    const NativeCalls native;
    const SysResult made = ResultOf(pipe2(fds, flags));
    for (int i = 0; i < 2 && made.ok(); ++i) SetKind(fds[i], Kind::kPipe);
    return made;
  }

  void Close(int fd) override {
    const NativeCalls native;
    const auto slot = SlotOf(fd);
    // posix_spawn(3) may have given the number to another file.
    if (slot.has_value() && slot->exchange(Kind::kNative) != Kind::kNative) {
      close(fd);
    }
  }

  void Duplicate(int old_fd, int new_fd, int flags) override {
    const NativeCalls native;
    dup3(old_fd, new_fd, flags);
    SetKind(new_fd, RawKindOf(old_fd));
  }
};

}  // namespace

Kind KindOf(int fd, const char* call) {
  const Kind kind = RawKindOf(fd);
  if (kind == Kind::kNative || !IsInCharge() || kind == Kind::kInternal) {
    return Kind::kNative;
  }
  if (kind == Kind::kForeign) RefuseForeign(call, fd);
  return kind;
}

bool IsOwned(int fd) {
  const Kind kind = RawKindOf(fd);
  return kind != Kind::kNative && kind != Kind::kForeign &&
         kind != Kind::kInternal && IsInCharge();
}

bool IsInternal(int fd) {
  return RawKindOf(fd) == Kind::kInternal && !fake::KernelSection::entered();
}

void SetKind(int fd, Kind kind) {
  SlotOf(fd)->store(kind, std::memory_order_relaxed);
  if (kind == Kind::kSocket || kind == Kind::kPair) HookStandardStream(fd);
  int before = highest.load(std::memory_order_relaxed);
  while (before < fd && !highest.compare_exchange_weak(before, fd)) {
  }
}

Kind KindOfSocket(int fd) {
  const NativeCalls native;
  sockaddr_storage peer = {};
  socklen_t size = sizeof(peer);
  // Only those of pairs are connected. The peer may be closed already.
  const bool is_pair =
      getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
  return is_pair ? Kind::kPair : Kind::kSocket;
}

void ForgetForeign(int fd) {
  if (RawKindOf(fd) == Kind::kForeign) SetKind(fd, Kind::kNative);
}

void DisownDescriptors() {
  for (int fd = 0; fd <= highest; ++fd) {
    if (RawKindOf(fd) != Kind::kNative) SlotOf(fd)->store(Kind::kForeign);
  }
}

void CloseInternal() {
  for (int fd = 0; fd <= highest; ++fd) {
    if (RawKindOf(fd) == Kind::kInternal) OwnDescriptors().Close(fd);
  }
}

NativeDescriptors& OwnDescriptors() {
  static constinit ProgramDescriptors descriptors;
  return descriptors;
}

}  // namespace net::preload
