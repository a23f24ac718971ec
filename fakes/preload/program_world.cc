#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/kernel_machine.h"
#include "fakes/preload/machine.h"
#include "fakes/preload/options.h"
#include "fakes/preload/process_hooks.h"
#include "fakes/preload/shared/client.h"
#include "fakes/preload/shared/server.h"
#include "fakes/preload/shared/server_address.h"
#include "fakes/preload/shared/shared_world.h"
#include "fakes/preload/syscall_stack.h"
#include "fakes/preload/timers.h"
#include "fakes/preload/transit_store.h"
#include "fakes/preload/world.h"
#include "fakes/threads/raw_syscalls.h"
#include "fakes/threads/waiter.h"

namespace net::preload {
namespace {

using fake::ParticipantState;

[[noreturn]] void Refuse(absl::string_view reason) {
  constexpr int kRefused = 2;
  std::fprintf(stderr, "libnet_fake.so: %s\n", std::string(reason).c_str());
  std::_Exit(kRefused);
}

FakeProcessOptions ProcessOptions() {
  FakeProcessOptions result = ProcessOptionsFor(program_invocation_short_name);
  result.raises_sigpipe = true;
  return result;
}

// Keeps SIGCHLD from the handlers of the program while it exists, and discards
// it if it was sent meanwhile.
class NoChildSignal {
 public:
  NoChildSignal() {
    sigemptyset(&child_);
    sigaddset(&child_, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &child_, &before_);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGCHLD) == 1;
  }
  NoChildSignal(const NoChildSignal&) = delete;
  NoChildSignal& operator=(const NoChildSignal&) = delete;
  ~NoChildSignal() {
    constexpr timespec kNow = {};
    if (!was_pending_) sigtimedwait(&child_, nullptr, &kNow);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t child_;
  sigset_t before_;
  bool was_pending_ = false;
};

// The World of a program that has loaded libnet_fake.so, while it has its
// FakeKernel to itself.
class ProgramWorld final : public OwnKernel {
 public:
  explicit ProgramWorld(const Options& options,
                        absl::Duration start = absl::ZeroDuration())
      : options_(options),
        start_(start),
        kernel_(KernelOptionsOf(options)),
        machine_(kernel_) {
    SetLinks(options, kernel_);
    const absl::Status opened = trace_.Open(options.trace);
    if (!opened.ok()) Refuse(opened.message());
    process_ = &kernel_.NewProcess(ProcessOptions());
    stack_.emplace(kernel_, *process_, OwnDescriptors(), options, trace_,
                   /*name=*/"");
    kernel_.Advance(start);
    main_.emplace(kernel_);
    transit_.emplace(transit_store_, *process_);
    face_ = {.sys = &stack_->top(),
             .machine = &machine_,
             .native_wait = options.native_wait,
             .own = this,
             .transit = &*transit_};
    PutInCharge(&face_);
  }

  const Options& options() const { return options_; }
  absl::Duration Now() const { return kernel_.Now(); }

  ProcessTree* Share() override {
    ParticipantState* const self = fake::CurrentParticipant();
    if (self == nullptr) return nullptr;
    const TimersSuspended suspended;
    if (self->scheduler->live() > 1) return nullptr;
    // Handlers of signals run on the new FakeKernel or on the old one.
    const fake::KernelSection section;
    return MoveToServer(*self) ? &BecomeClient(0, options_.native_wait)
                               : nullptr;
  }

  void ShareForExec() override {
    const bool has_state = !process_->AllDescriptors().empty() ||
                           CurrentAlarm().deadline != absl::InfiniteDuration();
    if (!has_state && Now() == start_) return;
    if (Share() != nullptr || !has_state) return;
    Refuse(
        "execve(2) in a program with several threads, and sockets or an alarm: "
        "use on_fake_kernel --shared.");
  }

