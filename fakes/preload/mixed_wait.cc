#include "fakes/preload/mixed_wait.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "absl/time/time.h"
#include "fakes/kernel/participant.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/world.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

// Await(), if there is a native half.
SysResult AwaitBoth(const MixedWait& wait, absl::Duration timeout) {
  fake::ParticipantState* const self = fake::CurrentParticipant();
  const absl::Duration deadline = CurrentMachine().Now() + timeout;
  const int arrived = signal_counts.arrived;
  uint64_t activity = 0;
  bool was_polled = false;
  for (;;) {
    if (signal_counts.arrived != arrived || HasHeldSignal()) {
      return SysResult::Error(EINTR);
    }
    const SysResult fake = wait.fake(absl::ZeroDuration());
    if (!fake.ok()) return fake;
    SysResult native = wait.native(absl::ZeroDuration());
    if (!native.ok()) return fake.value() > 0 ? fake : native;
    const int64_t ready = fake.value() + native.value();
    if (ready > 0 || CurrentMachine().Now() >= deadline) {
      return SysResult::Ok(ready);
    }
    // The others may have run, and have made a descriptor ready.
    if (self != nullptr && fake::AwaitIdle(*self, NativeWait(), activity)) {
      was_polled = false;
      continue;
    }
    if (!was_polled) {
      Outside([&] { native = wait.native(NativeWait()); });
      if (!native.ok() || native.value() > 0) return native;
      was_polled = true;
      continue;
    }
    was_polled = false;
    // Without an event, only a native descriptor can end the wait.
    const absl::Duration next =
        std::min(deadline, CurrentMachine().NextTimer());
    if (next == absl::InfiniteDuration()) continue;
    const SysResult later = wait.fake(
        std::max(absl::ZeroDuration(), next - CurrentMachine().Now()));
    if (!later.ok() || later.value() > 0) return later;
  }
}

}  // namespace

SysResult Await(const MixedWait& wait, absl::Duration timeout) {
  if (!wait.has_native) return wait.fake(timeout);
  const SysResult result = AwaitBoth(wait, timeout);
  fake::ParticipantState* const self = fake::CurrentParticipant();
  if (self != nullptr) fake::NoteActivity(*self);
  return result;
}

}  // namespace net::preload
