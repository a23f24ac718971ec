#include "fakes/trap/supervisor.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/job.h"
#include "fakes/trap/local_call.h"
#include "fakes/trap/process.h"
#include "fakes/trap/seccomp.h"
#include "fakes/trap/signals.h"
#include "fakes/trap/trap_state.h"
#include "fakes/trap/trapped_call.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/network_namespace.h"

namespace net::trap {
namespace {

// The interval at which waits are checked for a signal of the target.
constexpr absl::Duration kCheckInterval = absl::Milliseconds(5);

bool IsKind(const Job& job, ActionKind kind) {
  return job.decision.has_value() && job.decision->action.kind == kind;
}

// Returns whether the call is not made at all.
bool IsNotMade(const Job& job) {
  return IsKind(job, ActionKind::kError) &&
         job.decision->action.effect == Effect::kBefore;
}

LocalCall::Limits LimitsOf(const Job& job) {
  LocalCall::Limits limits;
  if (!job.decision.has_value()) return limits;
  const FaultAction& action = job.decision->action;
  if (action.kind == ActionKind::kShort ||
      (action.kind == ActionKind::kError &&
       action.effect == Effect::kPartial)) {
    limits.bytes = action.bytes;
  }
  if (action.kind == ActionKind::kTruncatedAddress) {
    limits.address = action.bytes;
  }
  return limits;
}

bool IsOpen(const Process& process, int fd) {
  return OwnedFd(process.Duplicate(fd)).ok();
}

// Returns whether a socket of ours is one of the target's network.
bool SharesNetwork(const Process& process) {
  const absl::StatusOr<bool> shares = sandbox::SharesNetworkWith(process.pid());
  return shares.ok() && *shares;
}

// Makes an accepted connection one that the peer had reset before. The peer,
// too, gets a reset.
void Reset(int fd) {
  const sockaddr unspecified = {.sa_family = AF_UNSPEC, .sa_data = {}};
  static_cast<void>(connect(fd, &unspecified, sizeof(unspecified)));
}

// Returns whether connect(2) has sent its SYN.
bool HasBegun(int fd) {
  uint8_t state = TCP_CLOSE;
  socklen_t size = sizeof(state);
  getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &size);
  return state != TCP_CLOSE;
}

// Returns whether the call's effect is on the numbers of the target's
// descriptors, and not on what is behind them. If such a call fails after it
// was made, the number that it has made is free again (F_DUPFD and pipe2(2)).
bool IsAboutNumber(const TrappedCall& call) {
  if (call.call == SyscallId::kFcntl) {
    const int command = call.Int(1);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ||
           command == F_GETFD || command == F_SETFD;
  }
  return call.call == SyscallId::kClose || call.call == SyscallId::kPipe2;
}

// Returns a replacement for a socket of the target that was closed: a
// descriptor on which every call of a socket fails with ENOTSOCK.
OwnedFd Tombstone() { return OwnedFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Supervisor::Supervisor(OwnedFd listener, TrapState& state, Options options)
    : listener_(std::move(listener)),
      state_(state),
      options_(std::move(options)) {
  listener_.UseSyncWakeUp();
  WakeSignal();
  const SignalsBlocked blocked;
  receiver_ = std::thread([this] { Run(); });
}

Supervisor::~Supervisor() {
  stops_ = true;
  // Again and again: the thread may be about to wait.
  while (!has_stopped_) {
    pthread_kill(receiver_.native_handle(), WakeSignal());
    std::this_thread::yield();
  }
  receiver_.join();
}

void Supervisor::Run() {
  AllowWakeSignal();  // It is sent at the end only.
  absl::Time next_check = absl::InfinitePast();
  while (!stops_) {
    // Without poll(2) if there is nothing to check: only Receive() shows that a
    // notification is gone again.
    if (waiters_.empty() || WaitForNext()) HandleNext();
    if (!waiters_.empty() && absl::Now() >= next_check) {
      CheckWaiters();
      next_check = absl::Now() + kCheckInterval;
    }
  }
  while (!waiters_.empty()) {
    for (Waiter& waiter : waiters_) waiter.End(EndOfWait::kGone);
    waiters_.remove_if([](const Waiter& waiter) { return waiter.done(); });
    std::this_thread::yield();
  }
  has_stopped_ = true;
}

bool Supervisor::WaitForNext() const {
  pollfd event = {.fd = listener_.fd(), .events = POLLIN, .revents = 0};
  return poll(&event, 1,
              static_cast<int>(absl::ToInt64Milliseconds(kCheckInterval))) > 0;
}

bool Supervisor::HasEnded() const {
  pollfd event = {.fd = listener_.fd(), .events = POLLIN, .revents = 0};
  poll(&event, 1, /*timeout=*/0);
  return (event.revents & POLLHUP) != 0;
}

void Supervisor::HandleNext() {
  seccomp_notif notification;
  const int error = listener_.Receive(notification);
  if (error == EINTR) return;
  if (error == ENOENT) {
    if (HasEnded()) {
      stops_ = true;
    } else {
      state_.CountPhantom();
    }
    return;
  }
  if (error != 0) {
    Fail(ErrnoError(error, "SECCOMP_IOCTL_NOTIF_RECV").message());
    return;
  }
  if (notification.data.arch != kArchitecture) {
    Fail(
        "the program, or one that it started, is for another architecture: its "
        "calls have other numbers");
    listener_.Reply(notification.id, 0, ENOSYS);
  } else if (notification.data.nr == kCanaryNumber) {
    listener_.Reply(notification.id, kCanaryAnswer, 0);
  } else if (notification.data.nr == SYS_exit_group) {
    HandleExit(notification);
  } else {
    HandleCall(notification);
  }
}

void Supervisor::EndWaitsOf(pid_t thread) {
  for (Waiter& waiter : waiters_) {
    if (waiter.job().call.thread != thread) continue;
    // If it replies just now, its success shows whether the call was
    // interrupted.
    while (waiter.replies() && !waiter.done()) std::this_thread::yield();
    if (waiter.done()) continue;
    waiter.End(EndOfWait::kGone);
    state_.Interrupt(waiter.job());
  }
}

void Supervisor::HandleExit(const seccomp_notif& notification) {
  if (options_.on_exit != nullptr) {
    options_.on_exit(static_cast<pid_t>(notification.pid));
  }
  listener_.Continue(notification.id);
}

void Supervisor::Fail(absl::string_view why) {
  state_.Fail(why);
  stops_ = true;
  if (options_.kill_target != nullptr) options_.kill_target();
}

void Supervisor::HandleCall(const seccomp_notif& notification) {
  const std::optional<TrappedCall> call = TrappedCallOf(notification);
  if (!call.has_value()) {
    listener_.Continue(notification.id);
    return;
  }
  EndWaitsOf(call->thread);
  Job job;
  job.call = *call;
  if (!state_.Begin(job)) {
    listener_.Continue(notification.id);
    return;
  }
  Perform(std::move(job));
}

void Supervisor::Perform(Job job) {
  if (IsNotMade(job)) {
    Reply(job, -job.decision->action.error);
    return;
  }
  if (IsKind(job, ActionKind::kError) && IsAboutNumber(job.call)) {
    ReplyAboutNumber(job);
    return;
  }
  if (job.call.call == SyscallId::kClose && !IsKind(job, ActionKind::kDelay)) {
    Continue(job);
    return;
  }
  const bool orders = state_.needs_order() && MakesDescriptor(job.call);
  if (!job.decision.has_value() && !options_.knows_results && !orders) {
    Continue(job);
    return;
  }
  PerformHere(std::move(job));
}

void Supervisor::PerformHere(Job job) {
  const bool delays = IsKind(job, ActionKind::kDelay);
  const bool only_delays = delays && !options_.knows_results;
  const bool is_foreign =
      job.call.call == SyscallId::kSocket && !SharesNetwork(*job.process);
  if (!only_delays) {
    auto local = std::make_unique<LocalCall>(job.call, job.process);
    // A copy of the target's memory is one of this call only if the call still
    // waits.
    if (!is_foreign && local->Prepare(LimitsOf(job)) &&
        listener_.IsValid(job.call.id)) {
      job.local = std::move(local);
    } else if (!delays) {
      LetKernelMake(job, is_foreign ? "its network is not the trap's"
                                    : local->obstacle());
      return;
    }
  }
  if (delays || job.local->MayBlock()) {
    waiters_.emplace_back(std::move(job),
                          [this](Waiter& waiter) { Wait(waiter); });
    return;
  }
  const int64_t result = job.local->Make();
  Finish(job, result);
}

void Supervisor::Wait(Waiter& waiter) {
  Job& job = waiter.job();
  if (IsKind(job, ActionKind::kDelay)) {
    waiter.Sleep(job.decision->action.delay);
    if (waiter.end() == EndOfWait::kGone) {
      state_.Interrupt(job);
      return;
    }
    if (job.local == nullptr || waiter.end() == EndOfWait::kSignal) {
      waiter.BeginReply();
      Continue(job);
      return;
    }
  }
  const int64_t result = waiter.Make();
  const bool was_interrupted = result == -EINTR;
  if (was_interrupted && waiter.end() == EndOfWait::kGone) {
    state_.Interrupt(job);
    return;
  }
  waiter.BeginReply();
  if (was_interrupted && waiter.end() == EndOfWait::kSignal) {
    // The kernel interrupts the call again, and knows whether it is restarted.
    state_.Interrupt(job);
    Continue(job);
  } else {
    Finish(job, result);
  }
}

void Supervisor::CheckWaiters() {
  for (Waiter& waiter : waiters_) {
    Job& job = waiter.job();
    EndOfWait why = waiter.end();
    if (why == EndOfWait::kNone && !listener_.IsValid(job.call.id)) {
      why = EndOfWait::kGone;
    } else if (why == EndOfWait::kNone && HasPendingSignal(job.call.thread)) {
      why = EndOfWait::kSignal;
    } else if (why == EndOfWait::kNone &&
               job.call.call == SyscallId::kConnect &&
               IsKind(job, ActionKind::kError) &&
               HasBegun(job.sockets[0].duplicate.get())) {
      // It fails after it was made, and goes on.
      why = EndOfWait::kBegun;
    }
    if (why != EndOfWait::kNone && !waiter.done()) waiter.End(why);
  }
  waiters_.remove_if([](const Waiter& waiter) { return waiter.done(); });
}

void Supervisor::Finish(Job& job, int64_t result) {
  if (!job.local->obstacle().empty()) {
    LetKernelMake(job, job.local->obstacle());
    return;
  }
  const bool makes = MakesDescriptor(job.call) && result >= 0;
  OwnedFd made(makes ? static_cast<int>(result) : -1);
  if (IsKind(job, ActionKind::kError)) {
    Reply(job, -job.decision->action.error);
    return;
  }
  if (IsKind(job, ActionKind::kErrorConsumed)) job.local->SetOptionValue(0);
  if (IsKind(job, ActionKind::kResetBeforeAccept) && made.ok()) {
    Reset(made.get());
  }
  if (!job.local->WriteOutputs(result)) {
    Reply(job, -EFAULT);
  } else if (made.ok()) {
    ReplyWithDescriptor(job, std::move(made));
  } else {
    Reply(job, result);
  }
}

void Supervisor::Reply(Job& job, int64_t result) {
  TrapState::Read(job, result);
  state_.Write(job, result);
  const int error = result < 0 ? static_cast<int>(-result) : 0;
  if (error == EPIPE && RaisesSigPipe(job.call)) {
    syscall(SYS_tgkill, job.process->pid(), job.call.thread, SIGPIPE);
  }
  if (listener_.Reply(job.call.id, result, error) == ENOENT) {
    state_.Interrupt(job);
  }
}

void Supervisor::Continue(Job& job) {
  TrapState::Read(job, std::nullopt);
  state_.Write(job, std::nullopt);
  if (listener_.Continue(job.call.id) == ENOENT) state_.Interrupt(job);
}

void Supervisor::LetKernelMake(Job& job, absl::string_view obstacle) {
  if (job.decision.has_value() && !IsKind(job, ActionKind::kDelay)) {
    state_.Fail(absl::StrCat("the trap cannot carry out an action for ",
                             std::string(SyscallName(job.call.call)), ": ",
                             obstacle));
    state_.TakeBack(job);
  }
  Continue(job);
}

void Supervisor::ReplyWithDescriptor(Job& job, OwnedFd made) {
  state_.AddSocket(made.get());
  int number = NumberFor(job);
  // The number is known after the reply, when the target's memory may change.
  TrapState::Read(job, 0);
  const uint32_t flags = MakesCloexec(job.call) ? O_CLOEXEC : 0;
  const int error = number < 0 ? listener_.ReplyWithDescriptor(
                                     job.call.id, made.get(), flags, number)
                               : listener_.ReplyWithDescriptorAt(
                                     job.call.id, made.get(), flags, number);
  if (error == ENOENT) {
    state_.Interrupt(job);
  } else if (error != 0) {
    Reply(job, -error);  // EMFILE: the target's limit.
  } else {
    state_.Write(job, number);
  }
}

int Supervisor::NumberFor(Job& job) {
  int number = -1;
  if (IsKind(job, ActionKind::kDescriptorZero)) {
    number = 0;
  } else if (IsKind(job, ActionKind::kReuseNumber)) {
    number = state_.LastClosed(*job.process);
  } else {
    return job.call.call == SyscallId::kDup3 ? job.call.Int(1) : -1;
  }
  if (number >= 0 && !IsOpen(*job.process, number)) return number;
  state_.TakeBack(job);
  return -1;
}

void Supervisor::ReplyAboutNumber(Job& job) {
  const int error = job.decision->action.error;
  int number = job.call.Int(0);
  int failed = 0;
  if (job.call.call == SyscallId::kClose) {
    failed = listener_.ReplaceDescriptor(job.call.id, Tombstone().get(),
                                         O_CLOEXEC, number);
  } else if (job.call.call == SyscallId::kFcntl && job.call.Int(1) == F_SETFD) {
    // The same file again, with the other flag.
    const bool cloexec = (job.call.Int(2) & FD_CLOEXEC) != 0;
    failed =
        listener_.ReplaceDescriptor(job.call.id, job.sockets[0].duplicate.get(),
                                    cloexec ? O_CLOEXEC : 0, number);
  }
  if (failed == ENOENT) {
    state_.Interrupt(job);
    return;
  }
  if (failed != 0) {
    state_.Fail(ErrnoError(failed, "SECCOMP_IOCTL_NOTIF_ADDFD").message());
  }
  Reply(job, -error);
}

}  // namespace net::trap
