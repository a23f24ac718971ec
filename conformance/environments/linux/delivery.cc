#include "conformance/environments/linux/delivery.h"

#include <functional>
#include <memory>
#include <utility>

#include "conformance/suite/environment.h"
#include "conformance/suite/environment_decorator.h"
#include "fakes/delivering_syscalls.h"
#include "syscalls/sandbox/delivery.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

class DeliveringTask final : public Task {
 public:
  DeliveringTask(std::unique_ptr<Task> task, sandbox::Delivery& delivery)
      : task_(std::move(task)), delivery_(delivery) {}

  void Join() override { task_->Join(); }
  bool AwaitBlocked() override {
    delivery_.Await();
    return task_->AwaitBlocked();
  }
  void Interrupt() override { task_->Interrupt(); }

 private:
  const std::unique_ptr<Task> task_;
  sandbox::Delivery& delivery_;
};

class DeliveringEnvironment final : public EnvironmentDecorator {
 public:
  explicit DeliveringEnvironment(std::unique_ptr<Environment> environment)
      : EnvironmentDecorator(std::move(environment)),
        syscalls_(EnvironmentDecorator::syscalls(), delivery_) {}

  Syscalls& syscalls() override { return syscalls_; }
  std::unique_ptr<Task> Start(std::function<void()> body) override {
    delivery_.Await();
    return std::make_unique<DeliveringTask>(
        EnvironmentDecorator::Start(std::move(body)), delivery_);
  }
  void SetLoopbackUp(bool up) override {
    delivery_.Await();
    delivery_.set_is_up(up);
    EnvironmentDecorator::SetLoopbackUp(up);
  }

 private:
  sandbox::Delivery delivery_;
  DeliveringSyscalls syscalls_;
};

}  // namespace

std::unique_ptr<Environment> AwaitDelivery(
    std::unique_ptr<Environment> environment) {
  return std::make_unique<DeliveringEnvironment>(std::move(environment));
}

}  // namespace net::conformance
