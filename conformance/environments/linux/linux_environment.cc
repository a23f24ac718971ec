#include "conformance/environments/linux/linux_environment.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/environments/linux/harness_error.h"
#include "conformance/environments/linux/linux_descriptors.h"
#include "conformance/environments/linux/linux_network.h"
#include "conformance/environments/linux/linux_task.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Any user other than root.
constexpr uid_t kOtherUid = 1;

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

std::optional<std::string> LacksOtherUser() {
  if (seteuid(kOtherUid) != 0) {
    return std::string(ErrnoError(errno, "no second user: seteuid").message());
  }
  Checked(seteuid(0), "seteuid");
  return std::nullopt;
}

void DropEffective(int capability) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3,
                                     .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  Checked(syscall(SYS_capget, &header, data), "capget");
  data[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
  Checked(syscall(SYS_capset, &header, data), "capset");
}

class LinuxEnvironment final : public Environment {
 public:
  LinuxEnvironment(const LinuxEnvironmentOptions& options,
                   std::function<void()> abandon)
      : abandon_(std::move(abandon)),
        lacks_network_(options.network_of.has_value()
                           ? EnterNetworkOf(*options.network_of)
                           : EnterOwnNetwork()) {
    Checked(getrlimit(RLIMIT_NOFILE, &descriptor_limit_), "getrlimit");
    if (!options.disable_ipv6) return;
    if (lacks_network_.has_value()) throw HarnessError(*lacks_network_);
    WriteSysctl("net.ipv6.conf.all.disable_ipv6", "1");
  }

  Syscalls& syscalls() override { return DefaultSyscalls(); }

  std::optional<std::string> Lacks(Need need) override {
    switch (need) {
      case Need::kNone:
      case Need::kInterrupt:
        return std::nullopt;
      case Need::kIpv6:
        return LacksIpv6();
      case Need::kOwnNetwork:
        return lacks_network_;
      case Need::kOtherUser:
        return LacksOtherUser();
      case Need::kExec:
        return LacksExec();
    }
    return "an unknown need";
  }

  std::unique_ptr<Task> Start(std::function<void()> body) override {
    return StartLinuxTask(std::move(body), abandon_);
  }

  std::vector<Descriptor> OpenDescriptors() override {
    // Listing needs a descriptor itself, and LimitDescriptors() may leave none.
    rlimit limit = {};
    Checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    Checked(setrlimit(RLIMIT_NOFILE, &descriptor_limit_), "setrlimit");
    std::vector<Descriptor> descriptors = ListOpenDescriptors();
    Checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    return descriptors;
  }

  std::vector<Descriptor> DescriptorsAfterExec() override {
    return ListDescriptorsAfterExec();
  }

  void LimitDescriptors(std::optional<int> free) override {
    rlimit limit = descriptor_limit_;
    if (free.has_value()) {
      limit.rlim_cur = LimitThatLeaves(
          *free, [](int fd) { return fcntl(fd, F_GETFD) >= 0; });
    }
    Checked(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  }

  void DropPrivilegedPorts() override { DropEffective(CAP_NET_BIND_SERVICE); }

  void AsOtherUser(absl::FunctionRef<void()> body) override {
    Checked(seteuid(kOtherUid), "seteuid");
    body();
    Checked(seteuid(0), "seteuid");
  }

  void SetSysctl(absl::string_view name, absl::string_view value) override {
    WriteSysctl(name, value);
  }

  void TakeLoopbackDown() override { SetLoopback(false); }

  void AddFailingRoute(const ip::Addr& addr, int error) override {
    conformance::AddFailingRoute(addr, error);
  }

 private:
  const std::function<void()> abandon_;
  const std::optional<std::string> lacks_network_;
  rlimit descriptor_limit_ = {};
};

}  // namespace

std::unique_ptr<Environment> MakeLinuxEnvironment(
    const LinuxEnvironmentOptions& options, std::function<void()> abandon) {
  return std::make_unique<LinuxEnvironment>(options, std::move(abandon));
}

}  // namespace net::conformance
