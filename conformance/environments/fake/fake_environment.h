#ifndef CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_
#define CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/environment.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

struct FakeEnvironmentOptions {
  // Disables IPv6, as on a machine without it.
  bool disable_ipv6 = false;
};

// The environment of one case: a FakeKernel of its own, with virtual time.
// Supports every need. The calling thread is a participant of the kernel until
// it destroys the environment.
//
// If a task is destroyed while it waits for an event that will never happen,
// its system call fails with EDEADLK, and the task ends.
class FakeEnvironment : public Environment {
 public:
  explicit FakeEnvironment(const FakeEnvironmentOptions& options)
      : FakeEnvironment(options, ProcessOptions()) {}

  Syscalls& syscalls() override { return process_; }
  std::optional<std::string> Lacks(Need need) override;
  std::unique_ptr<Task> Start(std::function<void()> body) override;
  std::vector<Descriptor> OpenDescriptors() override;
  std::vector<Descriptor> DescriptorsAfterExec() override;
  std::unique_ptr<ChildProcess> Fork(
      std::function<void(Syscalls&)> body) override;
  void LimitDescriptors(std::optional<int> free) override;
  void DropPrivilegedPorts() override;
  void AsOtherUser(absl::FunctionRef<void()> body) override;
  void SetSysctl(absl::string_view name, absl::string_view value) override;
  void SetLoopbackUp(bool up) override { kernel_.SetLoopbackUp(up); }
  void AddFailingRoute(const ip::Addr& addr, int error) override;

 protected:
  // Makes the case's process with `process_options`. Derived classes change
  // some fields of ProcessOptions().
  FakeEnvironment(const FakeEnvironmentOptions& options,
                  const FakeProcessOptions& process_options);
  static FakeProcessOptions ProcessOptions();

  FakeKernel& kernel() { return kernel_; }
  FakeProcess& process() { return process_; }

 private:
  FakeKernel kernel_;
  FakeKernel::Participant self_{kernel_, "case"};
  FakeProcess& process_;
  const int usual_limit_ = process_.nofile_limit();
  bool ipv6_disabled_ = false;
};

std::unique_ptr<Environment> MakeFakeEnvironment(
    const FakeEnvironmentOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENVIRONMENTS_FAKE_FAKE_ENVIRONMENT_H_
