#include "fakes/fault_injector.h"

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "fakes/call.h"
#include "fakes/intercepting_syscalls.h"
#include "fakes/invocation.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"

namespace net {

std::string Fault::ToString() const {
  return absl::StrCat(CallName(call), "#", nth, "=", ErrnoSymbol(error),
                      when == When::kAfter ? " after" : "");
}

std::ostream& operator<<(std::ostream& os, const Fault& fault) {
  return os << fault.ToString();
}

void FaultInjector::Fail(Call call, int nth, int error, When when) {
  MutexLock lock(mutex_);
  unfired_.push_back({call, nth, error, when});
}

int FaultInjector::count(Call call) const {
  MutexLock lock(mutex_);
  return counts_[static_cast<size_t>(call)];
}

std::vector<Fault> FaultInjector::Unfired() const {
  MutexLock lock(mutex_);
  return unfired_;
}

std::vector<int> FaultInjector::OpenDescriptors() const {
  MutexLock lock(mutex_);
  return std::vector<int>(open_.begin(), open_.end());
}

int FaultInjector::StrayCloses() const {
  MutexLock lock(mutex_);
  return stray_closes_;
}

SysResult FaultInjector::Intercept(Invocation& invocation,
                                   absl::FunctionRef<SysResult()> make) {
  const Fault fault = Enter(invocation);
  if (fault.error == 0) {
    const SysResult result = make();
    if (result.ok()) NoteMade(invocation, result);
    return result;
  }
  if (fault.when == When::kAfter) {
    const SysResult result = make();
    if (result.ok()) Undo(invocation, result);
  }
  return SysResult::Error(fault.error);
}

Fault FaultInjector::Enter(const Invocation& invocation) {
  MutexLock lock(mutex_);
  // Erases the descriptor before the call: after it, the number can already be
  // another thread's new descriptor.
  if (invocation.call() == Call::kClose && open_.erase(invocation.fd()) == 0 &&
      invocation.fd() >= 0) {
    ++stray_closes_;
  }
  const int nth = ++counts_[static_cast<size_t>(invocation.call())];
  const auto it = std::find_if(
      unfired_.begin(), unfired_.end(), [&](const Fault& candidate) {
        return candidate.call == invocation.call() && candidate.nth == nth;
      });
  if (it == unfired_.end()) return Fault();
  const Fault fault = *it;
  unfired_.erase(it);
  return fault;
}

void FaultInjector::NoteMade(const Invocation& invocation, SysResult result) {
  if (!invocation.makes_descriptor() &&
      invocation.pipe_descriptors() == nullptr) {
    return;
  }
  MutexLock lock(mutex_);
  if (invocation.makes_descriptor()) {
    open_.insert(result.fd());
  } else {
    open_.insert(invocation.pipe_descriptors()[0]);
    open_.insert(invocation.pipe_descriptors()[1]);
  }
}

void FaultInjector::Undo(const Invocation& invocation, SysResult result) {
  std::vector<int> made;
  if (invocation.makes_descriptor()) {
    made = {result.fd()};
  } else if (invocation.pipe_descriptors() != nullptr) {
    made = {invocation.pipe_descriptors()[0], invocation.pipe_descriptors()[1]};
  }
  for (const int fd : made) {
    {
      MutexLock lock(mutex_);
      open_.erase(fd);  // dup3's new descriptor may be recorded.
    }
    // The descriptor is closed even if close(2) fails.
    static_cast<void>(target().Close(fd));
  }
}

}  // namespace net
