#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/mixed_wait.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "syscalls/sys_result.h"

NET_NEXT_FUNCTION(epoll_create)
NET_NEXT_FUNCTION(epoll_create1)
NET_NEXT_FUNCTION(epoll_ctl)
NET_NEXT_FUNCTION(epoll_wait)
NET_NEXT_FUNCTION(epoll_pwait)
NET_NEXT_FUNCTION(epoll_pwait2)

namespace net::preload {
namespace {

// Whether a native descriptor was ever added to the placeholder of an epoll. (A
// native descriptor leaves its epoll when it is closed, but no hook sees that.)
// See `kinds` in descriptors.cc.
constinit std::array<bool, size_t{1} << 20> has_natives = {};

std::atomic_ref<bool> HasNatives(int epoll) {
  return std::atomic_ref(has_natives[static_cast<size_t>(epoll)]);
}

int CreateEpoll(int flags) {
  const SysResult made = Sys().EpollCreate1(flags);
  if (made.ok()) HasNatives(made.fd()) = false;
  return Returned(made);
}

int ControlEpoll(int epoll, int operation, int fd, epoll_event* event) {
  if (fd < 0 || IsFake(fd, "epoll_ctl")) {
    return Returned(Sys().EpollCtl(epoll, operation, fd, event));
  }
  const int result = threads::next::epoll_ctl(epoll, operation, fd, event);
  if (result == 0 && operation == EPOLL_CTL_ADD) HasNatives(epoll) = true;
  return result;
}

int AwaitEvents(int epoll, epoll_event* events, int max_events,
                absl::Duration timeout) {
  // The events of the FakeKernel's descriptors come first: they are taken from
  // the edge-triggered ones when they are reported.
  int taken = 0;
  const auto await_fake = [&](absl::Duration time) {
    const timespec spec = absl::ToTimespec(time);
    const SysResult result = Sys().EpollPWait2(
        epoll, events, max_events,
        time == absl::InfiniteDuration() ? nullptr : &spec, nullptr);
    taken = result.ok() ? result.fd() : 0;
    return result;
  };
  const auto await_native = [&](absl::Duration time) {
    if (taken == max_events) return SysResult::Ok();
    const int ready = threads::next::epoll_wait(
        epoll, events + taken, max_events - taken,
        static_cast<int>(absl::ToInt64Milliseconds(time)));
    return ready < 0 ? SysResult::Error(errno) : SysResult::Ok(ready);
  };
  return Returned(Await({.fake = await_fake,
                         .native = await_native,
                         .has_native = HasNatives(epoll)},
                        timeout));
}

absl::Duration TimeoutOf(int timeout_ms) {
  return timeout_ms < 0 ? absl::InfiniteDuration()
                        : absl::Milliseconds(timeout_ms);
}

}  // namespace

void FindNativeMembers(int epoll) {
  // The placeholder has no others. Each has a line (proc_pid_fdinfo(5)).
  std::ifstream file(absl::StrCat("/proc/self/fdinfo/", epoll));
  bool has_member = false;
  for (std::string line; std::getline(file, line);) {
    has_member |= absl::StartsWith(line, "tfd:");
  }
  HasNatives(epoll) = has_member;
}

}  // namespace net::preload

using net::preload::IsFake;
using net::preload::IsInCharge;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int epoll_create1(int flags) noexcept {
  return IsInCharge() ? net::preload::CreateEpoll(flags)
                      : next::epoll_create1(flags);
}

int epoll_create(int size) noexcept {
  if (!IsInCharge() || size <= 0) return next::epoll_create(size);
  return net::preload::CreateEpoll(0);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  if (!IsFake(epoll, "epoll_ctl")) {
    return next::epoll_ctl(epoll, operation, fd, event);
  }
  return net::preload::ControlEpoll(epoll, operation, fd, event);
}

int epoll_wait(int epoll, epoll_event* events, int max_events, int timeout_ms) {
  if (!IsFake(epoll, "epoll_wait")) {
    return next::epoll_wait(epoll, events, max_events, timeout_ms);
  }
  return net::preload::AwaitEvents(epoll, events, max_events,
                                   net::preload::TimeoutOf(timeout_ms));
}

int epoll_pwait(int epoll, epoll_event* events, int max_events, int timeout_ms,
                const sigset_t* mask) {
  if (!IsFake(epoll, "epoll_pwait")) {
    return next::epoll_pwait(epoll, events, max_events, timeout_ms, mask);
  }
  const net::preload::SignalMask masked(mask);
  return net::preload::AwaitEvents(epoll, events, max_events,
                                   net::preload::TimeoutOf(timeout_ms));
}

int epoll_pwait2(int epoll, epoll_event* events, int max_events,
                 const timespec* timeout, const sigset_t* mask) {
  if (!IsFake(epoll, "epoll_pwait2")) {
    return next::epoll_pwait2(epoll, events, max_events, timeout, mask);
  }
  const net::preload::SignalMask masked(mask);
  return net::preload::AwaitEvents(epoll, events, max_events,
                                   timeout == nullptr
                                       ? absl::InfiniteDuration()
                                       : absl::DurationFromTimespec(*timeout));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
