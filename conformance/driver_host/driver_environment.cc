#include "conformance/driver_host/driver_environment.h"

#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/blocked_driver.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"
#include "conformance/driver_host/transcript.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/environments/linux/sleep_watch.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "fakes/faults/faults.h"
#include "fakes/tracing_syscalls.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// The state that a task's thread publishes.
struct TaskState {
  std::atomic<pid_t> thread = 0;
  std::atomic<bool> has_ended = false;
};

// A task in the case's process. The driver carries out its operations.
class DriverTask final : public Task {
 public:
  DriverTask(Environment& here, std::function<void()> body,
             std::shared_ptr<DriverSockets> sockets,
             std::function<void()> abandon, const OnRunnersAction& on_action)
      : sockets_(std::move(sockets)),
        driver_(sockets_->driver()),
        abandon_(std::move(abandon)),
        on_action_(on_action),
        task_(here.Start([state = state_, body = std::move(body)] {
          state->thread = gettid();
          body();
          state->has_ended = true;
        })) {}

  void Join() override { task_->Join(); }

  bool AwaitBlocked() override {
    InspectionPauses pauses;
    SleepWatch watch;
    while (!state_->has_ended) {
      // Without an operation, the thread is between two operations.
      const auto operation = driver_->operations().Of(state_->thread);
      if (operation.has_value()) {
        const DriverSnapshot snapshot =
            Inspect(*driver_, *sockets_, {*operation});
        if (snapshot.is_blocked) return true;
        if (NoteVainWait(snapshot, watch, {*operation})) abandon_();
      }
      std::this_thread::sleep_for(pauses.Next());
    }
    return false;
  }

  void Interrupt() override {
    if (on_action_ != nullptr) on_action_("world", "sent a signal");
    driver_->view().Interrupt(*driver_->hello().signal);
  }

 private:
  const std::shared_ptr<TaskState> state_ = std::make_shared<TaskState>();
  const std::shared_ptr<DriverSockets> sockets_;
  const std::shared_ptr<Driver> driver_;
  const std::function<void()> abandon_;
  const OnRunnersAction& on_action_;
  const std::unique_ptr<Task> task_;
};

class DriverEnvironment final : public Environment {
 public:
  DriverEnvironment(std::shared_ptr<DriverSockets> sockets,
                    DriverCommand command,
                    std::shared_ptr<Transcript> transcript,
                    std::function<void()> abandon, Faults* faults,
                    std::string why_no_faults, OnRunnersAction on_action)
      : sockets_(std::move(sockets)),
        command_(std::move(command)),
        transcript_(std::move(transcript)),
        faults_(faults),
        why_no_faults_(std::move(why_no_faults)),
        on_action_(std::move(on_action)),
        first_(sockets_->driver()),
        here_(MakeLinuxEnvironment({.network_of = first_->view().pid()},
                                   abandon)),
        traced_(here_->syscalls(),
                [this](absl::string_view call) { NotePeer(call); }),
        abandon_(std::move(abandon)) {}
  DriverEnvironment(const DriverEnvironment&) = delete;
  DriverEnvironment& operator=(const DriverEnvironment&) = delete;
  // Restores the limit of descriptors for the driver's next case.
  ~DriverEnvironment() override {
    if (limited_) first_->view().LimitDescriptors(std::nullopt);
  }

  Syscalls& syscalls() override {
    if (on_action_ == nullptr) return here_->syscalls();
    return traced_;
  }

  Faults* faults() override { return faults_; }

  std::optional<std::string> Lacks(Need need) override {
    if (need == Need::kOtherUser) return "a driver runs as one user";
    if (need == Need::kFork) return "a driver does not fork";
    if (need == Need::kFaults || need == Need::kFaultsOfClose) {
      if (faults_ == nullptr) return why_no_faults_;
      return std::nullopt;
    }
    if (need == Need::kInterrupt && !first_->hello().signal.has_value()) {
      return "the driver handles no signal";
    }
    return here_->Lacks(need);
  }

  std::unique_ptr<Task> Start(std::function<void()> body) override {
    return std::make_unique<DriverTask>(*here_, std::move(body), sockets_,
                                        abandon_, on_action_);
  }

  std::vector<Descriptor> OpenDescriptors() override {
    return sockets_->Open();
  }

  // Goes by the close-on-exec flags, without an exec: fcntl(2), F_GETFD.
  std::vector<Descriptor> DescriptorsAfterExec() override {
    return sockets_->SurvivorsOfExec();
  }

  std::unique_ptr<ChildProcess> Fork(
      std::function<void(Syscalls&)> body) override {
    static_cast<void>(body);
    throw HarnessError("a driver does not fork");
  }

  void LimitDescriptors(std::optional<int> free) override {
    limited_ = true;
    NoteChange("limited the descriptors");
    for (const std::shared_ptr<Driver>& one : sockets_->drivers()) {
      one->view().LimitDescriptors(free);
    }
  }

  // A capability cannot be taken from another process, so from here on a second
  // driver, which was started without it, makes the sockets.
  void DropPrivilegedPorts() override {
    NoteChange("took privileged ports away");
    auto process = std::make_shared<DriverProcess>(
        command_,
        DriverNetwork{.own_network = false, .privileged_ports = false});
    const Channel channel = process->channel();
    // Both drivers share a transcript, so their messages are shown in order.
    sockets_->UseDriver(
        std::make_shared<Driver>(DriverLink{.channel = channel,
                                            .process = std::move(process),
                                            .transcript = transcript_,
                                            .on_frame = nullptr}));
  }

  void AsOtherUser(absl::FunctionRef<void()> body) override {
    static_cast<void>(body);
    throw HarnessError("a driver runs as one user");
  }

  void SetSysctl(absl::string_view name, absl::string_view value) override {
    NoteChange(absl::StrCat("set ", name));
    here_->SetSysctl(name, value);
  }

  void SetLoopbackUp(bool up) override {
    NoteChange("took the loopback interface down");
    here_->SetLoopbackUp(up);
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
  const std::shared_ptr<Transcript> transcript_;
  Faults* const faults_;
  const std::string why_no_faults_;
  const OnRunnersAction on_action_;
  const std::shared_ptr<Driver> first_;
  const std::unique_ptr<Environment> here_;
  TracingSyscalls traced_;
  const std::function<void()> abandon_;
  bool limited_ = false;
};

}  // namespace

std::unique_ptr<Environment> MakeDriverEnvironment(
    std::shared_ptr<DriverSockets> sockets, const DriverCommand& command,
    std::shared_ptr<Transcript> transcript, std::function<void()> abandon,
    Faults* faults, std::string why_no_faults, OnRunnersAction on_action) {
  return std::make_unique<DriverEnvironment>(
      std::move(sockets), command, std::move(transcript), std::move(abandon),
      faults, std::move(why_no_faults), std::move(on_action));
}

}  // namespace net::conformance
