#include "fakes/preload/mixed_wait.h"

#include <algorithm>
#include <cerrno>

#include "absl/time/time.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/world.h"
#include "syscalls/sys_result.h"

namespace net::preload {

SysResult Await(const MixedWait& wait, absl::Duration timeout) {
  if (!wait.has_native) return wait.fake(timeout);
  const absl::Duration deadline = CurrentMachine().Now() + timeout;
  const int arrived = signal_counts.arrived;
  for (;;) {
    if (signal_counts.arrived != arrived) return SysResult::Error(EINTR);
    const SysResult fake = wait.fake(absl::ZeroDuration());
    if (!fake.ok()) return fake;
    SysResult native = wait.native(absl::ZeroDuration());
    if (!native.ok()) return fake.value() > 0 ? fake : native;
    const int64_t ready = fake.value() + native.value();
    if (ready > 0 || CurrentMachine().Now() >= deadline)
      return SysResult::Ok(ready);
    Outside([&] { native = wait.native(NativeWait()); });
    if (!native.ok() || native.value() > 0) return native;
    // Without an event, only a native descriptor can end the wait.
    const absl::Duration next =
        std::min(deadline, CurrentMachine().NextTimer());
    if (next == absl::InfiniteDuration()) continue;
    const SysResult later = wait.fake(
        std::max(absl::ZeroDuration(), next - CurrentMachine().Now()));
    if (!later.ok() || later.value() > 0) return later;
  }
}

}  // namespace net::preload
