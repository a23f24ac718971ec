#include "conformance/driver_host/driver_subject.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/attached_driver.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/driver_environment.h"
#include "conformance/driver_host/driver_implementation.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"
#include "conformance/driver_host/transcript.h"
#include "conformance/engine/subject.h"
#include "conformance/environments/linux/process_view.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "fakes/trap/trap_control.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

class DriverSubject final : public Subject {
 public:
  DriverSubject(DriverCommand command, DriverSubjectOptions options)
      : command_(std::move(command)), options_(std::move(options)) {
    if (options_.attach_folder.empty()) {
      process_ = std::make_shared<DriverProcess>(
          command_, DriverNetwork{.ipv6 = options_.ipv6});
    } else {
      attached_ =
          std::make_unique<AttachedDriver>(command_, options_.attach_folder);
    }
  }

  // A driver that the user has started prints to the user's terminal.
  int output_fd() const override {
    return process_ == nullptr ? -1 : process_->output_fd();
  }
  bool ReadOutput() override {
    return process_ != nullptr && process_->ReadOutput();
  }
  std::string Describe() override {
    return process_ == nullptr ? "" : process_->Describe();
  }
  std::string Snapshot() override {
    if (process_ == nullptr) return "";
    std::string text;
    for (const pid_t pid : process_->Processes()) {
      absl::StrAppend(&text, ProcessView(pid).Snapshot());
    }
    return text;
  }
  void Begin(absl::string_view trial_name) override {
    if (process_ != nullptr) process_->ForgetOutput();
    transcript_->Clear();
    trial_name_ = std::string(trial_name);
  }
  // With a driver that the user has started there are no other trials.
  void CloseInChild() override {
    if (process_ != nullptr) process_->CloseInChild();
  }

  std::unique_ptr<Environment> MakeEnvironment(
      std::function<void()> abandon) override {
    driver_ = std::make_shared<Driver>(
        DriverLink{.channel = process_ == nullptr ? attached_->channel()
                                                  : process_->channel(),
                   .process = process_,
                   .transcript = transcript_,
                   .on_frame = OnFrame()});
    sockets_ = std::make_shared<DriverSockets>(driver_);
    abandon_ = abandon;
    if (process_ != nullptr && process_->control_fd() >= 0) {
      // A duplicate, because TrapControl closes it.
      faults_ = std::make_unique<TrapControl>(CheckedFd(
          fcntl(process_->control_fd(), F_DUPFD_CLOEXEC, 0), "fcntl"));
    }
    return MakeDriverEnvironment(sockets_, command_, transcript_,
                                 std::move(abandon), faults_.get(),
                                 options_.why_no_faults, OnAction());
  }

  std::unique_ptr<Implementation> MakeImplementation() override {
    return MakeDriverImplementation(sockets_, abandon_);
  }

  AfterReset Reset() override {
    // A driver that has pending commands cannot be reset.
    if (driver_ == nullptr || !driver_->session().idle()) return {};
    if (faults_ != nullptr) Disarm();
    const Answer answer = driver_->session().Call({{"command", "reset"}});
    const auto* ok = std::get_if<nlohmann::json>(&answer.content);
    if (ok == nullptr) return {};
    const auto closed = ok->find("closed");
    if (closed == ok->end() || !closed->is_array()) return {};
    std::vector<std::string> lines;
    for (const nlohmann::json& number : *closed) {
      lines.push_back(absl::StrCat(
          "left open in the driver: ",
          number.is_number_unsigned()
              ? sockets_->Describe(*driver_, number.get<uint64_t>())
              : number.dump()));
    }
    return {.left_open = absl::StrJoin(lines, "\n"),
            .serves = true,
            .is_as_new = closed->empty() && driver_->HasFirstSockets() &&
                         !HasUnseenFaults()};
  }

  bool IsReplaceable() const override { return process_ != nullptr; }

  std::string Version() const override {
    return driver_ == nullptr ? "" : driver_->hello().implementation_version;
  }

  std::string Transcript() const override { return transcript_->Text(); }
  uint64_t MessageCount() const override { return transcript_->Count(); }

 private:
  // The commands after the case are made without faults.
  void Disarm() {
    faults_->Arm({});
    if (const absl::Status status = faults_->status(); !status.ok()) {
      throw DriverError(absl::StrCat("the trap failed: ", status.message()));
    }
  }

  // Returns whether a fault was injected that no case has read, for example in
  // a thread of the driver that polled after the case had ended. Such a fault
  // can kill the driver after its reply to `reset`.
  bool HasUnseenFaults() const {
    return faults_ != nullptr && faults_->UnseenFaults() > 0;
  }

  Session::OnFrame OnFrame() const {
    if (options_.on_frame == nullptr) return nullptr;
    return [this](bool sent, absl::string_view message) {
      options_.on_frame(trial_name_, sent, message);
    };
  }

  OnRunnersAction OnAction() const {
    if (options_.on_action == nullptr) return nullptr;
    return [this](absl::string_view kind, absl::string_view text) {
      options_.on_action(trial_name_, kind, text);
    };
  }

  const DriverCommand command_;
  const DriverSubjectOptions options_;
  // Exactly one of the two is set.
  std::shared_ptr<DriverProcess> process_;
  std::unique_ptr<AttachedDriver> attached_;
  const std::shared_ptr<conformance::Transcript> transcript_ =
      std::make_shared<conformance::Transcript>();
  std::string trial_name_;
  // The rest is used in the trial's process only.
  std::shared_ptr<Driver> driver_;
  std::shared_ptr<DriverSockets> sockets_;
  std::function<void()> abandon_;
  std::unique_ptr<TrapControl> faults_;
};

}  // namespace

std::unique_ptr<Subject> StartDriver(const DriverCommand& command,
                                     const DriverSubjectOptions& options) {
  return std::make_unique<DriverSubject>(command, options);
}

}  // namespace net::conformance
