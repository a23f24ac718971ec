#include "conformance/environments/linux/linux_environment.h"

#include <linux/capability.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "conformance/environments/linux/delivery.h"
#include "conformance/environments/linux/linux_child.h"
#include "conformance/environments/linux/linux_descriptors.h"
#include "conformance/environments/linux/linux_task.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "conformance/suite/precondition.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sandbox/capabilities.h"
#include "syscalls/sandbox/delivery.h"
#include "syscalls/sandbox/loopback_interface.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sandbox/other_user.h"
#include "syscalls/sandbox/routes.h"
#include "syscalls/sandbox/sysctl.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

std::optional<std::string> LacksIpv6() {
  Syscalls& sys = DefaultSyscalls();
  const SysResult made = sys.Socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!made.ok()) {
    return std::string(ErrnoError(made.error(), "no IPv6: socket").message());
  }
  const absl::Cleanup close_fd = [&] {
    static_cast<void>(sys.Close(made.fd()));
  };
  const ip::Endpoint local{ip::kLocalV6, 0};
  const ip::SockAddr address(local);
  const SysResult bound = sys.Bind(made.fd(), address.get(), address.size());
  if (bound.ok()) return std::nullopt;
  return std::string(
      ErrnoError(bound.error(), "no IPv6: bind", local).message());
}

std::optional<std::string> MessageOf(const absl::Status& status) {
  if (status.ok()) return std::nullopt;
  return std::string(status.message());
}

// Moves this process into the network of the options. Returns why that is not a
// network of its own, or nullopt if it is.
std::optional<std::string> EnterNetwork(
    const LinuxEnvironmentOptions& options) {
  if (options.shares_process) {
    return MessageOf(sandbox::EnterOwnNetworkOfThread());
  }
  if (!options.network_of.has_value()) {
    if (auto lacks = MessageOf(sandbox::CheckOwnNetwork())) return lacks;
    Checked(sandbox::EnterOwnNetwork());
    return std::nullopt;
  }
  const pid_t pid = *options.network_of;
  if (Checked(sandbox::SharesNetworkWith(pid))) {
    return "the driver shares the runner's network";
  }
  Checked(sandbox::EnterNetworkOf(pid));
  return std::nullopt;
}

// Returns true if a system call failed because the kernel was built without
// what it is for, or is older.
bool IsMissing(const absl::Status& status) {
  switch (ErrnoOf(status)) {
    case ENOENT:
    case ENOSYS:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

class LinuxEnvironment final : public Environment {
 public:
  LinuxEnvironment(const LinuxEnvironmentOptions& options,
                   std::function<void()> abandon)
      : abandon_(std::move(abandon)),
        shares_process_(options.shares_process),
        lacks_network_(EnterNetwork(options)) {
    if (!options.disable_ipv6) return;
    if (lacks_network_.has_value()) throw HarnessError(*lacks_network_);
    Checked(sandbox::WriteSysctl("net.ipv6.conf.all.disable_ipv6", "1"));
  }

  Syscalls& syscalls() override { return DefaultSyscalls(); }

  std::optional<std::string> Lacks(Need need) override {
    switch (need) {
      case Need::kNone:
      case Need::kInterrupt:
      case Need::kOptionLists:
      case Need::kFaults:  // Known only when the case injects them.
      case Need::kFaultsOfClose:
        return std::nullopt;
      case Need::kIpv6:
        return LacksIpv6();
      case Need::kOwnNetwork:
        return lacks_network_;
      case Need::kOtherUser:
        return MessageOf(sandbox::CheckOtherUser());
      case Need::kExec:
        if (shares_process_) return "without fork(2), nothing can be executed";
        return LacksExec();
      case Need::kFork:
        if (shares_process_) return "the cases share one process";
        return std::nullopt;
    }
    return "an unknown need";
  }

  std::unique_ptr<Task> Start(std::function<void()> body) override {
    return StartLinuxTask(std::move(body), abandon_);
  }

  std::vector<Descriptor> OpenDescriptors() override {
    return descriptor_limit_.ListOpen();
  }

  std::vector<Descriptor> DescriptorsAfterExec() override {
    return ListDescriptorsAfterExec();
  }

  std::unique_ptr<ChildProcess> Fork(
      std::function<void(Syscalls&)> body) override {
    return ForkLinuxChild(body, abandon_);
  }

  void LimitDescriptors(std::optional<int> free) override {
    descriptor_limit_.Leave(free);
  }

  void DropPrivilegedPorts() override {
    Checked(sandbox::DropCapability(CAP_NET_BIND_SERVICE));
  }

  void AsOtherUser(absl::FunctionRef<void()> body) override {
    Checked(sandbox::RunAsOtherUser(body));
  }

  void SetSysctl(absl::string_view name, absl::string_view value) override {
    CheckPossible(sandbox::WriteSysctl(name, value));
  }

  void SetLoopbackUp(bool up) override {
    CheckPossible(sandbox::SetLoopback(up));
  }

  void AddFailingRoute(const ip::Addr& addr, int error) override {
    CheckPossible(sandbox::AddFailingRoute(addr, error));
  }

 private:
  // Ends the case with a precondition if this kernel lacks what a change needs.
  void CheckPossible(const absl::Status& changed) const {
    if (IsMissing(changed)) {
      NotePrecondition(changed.message());
      abandon_();
    }
    Checked(changed);
  }

  const std::function<void()> abandon_;
  const bool shares_process_;
  const std::optional<std::string> lacks_network_;
  const DescriptorLimit descriptor_limit_;
};

}  // namespace

std::unique_ptr<Environment> MakeLinuxEnvironment(
    const LinuxEnvironmentOptions& options, std::function<void()> abandon) {
  if (options.one_processor) sandbox::StayOnThisProcessor();
  return AwaitDelivery(
      std::make_unique<LinuxEnvironment>(options, std::move(abandon)));
}

}  // namespace net::conformance
