#include "conformance/environments/fake/fake_environment.h"

#include <sys/types.h>

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
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

constexpr uid_t kOtherUid = 1;

class FakeTask final : public Task {
 public:
  FakeTask(FakeKernel& kernel, std::function<void()> body)
      : thread_(kernel, "task", std::move(body)) {}

  void Join() override { thread_.Join(); }
  bool AwaitBlocked() override { return thread_.AwaitBlocked(); }
  void Interrupt() override { thread_.Interrupt(); }

 private:
  FakeKernel::Thread thread_;
};

class FakeChild final : public ChildProcess {
 public:
  FakeChild(FakeKernel& kernel, FakeProcess& process,
            std::function<void(Syscalls&)> body)
      : process_(process),
        thread_(kernel, process.name(), [&process, body = std::move(body)] {
          body(process);
          process.Exit();
        }) {}
  FakeChild(const FakeChild&) = delete;
  FakeChild& operator=(const FakeChild&) = delete;
  ~FakeChild() override { FakeChild::Kill(); }

  bool AwaitBlocked() override { return thread_.AwaitBlocked(); }
  void Join() override { thread_.Join(); }
  // A blocked call keeps its file open until the interruption ends it.
  void Kill() override {
    process_.Exit();
    thread_.Interrupt();
    thread_.Join();
  }

 private:
  FakeProcess& process_;
  FakeKernel::Thread thread_;
};

}  // namespace

FakeProcessOptions FakeEnvironment::ProcessOptions() {
  return {.name = "case",
          .uid = 0,
          .capabilities = FakeCapabilities::All(),
          .raises_sigpipe = true};
}

FakeEnvironment::FakeEnvironment(const FakeEnvironmentOptions& options,
                                 const FakeProcessOptions& process_options)
    : process_(kernel_.NewProcess(process_options)) {
  // A task may be destroyed while it waits for an event that never happens.
  kernel_.ExpectDeadlock();
  if (options.disable_ipv6) {
    FakeEnvironment::SetSysctl("net.ipv6.conf.all.disable_ipv6", "1");
  }
}

std::optional<std::string> FakeEnvironment::Lacks(Need need) {
  if (need != Need::kIpv6) return std::nullopt;
  return ipv6_disabled_ ? std::optional<std::string>("no IPv6") : std::nullopt;
}

std::unique_ptr<Task> FakeEnvironment::Start(std::function<void()> body) {
  return std::make_unique<FakeTask>(kernel_, std::move(body));
}

std::vector<Environment::Descriptor> FakeEnvironment::OpenDescriptors() {
  std::vector<Descriptor> descriptors;
  for (const int fd : process_.AllDescriptors()) {
    descriptors.push_back({.id = {.fd = fd},
                           .what = process_.DescribeDescriptor(fd),
                           .own_fd = fd});
  }
  return descriptors;
}

std::vector<Environment::Descriptor> FakeEnvironment::DescriptorsAfterExec() {
  FakeProcess& child = process_.Fork("child");
  child.Exec();
  std::vector<Descriptor> open;
  for (const int fd : child.AllDescriptors()) {
    open.push_back(
        {.id = {.fd = fd}, .what = child.DescribeDescriptor(fd), .own_fd = fd});
  }
  child.Exit();
  return open;
}

std::unique_ptr<ChildProcess> FakeEnvironment::Fork(
    std::function<void(Syscalls&)> body) {
  return std::make_unique<FakeChild>(kernel_, process_.Fork("child"),
                                     std::move(body));
}

void FakeEnvironment::LimitDescriptors(std::optional<int> free) {
  if (!free.has_value()) return process_.set_nofile_limit(usual_limit_);
  int limit = 0;
  const std::vector<int> open = process_.AllDescriptors();
  auto next = open.begin();
  for (int left = *free; left > 0 || (next != open.end() && *next == limit);
       ++limit) {
    if (next != open.end() && *next == limit) {
      ++next;
    } else {
      --left;
    }
  }
  process_.set_nofile_limit(limit);
}

void FakeEnvironment::DropPrivilegedPorts() {
  FakeCapabilities capabilities = process_.capabilities();
  capabilities.net_bind_service = false;
  process_.set_capabilities(capabilities);
}

void FakeEnvironment::AsOtherUser(absl::FunctionRef<void()> body) {
  const FakeCapabilities capabilities = process_.capabilities();
  process_.set_uid(kOtherUid);
  process_.set_capabilities({});
  body();
  process_.set_uid(0);
  process_.set_capabilities(capabilities);
}

void FakeEnvironment::SetSysctl(absl::string_view name,
                                absl::string_view value) {
  if (!kernel_.SetSysctl(name, value)) {
    throw HarnessError(absl::StrCat("sysctl ", name, "=", value,
                                    ": the FakeKernel does not know it"));
  }
  if (name == "net.ipv6.conf.all.disable_ipv6") ipv6_disabled_ = value != "0";
}

void FakeEnvironment::AddFailingRoute(const ip::Addr& addr, int error) {
  if (error != EHOSTUNREACH && error != EACCES && error != EINVAL) {
    throw HarnessError(
        absl::StrCat("no route fails with ", ErrnoSymbol(error)));
  }
  kernel_.AddFailingRoute(addr, error);
}

std::unique_ptr<Environment> MakeFakeEnvironment(
    const FakeEnvironmentOptions& options) {
  return std::make_unique<FakeEnvironment>(options);
}

}  // namespace net::conformance
