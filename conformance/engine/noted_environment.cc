#include "conformance/engine/noted_environment.h"

#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/last_calls.h"
#include "conformance/suite/environment.h"
#include "fakes/call_text.h"
#include "fakes/invocation.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

class NotedEnvironment final : public Environment {
 public:
  NotedEnvironment(std::unique_ptr<Environment> environment, LastCalls& calls)
      : environment_(std::move(environment)),
        syscalls_(environment_->syscalls(), calls, "case") {}

  Syscalls& syscalls() override { return syscalls_; }

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
  NotedSyscalls syscalls_;
};

}  // namespace

SysResult NotedSyscalls::Intercept(Invocation& invocation,
                                   absl::FunctionRef<SysResult()> make) {
  const CallText text(invocation);
  // After EFAULT no pointer is read: any of them may be invalid.
  const LastCalls::Entry entry = calls_.Enter(absl::StrCat(
      caller_, ": ", text.Call(SysResult::Error(EFAULT)), " <unfinished ...>"));
  const SysResult result = make();
  LastCalls::Return(entry, absl::StrCat(caller_, ": ", text.Call(result), " = ",
                                        text.Result(result)));
  return result;
}

std::unique_ptr<Environment> NoteCallsOf(
    std::unique_ptr<Environment> environment, LastCalls& calls) {
  return std::make_unique<NotedEnvironment>(std::move(environment), calls);
}

}  // namespace net::conformance
