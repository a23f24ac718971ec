#include "fakes/trap/probe.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/trap/handover.h"
#include "fakes/trap/owned_fd.h"
#include "fakes/trap/seccomp.h"
#include "syscalls/sandbox/watched_child.h"

namespace net::trap {
namespace {

// A child that installs a filter, calls the canary and ends. A signal with a
// handler without SA_RESTART can interrupt it.
struct Probe {
  Handover handover;
  sandbox::WatchedChild child;
  Listener listener;
};

absl::StatusOr<Probe> StartProbe(bool wait_killable) {
  absl::StatusOr<Handover> handover =
      Handover::Create(BuildFilter({}), wait_killable);
  if (!handover.ok()) return handover.status();
  absl::StatusOr<sandbox::WatchedChild> child =
      sandbox::WatchedChild::Start([&](int /*report*/) {
        struct sigaction action = {};
        action.sa_handler = [](int) {};
        sigaction(SIGUSR1, &action, nullptr);
        handover->InstallAndWait();
      });
  if (!child.ok()) return child.status();
  absl::StatusOr<OwnedFd> listener = handover->Take(child->Events()[1].fd);
  if (!listener.ok()) return listener.status();
  return Probe{.handover = *std::move(handover),
               .child = *std::move(child),
               .listener = Listener(*std::move(listener))};
}

// Returns whether the probe's canary waits on after a signal that came when it
// was received.
bool OutlivesSignal() {
  absl::StatusOr<Probe> probe = StartProbe(/*wait_killable=*/true);
  if (!probe.ok()) return false;
  seccomp_notif canary;
  if (probe->listener.Receive(canary) != 0) return false;
  if (syscall(SYS_tgkill, probe->child.pid(), probe->child.pid(), SIGUSR1) !=
      0) {
    return false;
  }
  // If the signal interrupts the canary, the child ends. If not, it waits for
  // this reply.
  return probe->listener.Reply(canary.id, kCanaryAnswer, 0) == 0 &&
         probe->child.Reap() == 0 &&
         probe->handover.step() == Handover::Step::kRunning;
}

}  // namespace

bool WaitKillableWorks() {
  static const bool works = OutlivesSignal();
  return works;
}

absl::Status CheckSeccomp() {
  return StartProbe(/*wait_killable=*/false).status();
}

}  // namespace net::trap
