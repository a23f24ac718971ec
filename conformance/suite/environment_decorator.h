#ifndef CONFORMANCE_SUITE_ENVIRONMENT_DECORATOR_H_
#define CONFORMANCE_SUITE_ENVIRONMENT_DECORATOR_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/environment.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// An Environment that passes each call to another Environment, which it owns.
// The base of environments that observe or change some of the calls.
class EnvironmentDecorator : public Environment {
 public:
  explicit EnvironmentDecorator(std::unique_ptr<Environment> environment)
      : environment_(std::move(environment)) {}

  Syscalls& syscalls() override { return environment_->syscalls(); }
  std::optional<std::string> Lacks(Need need) override {
    return environment_->Lacks(need);
  }
  std::unique_ptr<Task> Start(std::function<void()> body) override {
    return environment_->Start(std::move(body));
  }
  std::vector<Descriptor> OpenDescriptors() override {
    return environment_->OpenDescriptors();
  }
  std::vector<Descriptor> DescriptorsAfterExec() override {
    return environment_->DescriptorsAfterExec();
  }
  std::unique_ptr<ChildProcess> Fork(
      std::function<void(Syscalls&)> body) override {
    return environment_->Fork(std::move(body));
  }
  void LimitDescriptors(std::optional<int> free) override {
    environment_->LimitDescriptors(free);
  }
  void DropPrivilegedPorts() override { environment_->DropPrivilegedPorts(); }
  void AsOtherUser(absl::FunctionRef<void()> body) override {
    environment_->AsOtherUser(body);
  }
  void SetSysctl(absl::string_view name, absl::string_view value) override {
    environment_->SetSysctl(name, value);
  }
  void SetLoopbackUp(bool up) override { environment_->SetLoopbackUp(up); }
  void AddFailingRoute(const ip::Addr& addr, int error) override {
    environment_->AddFailingRoute(addr, error);
  }
  Faults* faults() override { return environment_->faults(); }

 private:
  const std::unique_ptr<Environment> environment_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_ENVIRONMENT_DECORATOR_H_
