#include "conformance/coverage/observed_target.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/coverage/cells.h"
#include "conformance/coverage/observation_log.h"
#include "conformance/coverage/observed_implementation.h"
#include "conformance/coverage/observers.h"
#include "conformance/coverage/trial_observer.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/environment_decorator.h"
#include "conformance/suite/implementation.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

class ObservedChild final : public ChildProcess {
 public:
  ObservedChild(std::unique_ptr<ChildProcess> child,
                std::shared_ptr<ConcurrencyObserver> concurrency)
      : child_(std::move(child)), concurrency_(std::move(concurrency)) {}

  bool AwaitBlocked() override { return child_->AwaitBlocked(); }
  void Join() override { child_->Join(); }
  void Kill() override {
    concurrency_->OnExit();
    child_->Kill();
  }

 private:
  const std::unique_ptr<ChildProcess> child_;
  const std::shared_ptr<ConcurrencyObserver> concurrency_;
};

class ObservedEnvironment final : public EnvironmentDecorator {
 public:
  ObservedEnvironment(std::unique_ptr<Environment> environment,
                      std::shared_ptr<TrialObserver> observer)
      : EnvironmentDecorator(std::move(environment)),
        observer_(std::move(observer)),
        syscalls_(EnvironmentDecorator::syscalls(), *observer_) {}
  ObservedEnvironment(const ObservedEnvironment&) = delete;
  ObservedEnvironment& operator=(const ObservedEnvironment&) = delete;
  ~ObservedEnvironment() override { observer_->history.Finish(); }

  Syscalls& syscalls() override { return syscalls_; }

  std::vector<Descriptor> DescriptorsAfterExec() override {
    observer_->options.OnExec();
    if (observer_->addresses.has_listener()) {
      observer_->out.Add('f', kExecWithListener);
    }
    return EnvironmentDecorator::DescriptorsAfterExec();
  }
  std::unique_ptr<ChildProcess> Fork(
      std::function<void(Syscalls&)> body) override {
    if (observer_->addresses.has_listener()) {
      observer_->out.Add('f', kForkWithListener);
    }
    const auto concurrency =
        std::make_shared<ConcurrencyObserver>(observer_->out);
    return std::make_unique<ObservedChild>(
        EnvironmentDecorator::Fork(
            [concurrency, body = std::move(body)](Syscalls& sys) {
              ObservedChildCalls observed(sys, *concurrency);
              body(observed);
            }),
        concurrency);
  }
  void SetSysctl(absl::string_view name, absl::string_view value) override {
    observer_->addresses.OnOtherNetwork();
    EnvironmentDecorator::SetSysctl(name, value);
  }
  void SetLoopbackUp(bool up) override {
    observer_->addresses.OnOtherNetwork();
    EnvironmentDecorator::SetLoopbackUp(up);
  }
  void AddFailingRoute(const ip::Addr& addr, int error) override {
    observer_->addresses.OnOtherNetwork();
    EnvironmentDecorator::AddFailingRoute(addr, error);
  }

  // The kernel without an observer.
  Syscalls& kernel() { return EnvironmentDecorator::syscalls(); }

 private:
  const std::shared_ptr<TrialObserver> observer_;
  ObservedKernel syscalls_;
};

// A trial's parts. The engine makes the environment before the implementation.
struct Parts {
  std::shared_ptr<TrialObserver> observer;
  Syscalls* kernel = nullptr;
};

}  // namespace

Target ObservedTarget(const Target& target, ObservationLog& log, size_t trial,
                      AddressFamily family) {
  Target observed = target;
  const auto parts = std::make_shared<Parts>();
  observed.make_environment = [make = target.make_environment, parts, &log,
                               trial, family](std::function<void()> abandon) {
    parts->observer = std::make_shared<TrialObserver>(log, trial, family);
    auto environment = std::make_unique<ObservedEnvironment>(
        make(std::move(abandon)), parts->observer);
    parts->kernel = &environment->kernel();
    return environment;
  };
  observed.make_implementation = [make = target.make_implementation,
                                  parts](Syscalls& sys) {
    return MakeObservedImplementation(make, sys, *parts->kernel,
                                      *parts->observer);
  };
  return observed;
}

}  // namespace net::conformance
