#include "conformance/environments/hooked/hooked_environment.h"

#include <fcntl.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/environments/fake/fake_environment.h"
#include "conformance/environments/linux/linux_descriptors.h"
#include "conformance/suite/environment.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/kernel_machine.h"
#include "fakes/preload/placeholders.h"
#include "fakes/preload/world.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// The World of the hooked environment, of which a process has one at a time.
preload::World world = {};

// Ends the trial when it is destroyed before its body has returned, as a
// LinuxTask does. There is no way to end the wait of a function of the C
// library.
class HookedTask final : public Task {
 public:
  HookedTask(std::unique_ptr<Task> task, const std::function<void()>& abandon)
      : task_(std::move(task)), abandon_(abandon) {}
  HookedTask(const HookedTask&) = delete;
  HookedTask& operator=(const HookedTask&) = delete;
  ~HookedTask() override {
    if (task_->AwaitBlocked()) abandon_();
  }

  void Join() override { task_->Join(); }
  bool AwaitBlocked() override { return task_->AwaitBlocked(); }
  void Interrupt() override { task_->Interrupt(); }

 private:
  const std::unique_ptr<Task> task_;
  const std::function<void()>& abandon_;
};

class HookedEnvironment final : public FakeEnvironment {
 public:
  HookedEnvironment(const FakeEnvironmentOptions& options,
                    std::function<void()> abandon)
      : FakeEnvironment(options,
                        preload::Placeholders::Behind(ProcessOptions())),
        abandon_(std::move(abandon)) {
    world = {.sys = &placeholders_, .machine = &machine_};
    preload::PutInCharge(&world);
  }
  HookedEnvironment(const HookedEnvironment&) = delete;
  HookedEnvironment& operator=(const HookedEnvironment&) = delete;
  ~HookedEnvironment() override { preload::PutInCharge(nullptr); }

  Syscalls& syscalls() override { return placeholders_; }

  std::unique_ptr<Task> Start(std::function<void()> body) override {
    return std::make_unique<HookedTask>(FakeEnvironment::Start(std::move(body)),
                                        abandon_);
  }

  // Native descriptors are those of the implementation, too. A placeholder
  // whose descriptor is yet to come, of a blocked accept4(2), is not open.
  std::vector<Descriptor> OpenDescriptors() override {
    std::vector<Descriptor> descriptors = limit_.ListOpen();
    std::erase_if(descriptors, [](const Descriptor& one) {
      return fcntl(one.id.fd, F_GETFD) < 0;
    });
    return descriptors;
  }

  void LimitDescriptors(std::optional<int> free) override {
    limit_.Leave(free);
  }

 private:
  const std::function<void()> abandon_;
  const DescriptorLimit limit_;
  preload::Placeholders placeholders_{kernel(), process(),
                                      preload::OwnDescriptors()};
  preload::KernelMachine machine_{kernel()};
};

}  // namespace

std::unique_ptr<Environment> MakeHookedEnvironment(
    const FakeEnvironmentOptions& options, std::function<void()> abandon) {
  return std::make_unique<HookedEnvironment>(options, std::move(abandon));
}

void CallThrough(Syscalls& sys) { world.sys = &sys; }

}  // namespace net::conformance
