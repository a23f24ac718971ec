#include "conformance/driver_host/driver_environment.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"
#include "conformance/environment.h"
#include "conformance/harness_error.h"
#include "conformance/linux/linux_environment.h"
#include "fakes/tracing_syscalls.h"
#include "syscalls/ip_addr.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// A task of the case's process, whose operations are carried out by the driver.
class DriverTask final : public Task {
 public:
  DriverTask(std::unique_ptr<Task> task, std::shared_ptr<Driver> driver,
             const OnRunnersAction& on_action)
      : task_(std::move(task)),
        driver_(std::move(driver)),
        on_action_(on_action) {}

  void Join() override { task_->Join(); }

  bool AwaitBlocked() override {
    // It waits for the driver, and so does the driver, for something else; and
    // the driver has not answered between the two looks.
    const Session& session = driver_->session();
    while (task_->AwaitBlocked()) {
      const auto before = session.NextMessage();
      if (!before.has_value() || !driver_->IsBlocked()) continue;
      if (!task_->AwaitBlocked()) return false;
      if (before == session.NextMessage()) return true;
    }
    return false;
  }

  void Interrupt() override {
    if (on_action_ != nullptr) on_action_("world", "sent a signal");
    driver_->view().Interrupt(*driver_->hello().signal);
  }

 private:
  const std::unique_ptr<Task> task_;
  const std::shared_ptr<Driver> driver_;
  const OnRunnersAction& on_action_;
};

class DriverEnvironment final : public Environment {
 public:
  DriverEnvironment(std::shared_ptr<DriverSockets> sockets,
                    DriverCommand command, std::function<void()> abandon,
                    OnRunnersAction on_action)
      : sockets_(std::move(sockets)),
        command_(std::move(command)),
        on_action_(std::move(on_action)),
        first_(sockets_->driver()),
        here_(MakeLinuxEnvironment({.network_of = first_->hello().pid},
                                   std::move(abandon))),
        traced_(here_->syscalls(),
                [this](absl::string_view call) { NotePeer(call); }) {}
  DriverEnvironment(const DriverEnvironment&) = delete;
  DriverEnvironment& operator=(const DriverEnvironment&) = delete;
  // The driver's next case begins as this one did.
  ~DriverEnvironment() override {
    if (limited_) first_->view().LimitDescriptors(std::nullopt);
  }

  Syscalls& syscalls() override {
    if (on_action_ == nullptr) return here_->syscalls();
    return traced_;
  }

  std::optional<std::string> Lacks(Need need) override {
    if (need == Need::kOtherUser) return "a driver has one user";
    if (need == Need::kInterrupt && !first_->hello().signal.has_value()) {
      return "the driver handles no signal";
    }
    return here_->Lacks(need);
  }

  std::unique_ptr<Task> Start(std::function<void()> body) override {
    return std::make_unique<DriverTask>(here_->Start(std::move(body)),
                                        sockets_->driver(), on_action_);
  }

  std::vector<Descriptor> OpenDescriptors() override {
    return sockets_->Open();
  }

  // What exec does to descriptors is what their flags say: fcntl(2), F_GETFD.
  std::vector<Descriptor> DescriptorsAfterExec() override {
    return sockets_->SurvivorsOfExec();
  }

  void LimitDescriptors(std::optional<int> free) override {
    limited_ = true;
    NoteChange("limited the descriptors");
    for (const std::shared_ptr<Driver>& one : sockets_->drivers()) {
      one->view().LimitDescriptors(free);
    }
  }

  // Nobody can take a capability from another process: from here on a driver
  // without it makes the sockets.
  void DropPrivilegedPorts() override {
    NoteChange("took privileged ports away");
    auto process = std::make_unique<DriverProcess>(
        command_, DriverWorld{.own_network = false, .privileged_ports = false});
    const Channel channel = process->channel();
    sockets_->UseDriver(
        std::make_shared<Driver>(channel, nullptr, std::move(process)));
  }

  void AsOtherUser(absl::FunctionRef<void()> body) override {
    static_cast<void>(body);
    throw HarnessError("a driver has one user");
  }

  void SetSysctl(absl::string_view name, absl::string_view value) override {
    NoteChange(absl::StrCat("set ", name));
    here_->SetSysctl(name, value);
  }

  void TakeLoopbackDown() override {
    NoteChange("took the loopback interface down");
    here_->TakeLoopbackDown();
  }

  void AddFailingRoute(const ip::Addr& addr, int error) override {
    NoteChange("added a route that fails");
    here_->AddFailingRoute(addr, error);
  }

 private:
  void NoteChange(absl::string_view change) const {
    if (on_action_ != nullptr) on_action_("world", change);
  }
  void NotePeer(absl::string_view call) const {
    for (const char* name : {"connect(", "bind(", "listen("}) {
      if (absl::StartsWith(call, name)) on_action_("peer", call);
    }
  }

  const std::shared_ptr<DriverSockets> sockets_;
  const DriverCommand command_;
  const OnRunnersAction on_action_;
  const std::shared_ptr<Driver> first_;
  const std::unique_ptr<Environment> here_;
  TracingSyscalls traced_;
  bool limited_ = false;
};

}  // namespace

std::unique_ptr<Environment> MakeDriverEnvironment(
    std::shared_ptr<DriverSockets> sockets, const DriverCommand& command,
    std::function<void()> abandon, OnRunnersAction on_action) {
  return std::make_unique<DriverEnvironment>(
      std::move(sockets), command, std::move(abandon), std::move(on_action));
}

}  // namespace net::conformance
