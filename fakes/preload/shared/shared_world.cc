#include "fakes/preload/shared/shared_world.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/machine.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/shared/client.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "fakes/preload/shared/remote_syscalls.h"
#include "fakes/preload/signals.h"
#include "fakes/preload/world.h"
#include "fakes/threads/waiter.h"

namespace net::preload {
namespace {

class RemoteMachine final : public Machine {
 public:
  absl::Duration Now() override {
    const fake::KernelSection section;
    // While a participant runs, the clock stands.
    if (ConnectionOfThread().number() < 0) Ask(Request::kNow);
    return absl::Nanoseconds(ConnectionOfThread().epilogue().now);
  }

  absl::Duration NextTimer() override {
    const fake::KernelSection section;
    const auto next = Ask(Request::kNextTimer, {}, [](MessageReader& reply) {
      return reply.Take<fake::Nanoseconds>();
    });
    return next == fake::kForever ? absl::InfiniteDuration()
                                  : absl::Nanoseconds(next);
  }

  void Outside(absl::FunctionRef<void()> body) override {
    fake::ParticipantState* const self = fake::CurrentParticipant();
    if (self == nullptr) return body();
    fake::RunOutside(*self, body);
  }
};

class RemoteTree final : public ProcessTree {
 public:
  int Announce() override {
    const fake::KernelSection section;
    return Ask(Request::kAnnounce, {},
               [](MessageReader& reply) { return reply.Take<int32_t>(); });
  }

  void Report(int child, pid_t pid) override {
    const int error = errno;
    const fake::KernelSection section;
    MessageWriter message;
    message.Put(static_cast<int32_t>(child)).Put(pid);
    ConnectionOfThread().Notify(Request::kReport, message);
    errno = error;
  }

  void Enter(int child) override {
    threads::ForgetWaiters();
    BeginProcess(NewHello(Role::kThread, child));
    seen_ = 0;
    if (reports_signals_) OpenSignalChannel();
  }

  ChildWait AwaitChild(pid_t pid) override {
    const fake::KernelSection section;
    MessageWriter message;
    message.Put(pid).Put(seen_);
    return Ask(Request::kAwaitChild, message, [this](MessageReader& reply) {
      const auto why = reply.Take<ChildWait>();
      seen_ = reply.Take<uint64_t>();
      return why;
    });
  }

  void ExpectSignal(pid_t pid, pid_t thread, int signal) override {
    const fake::KernelSection section;
    MessageWriter message;
    message.Put(pid).Put(thread).Put(static_cast<int32_t>(signal));
    Ask(Request::kExpectSignal, message);
  }

  void AwaitSignal() override {
    const fake::KernelSection section;
    Ask(Request::kAwaitSignal);
  }

  void KeepAlarm(const AlarmTimer& alarm) override {
    const fake::KernelSection section;
    MessageWriter message;
    message.Put(alarm);
    Ask(Request::kKeepAlarm, message);
  }

  AlarmTimer TakeAlarm() override {
    const fake::KernelSection section;
    return Ask(Request::kTakeAlarm, {},
               [](MessageReader& reply) { return reply.Take<AlarmTimer>(); });
  }

  void ReportSignals() override {
    if (std::exchange(reports_signals_, true)) return;
    OpenSignalChannel();
  }

 private:
  // How many ends of children this process has seen. Under the baton.
  uint64_t seen_ = 0;
  bool reports_signals_ = false;
};

class RemoteTransit final : public Transit {
 public:
  Position PositionOf(int fd) override {
    return AskFor<Position>(Request::kPosition, static_cast<int32_t>(fd));
  }
  int Hold(int fd, uint64_t inode) override {
    return AskFor<int32_t>(Request::kHold, static_cast<int32_t>(fd), inode);
  }
  int Find(uint64_t inode) override {
    return AskFor<int32_t>(Request::kFind, inode);
  }
  void Install(int held, int fd, bool close_on_exec) override {
    AskFor<char>(Request::kInstall, static_cast<int32_t>(held),
                 static_cast<int32_t>(fd), close_on_exec);
  }
  void Discard(int held) override {
    AskFor<char>(Request::kDiscard, static_cast<int32_t>(held));
  }

 private:
  template <typename Result, typename... Arguments>
  static Result AskFor(Request request, Arguments... arguments) {
    const fake::KernelSection section;
    MessageWriter message;
    (message.Put(arguments), ...);
    return Ask(request, message,
               [](MessageReader& reply) { return reply.Take<Result>(); });
  }
};

// Returns the kind of an inherited placeholder; kNative: it is none, or is not
// open.
Kind KindOfInherited(int fd) {
  std::array<char, 64> target = {};
  const ssize_t size = readlink(absl::StrCat("/proc/self/fd/", fd).c_str(),
                                target.data(), target.size());
  if (size < 0) return Kind::kNative;
  const absl::string_view text(target.data(), static_cast<size_t>(size));
  if (absl::StrContains(text, "[eventfd]")) return Kind::kCounter;
  if (absl::StrContains(text, "[timerfd]")) return Kind::kTimer;
  if (absl::StrContains(text, "[eventpoll]")) return Kind::kEpoll;
  return absl::StartsWith(text, "socket:") ? KindOfSocket(fd) : Kind::kNative;
}

// Takes over the descriptors that the process had before execve(2). What was
// closed without a hook, by posix_spawn(3) for instance, is closed on the
// FakeKernel, too.
void TakeDescriptors(Syscalls& sys) {
  std::vector<int> fds;
  {
    const fake::KernelSection section;
    Ask(Request::kDescriptors, {}, [&](MessageReader& reply) {
      fds.resize(reply.Take<uint32_t>());
      for (int& fd : fds) fd = reply.Take<int32_t>();
      return 0;
    });
    for (const int fd : fds) {
      const Kind kind = KindOfInherited(fd);
      SetKind(fd, kind);
      if (kind == Kind::kEpoll) FindNativeMembers(fd);
    }
  }
  for (const int fd : fds) {
    if (!IsOwned(fd)) static_cast<void>(sys.Close(fd));
  }
}

// Never destroyed: threads may outlive main().
struct SharedWorld {
  RemoteSyscalls sys;
  RemoteMachine machine;
  RemoteTree tree;
  RemoteTransit transit;
  World face;
};

// Makes the process a client, and puts its World in charge.
SharedWorld& Start(const Hello& hello, absl::Duration native_wait) {
  BeginProcess(hello);
  auto& world = *new SharedWorld;
  world.face = {.sys = &world.sys,
                .machine = &world.machine,
                .native_wait = native_wait,
                .tree = &world.tree,
                .transit = &world.transit};
  PutInCharge(&world.face);
  return world;
}

}  // namespace

ProcessTree& StartAsClient(absl::Duration native_wait) {
  SharedWorld& world = Start(NewHello(Role::kProgram), native_wait);
  TakeDescriptors(world.sys);
  return world.tree;
}

ProcessTree& BecomeClient(int number, absl::Duration native_wait) {
  ProcessTree& tree = Start(NewHello(Role::kThread, number), native_wait).tree;
  if (HasSignalHandlers()) tree.ReportSignals();
  return tree;
}

}  // namespace net::preload
