#ifndef FAKES_PRELOAD_KERNEL_MACHINE_H_
#define FAKES_PRELOAD_KERNEL_MACHINE_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/preload/machine.h"

namespace net::preload {

// The Machine of a FakeKernel in the same process, which must outlive it.
class KernelMachine final : public Machine {
 public:
  explicit KernelMachine(FakeKernel& kernel) : kernel_(kernel) {}

  absl::Duration Now() override { return kernel_.Now(); }
  absl::Duration NextTimer() override {
    kernel_.Advance(absl::ZeroDuration());
    const std::vector<absl::Duration> timers = kernel_.Timers();
    return timers.empty() ? absl::InfiniteDuration() : timers.front();
  }
  void Outside(absl::FunctionRef<void()> body) override {
    kernel_.Outside(body);
  }

 private:
  FakeKernel& kernel_;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_KERNEL_MACHINE_H_