 private:
  // Returns false if there is no server afterwards.
  bool MoveToServer(ParticipantState& self) {
    // Never destroyed: its threads run to the end of the server.
    auto& server = *new SharedServer(options_, kernel_, trace_, transit_store_);
    const char* const name = getenv(kServerVariable);
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
    if (name == nullptr || !server.Listen(name).ok()) return false;
    const bool moved = ForkServer(server, self);
    close(server.listener());
    if (moved) fake::LeaveAfterFork();
    return moved;
  }

  // Forks a process that is no child of this one, which could wait for it. Its
  // memory has the FakeKernel as it is now.
  bool ForkServer(SharedServer& server, ParticipantState& self) {
    const pid_t client = getpid();
    const NoChildSignal no_child_signal;
    const pid_t pid = fork();
    if (pid == 0) {
      const pid_t grandchild = fork();
      if (grandchild != 0) std::_Exit(grandchild < 0 ? 1 : 0);
      Serve(server, self, client);
    }
    int status = 1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && status == 0;
  }

  // The server's process.
  [[noreturn]] void Serve(SharedServer& server, ParticipantState& self,
                          pid_t client) {
    PutInCharge(nullptr);
    // The signals of the client's terminal, and those that are sent to its
    // name, are not for this process.
    setsid();
    prctl(PR_SET_NAME, "net_fake_server");
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    KeepDescriptors(server.listener());
    fake::LeaveAfterFork();
    server.StartWith(client, *process_, *stack_, self);
    server.AwaitEnd();
    std::_Exit(0);
  }

  // Closes the client's native descriptors, whose other ends may wait for that,
  // except those that the server needs.
  void KeepDescriptors(int listener) {
    trace_.Close();
    const auto kept = static_cast<unsigned>(listener);
    if (listener > STDERR_FILENO + 1) {
      close_range(STDERR_FILENO + 1, kept - 1, 0);
    }
    close_range(kept + 1, ~0U, 0);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const absl::Status opened = trace_.Open(options_.trace);
    if (!opened.ok()) Refuse(opened.message());
  }

  const Options options_;
  const absl::Duration start_;  // The virtual time at which it began.
  FakeKernel kernel_;
  KernelMachine machine_;
  TraceFile trace_;
  FakeProcess* process_;
  std::optional<SyscallStack> stack_;
  std::optional<FakeKernel::Participant> main_;
  TransitStore transit_store_{kernel_};
  std::optional<LocalTransit> transit_;
  World face_ = {};
};

// Never destroyed: threads may outlive main(). Null before the program starts,
// and if it began as a client.
ProgramWorld* world = nullptr;

// Runs in the child of fork(2). If the FakeKernel could not move to a server,
// the threads, the connections and the FakeKernel that serves them are in the
// parent. This process has a copy of the FakeKernel, which it cannot use, and
// gets one of its own, whose time goes on from its parent's.
void StartInChild() {
  if (world == nullptr || !IsInCharge() || Own() == nullptr) return;
  fake::LeaveAfterFork();
  threads::ForgetWaiters();
  DisownDescriptors();
  world = new ProgramWorld(world->options(), world->Now());
}

// What follows on such a socket would go to Linux, too.
void RefuseRawSocket(intptr_t number, intptr_t domain) {
  const bool is_ip = domain == AF_INET || domain == AF_INET6;
  if (number != SYS_socket || !is_ip || !IsInCharge()) return;
  Refuse(
      "syscall(SYS_socket): the program makes system calls itself, which do "
      "not reach the FakeKernel.");
}

// Runs before the initialisers of the program, but after those of this library
// and of the libraries that it uses.
[[gnu::constructor]] void StartWorld() {
  const absl::StatusOr<Options> options = ParseOptions(
      [](const OptionName& name) { return getenv(name.variable); });
  if (!options.ok()) Refuse(options.status().message());
  if (FindServer()) {
    ProcessTree& tree = StartAsClient(options->native_wait);
    HandleForks();
    RestoreAlarm(tree.TakeAlarm());
  } else {
    world = new ProgramWorld(*options);
    pthread_atfork(nullptr, nullptr, &StartInChild);
    HandleForks();
  }
  threads::on_syscall = &RefuseRawSocket;
}

}  // namespace
}  // namespace net::preload
