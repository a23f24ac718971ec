#include <poll.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>

#include "absl/time/time.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/participant.h"
#include "fakes/preload/native.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "fakes/threads/virtual_time.h"
#include "syscalls/sys_result.h"

// Functions that wait for a signal. Linux delivers it; virtual time passes
// meanwhile, so that it can be that of a timer.

NET_NEXT_FUNCTION(pause)
NET_NEXT_FUNCTION(sigsuspend)
NET_NEXT_FUNCTION(sigwait)
NET_NEXT_FUNCTION(sigwaitinfo)
NET_NEXT_FUNCTION(sigtimedwait)

namespace net::preload {
namespace {

using fake::ParticipantState;

// Returns the participant that is to wait in virtual time, or null.
ParticipantState* Self() {
  return IsInCharge() ? fake::CurrentParticipant() : nullptr;
}

// Waits for a signal with a handler, with the mask (null: the present one).
int AwaitHandler(ParticipantState& self, const char* call,
                 const sigset_t* mask) {
  const SignalMask masked(mask);
  const SysResult result = AwaitInRounds(
      self, call, absl::InfiniteDuration(),
      [&](absl::Duration time) { return PollNative(nullptr, 0, time); });
  errno = result.error();
  return -1;
}

// Takes a signal of the set, or waits for one. Fails with EAGAIN after the
// timeout, and with EINTR after the handler of another signal.
int AwaitPending(ParticipantState& self, const char* call, const sigset_t* set,
                 siginfo_t* info, absl::Duration timeout) {
  const auto take = [&](absl::Duration limit) {
    const timespec time = absl::ToTimespec(limit);
    const int signal = threads::next::sigtimedwait(set, info, &time);
    if (signal < 0 && errno == EAGAIN) return SysResult::Ok();
    return signal < 0 ? SysResult::Error(errno) : SysResult::Ok(signal);
  };
  const SysResult taken = AwaitInRounds(self, call, timeout, take);
  return Returned(taken.ok() && taken.value() == 0 ? SysResult::Error(EAGAIN)
                                                   : taken);
}

}  // namespace
}  // namespace net::preload

using net::preload::AwaitPending;
using net::preload::RunNative;
using net::preload::Self;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int pause() {
  net::fake::ParticipantState* const self = Self();
  if (self == nullptr) return next::pause();
  return net::preload::AwaitHandler(*self, "pause", nullptr);
}

int sigsuspend(const sigset_t* mask) {
  net::fake::ParticipantState* const self = Self();
  if (self == nullptr) return next::sigsuspend(mask);
  return net::preload::AwaitHandler(*self, "sigsuspend", mask);
}

int sigwait(const sigset_t* set, int* signal) {
  net::fake::ParticipantState* const self = Self();
  if (self == nullptr) {
    return RunNative([&] { return next::sigwait(set, signal); });
  }
  const int error = errno;
  int taken = -1;
  do {
    taken =
        AwaitPending(*self, "sigwait", set, nullptr, absl::InfiniteDuration());
  } while (taken < 0 && errno == EINTR);
  if (taken < 0) return errno;
  errno = error;
  *signal = taken;
  return 0;
}

int sigwaitinfo(const sigset_t* set, siginfo_t* info) {
  net::fake::ParticipantState* const self = Self();
  if (self == nullptr) {
    return RunNative([&] { return next::sigwaitinfo(set, info); });
  }
  return AwaitPending(*self, "sigwaitinfo", set, info,
                      absl::InfiniteDuration());
}

int sigtimedwait(const sigset_t* set, siginfo_t* info,
                 const timespec* timeout) {
  net::fake::ParticipantState* const self = Self();
  const auto duration = timeout == nullptr ? std::optional(net::fake::kForever)
                                           : net::threads::ToDuration(*timeout);
  const bool is_valid =
      duration.has_value() && (timeout == nullptr || timeout->tv_sec >= 0);
  if (self == nullptr || !is_valid) {
    return RunNative([&] { return next::sigtimedwait(set, info, timeout); });
  }
  return AwaitPending(*self, "sigtimedwait", set, info,
                      *duration == net::fake::kForever
                          ? absl::InfiniteDuration()
                          : absl::Nanoseconds(*duration));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
