#include "conformance/engine/environment_with_syscalls.h"

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
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

class EnvironmentWithSyscalls final : public Environment {
 public:
  EnvironmentWithSyscalls(std::unique_ptr<Environment> environment,
                          std::unique_ptr<Syscalls> syscalls)
      : environment_(std::move(environment)), syscalls_(std::move(syscalls)) {}

  Syscalls& syscalls() override { return *syscalls_; }

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
  const std::unique_ptr<Syscalls> syscalls_;
};

}  // namespace

std::unique_ptr<Environment> WithSyscalls(
    std::unique_ptr<Environment> environment,
    std::unique_ptr<Syscalls> syscalls) {
  return std::make_unique<EnvironmentWithSyscalls>(std::move(environment),
                                                   std::move(syscalls));
}

}  // namespace net::conformance
