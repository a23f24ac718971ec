#include "fakes/preload/native.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/waiting.h"
#include "fakes/preload/mixed_wait.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "syscalls/sys_result.h"

NET_NEXT_FUNCTION(ppoll)

namespace net::preload {
namespace {

using fake::ParticipantState;

// Returns whether a handler of a signal ends read(2) with EINTR, in a program
// whose handlers are not hooked. Linux does not reveal which handler has run,
// so it is one of those that are installed.
bool HandlersInterrupt() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action = {};
    if (sigaction(signal, nullptr, &action) != 0) continue;
    const bool handled =
        action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
    if (handled && (action.sa_flags & SA_RESTART) == 0) return true;
  }
  return false;
}

// Returns whether a signal that has ended a native call since `before` ends a
// restartable call of the program.
bool EndsCall(const SignalCounts& before) {
  if (signal_counts.arrived == before.arrived) return HandlersInterrupt();
  return signal_counts.interrupting != before.interrupting;
}

}  // namespace

SysResult AwaitInRounds(
    ParticipantState& self, const char* call, absl::Duration timeout,
    absl::FunctionRef<SysResult(absl::Duration timeout)> native) {
  const auto sleep = [&](absl::Duration time) {
    if (time <= absl::ZeroDuration()) return SysResult::Ok();
    fake::ObjectWait wait(
        self, call, /*object=*/nullptr, /*holder=*/nullptr,
        fake::VirtualTime(self) + absl::ToInt64Nanoseconds(time));
    switch (wait.Block()) {
      case fake::Woken::kDeadlock:
        return SysResult::Error(EDEADLK);
      case fake::Woken::kSignal:
      case fake::Woken::kRestart:
        return SysResult::Error(EINTR);
      case fake::Woken::kEvent:
      case fake::Woken::kTimeout:
        break;
    }
    return SysResult::Ok();
  };
  return Await({.fake = sleep, .native = native, .has_native = true}, timeout);
}

SysResult PollNative(pollfd* fds, nfds_t count, absl::Duration timeout) {
  const timespec time = absl::ToTimespec(timeout);
  const int ready = threads::next::ppoll(fds, count, &time, nullptr);
  return ready < 0 ? SysResult::Error(errno) : SysResult::Ok(ready);
}

bool IsReady(int fd, int16_t events) {
  if (fd < 0) return false;
  const int error = errno;
  const fake::KernelSection section;  // The hook of poll(2) passes it on.
  pollfd one = {.fd = fd, .events = events, .revents = 0};
  const bool ready = poll(&one, 1, 0) != 0;
  errno = error;
  return ready;
}

bool WouldBlock(int fd, int16_t events) {
  if (IsReady(fd, events)) return false;
  const int error = errno;
  const fake::KernelSection section;  // The hook of fcntl(2) passes it on.
  const int flags = fcntl(fd, F_GETFL);
  errno = error;
  return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

int AwaitNative(const char* call, int fd, int16_t events) {
  ParticipantState* const self = fake::CurrentParticipant();
  if (self == nullptr) return 0;
  for (;;) {
    const SignalCounts before = signal_counts;
    pollfd one = {.fd = fd, .events = events, .revents = 0};
    const SysResult result = AwaitInRounds(
        *self, call, absl::InfiniteDuration(),
        [&](absl::Duration time) { return PollNative(&one, 1, time); });
    if (result.error() != EINTR || EndsCall(before)) return result.error();
  }
}

}  // namespace net::preload
