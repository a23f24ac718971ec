#include "conformance/driver_host/turns.h"

#include "conformance/driver_host/driver.h"
#include "syscalls/mutex.h"

namespace net::conformance {

Turn::Turn(Turns& turns, const Driver& driver)
    : turns_(driver.hello().one_operation ? &turns : nullptr) {
  if (turns_ == nullptr) return;
  while (true) {
    {
      const MutexLock lock(turns_->mutex);
      taken_ = !turns_->busy;
      turns_->busy = true;
    }
    // Nothing tells when a process begins to wait: it is looked at.
    if (taken_ || driver.IsBlockedByCommand()) return;
  }
}

Turn::~Turn() {
  if (turns_ == nullptr || !taken_) return;
  const MutexLock lock(turns_->mutex);
  turns_->busy = false;
}

}  // namespace net::conformance
