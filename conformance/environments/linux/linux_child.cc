#include "conformance/environments/linux/linux_child.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <functional>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "conformance/environments/linux/blocked_call.h"
#include "conformance/environments/linux/sleep_watch.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/precondition.h"
#include "syscalls/sandbox/child.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Forks. The child runs `body`, and exits; it does not outlive its parent.
pid_t ForkToRun(absl::FunctionRef<void(Syscalls&)> body) {
  const pid_t parent = getpid();
  const pid_t child = Checked(sandbox::ForkChild());
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == parent) body(DefaultSyscalls());
  _exit(0);
}

class LinuxChild final : public ChildProcess {
 public:
  LinuxChild(absl::FunctionRef<void(Syscalls&)> body,
             std::function<void()> abandon)
      : abandon_(std::move(abandon)), pid_(ForkToRun(body)), reader_(pid_) {}
  LinuxChild(const LinuxChild&) = delete;
  LinuxChild& operator=(const LinuxChild&) = delete;
  ~LinuxChild() override { LinuxChild::Kill(); }

  bool AwaitBlocked() override {
    InspectionPauses pauses;
    while (!HasExited()) {
      const auto call = reader_.Read(pid_);
      if (!call.ok()) {
        NotePrecondition(call.status().message());
        abandon_();
      }
      if (call->has_value() && WaitsForSocket(**call) &&
          reader_.IsStillBlocked(**call)) {
        return true;
      }
      const timespec pause = {
          .tv_sec = 0,
          .tv_nsec = std::chrono::nanoseconds(pauses.Next()).count()};
      ppoll(nullptr, 0, &pause, nullptr);
    }
    return false;
  }

  void Join() override {
    if (std::exchange(reaped_, true)) return;
    sandbox::ReapChild(pid_);
  }

  // When the process can be reaped, its descriptors are closed.
  void Kill() override {
    if (!reaped_) kill(pid_, SIGKILL);
    Join();
  }

 private:
  bool HasExited() const {
    if (reaped_) return true;
    siginfo_t info = {};
    Checked(waitid(P_PID, static_cast<id_t>(pid_), &info,
                   WEXITED | WNOHANG | WNOWAIT),
            "waitid");
    return info.si_pid != 0;
  }

  bool WaitsForSocket(const BlockedCall& call) const {
    return call.kind == BlockedCall::Kind::kPoll ||
           call.kind == BlockedCall::Kind::kEpoll ||
           (call.kind == BlockedCall::Kind::kSocket &&
            reader_.IsSocket(call.direct->fd));
  }

  const std::function<void()> abandon_;
  const pid_t pid_;
  const BlockedCallReader reader_;
  bool reaped_ = false;
};

}  // namespace

std::unique_ptr<ChildProcess> ForkLinuxChild(
    absl::FunctionRef<void(Syscalls&)> body, std::function<void()> abandon) {
  return std::make_unique<LinuxChild>(body, std::move(abandon));
}

}  // namespace net::conformance
