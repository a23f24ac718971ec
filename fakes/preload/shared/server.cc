#include "fakes/preload/shared/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/hangs.h"
#include "fakes/kernel/kernel_mutex.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/preload/linux_process.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "fakes/preload/shared/proxy.h"
#include "fakes/preload/shared/server_address.h"
#include "fakes/preload/syscall_stack.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

using fake::ParticipantState;

// Starts a thread of the server, which runs to the end of the program. The
// server of a tree that began without one is in a process with the hooks, which
// are not for its threads.
void StartThread(std::function<void()> body) {
  std::thread([body = std::move(body)] {
    const fake::KernelSection section;
    body();
  }).detach();
}

// Ends the participant's wait, if it is in one.
void InterruptWait(ParticipantState& state) {
  const fake::KernelSection section;
  const fake::KernelMutexLock lock(state.scheduler->mutex());
  state.scheduler->Interrupt(state, /*restart=*/false);
}

// Ends each wait of the participant until its thread has ended.
void InterruptUntilEnd(ParticipantState& state) {
  const fake::KernelSection section;
  const fake::KernelMutexLock lock(state.scheduler->mutex());
  while (state.scheduler->AwaitBlocked(state)) {
    state.scheduler->Interrupt(state, /*restart=*/false);
  }
}

}  // namespace

std::string ServedProcess::Name() const {
  return absl::StrCat(program, "[", number, "]");
}

// --- The native descriptors of clients

SysResult RemoteDescriptors::Make(const PlaceholderSpec& spec) {
  MessageWriter question;
  question.Put(spec);
  return Proxy::Current()
      ->AskClient(Answer::kMakePlaceholder, question)
      .Take<SysResult>();
}

SysResult RemoteDescriptors::MakePipe(int* /*fds*/, int /*flags*/) {
  return SysResult::Error(ENOSYS);
}

void RemoteDescriptors::Close(int fd) {
  MessageWriter question;
  question.Put(fd);
  Proxy::Current()->AskClient(Answer::kClose, question);
}

void RemoteDescriptors::Duplicate(int old_fd, int new_fd, int flags) {
  MessageWriter question;
  question.Put(old_fd).Put(new_fd).Put(flags);
  Proxy::Current()->AskClient(Answer::kDuplicate, question);
}

// --- The beginning and the end

SharedServer::SharedServer(Options options, FakeKernel& kernel,
                           TraceFile& trace, TransitStore& transit)
    : options_(std::move(options)),
      kernel_(kernel),
      trace_(trace),
      transit_(transit) {}

absl::Status SharedServer::Listen(absl::string_view name) {
  constexpr int kBacklog = 1024;
  const ServerAddress address(name);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || bind(listener_, address.get(), address.size()) != 0 ||
      listen(listener_, kBacklog) != 0) {
    absl::Status failed =
        absl::ErrnoToStatus(errno, "cannot make a Unix socket");
    if (listener_ >= 0) close(std::exchange(listener_, -1));
    return failed;
  }
  return absl::OkStatus();
}

void SharedServer::Start(pid_t command) {
  StartTree(AddProcess(/*parent=*/nullptr), command, /*state=*/nullptr);
}

void SharedServer::StartWith(pid_t pid, FakeProcess& process,
                             SyscallStack& stack, ParticipantState& state) {
  state.scheduler->SetDeadlockLimit(kDeadlockOfTree);
  ServedProcess* served = nullptr;
  {
    const absl::MutexLock lock(&mutex_);
    served = &processes_.emplace_back(process, stack);
    served->program = program_invocation_short_name;
    stack.MoveTo(natives_);
    stack.Rename(served->Name());
  }
  StartTree(*served, pid, &state);
}

void SharedServer::StartTree(ServedProcess& process, pid_t pid,
                             ParticipantState* state) {
  fake::internal_kernel_section::run_deferred = &Proxy::RunHandlers;
  static SharedServer* server = nullptr;
  server = this;
  SetHangHandler([](absl::string_view /*report*/) { server->OnHang(); });
  AddProxy(process, state, /*is_outsider=*/false, {});
  SetPid(process, pid);
  StartThread([this] { AcceptConnections(); });
}

void SharedServer::AwaitEnd() {
  const auto has_ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::all_of(processes_.begin(), processes_.end(),
                       [](const ServedProcess& one) { return one.ended; });
  };
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&has_ended));
}

void SharedServer::KillAll() {
  const absl::MutexLock lock(&mutex_);
  KillEach();
}

void SharedServer::KillEach() {
  for (const ServedProcess& process : processes_) {
    if (process.pidfd < 0 || process.dead) continue;
    syscall(SYS_pidfd_send_signal, process.pidfd, SIGKILL, nullptr, 0);
  }
}

void SharedServer::OnHang() {
  // Whoever holds it may wait for the kernel's mutex, which the caller holds.
  if (!mutex_.TryLock()) return;
  KillEach();
  mutex_.Unlock();
}

// --- Processes and their threads

ServedProcess& SharedServer::AddProcess(ServedProcess* parent) {
  const absl::MutexLock lock(&mutex_);
  const int number = static_cast<int>(processes_.size()) + 1;
  const FakeProcessOptions options = ProcessOptionsFor(absl::StrCat(number));
  FakeProcess& on_kernel = parent == nullptr
                               ? kernel_.NewProcess(options)
                               : parent->process.Fork(options.name);
  ServedProcess& process = processes_.emplace_back(
      kernel_, on_kernel, natives_, options_, trace_, number, parent);
  if (parent != nullptr) process.program = parent->program;
  process.stack.Rename(process.Name());
  return process;
}

Proxy& SharedServer::AddProxy(ServedProcess& process, ParticipantState* state,
                              bool is_outsider, Arrival arrival) {
  Proxy* proxy = nullptr;
  {
    const absl::MutexLock lock(&mutex_);
    const int number = static_cast<int>(proxies_.size());
    proxies_.push_back(
        std::make_unique<Proxy>(*this, process, number, is_outsider));
    proxy = proxies_.back().get();
    proxy->state_ = state;
    proxy->delivered_ = std::move(arrival);
    proxy->executions_ = process.executions;
    process.proxies.push_back(proxy);
  }
  StartThread([this, proxy, state, is_outsider] {
    std::optional<FakeKernel::Participant> participant;
    if (state != nullptr) {
      fake::BeginParticipant(*state);
    } else if (!is_outsider) {
      participant.emplace(kernel_, proxy->process().Name());
      const absl::MutexLock lock(&mutex_);
      proxy->state_ = fake::Scheduler::Innermost();
    }
    proxy->Run();
    EndIfDead(proxy->process());
    {
      const absl::MutexLock lock(&mutex_);
      std::erase(proxy->process().proxies, proxy);
    }
    if (state != nullptr) fake::EndParticipant(*state);
  });
  return *proxy;
}

Proxy* SharedServer::FindProxy(int number) {
  const bool exists =
      number >= 0 && static_cast<size_t>(number) < proxies_.size();
  return exists ? proxies_[static_cast<size_t>(number)].get() : nullptr;
}

ServedProcess* SharedServer::FindProcess(pid_t pid) {
  for (ServedProcess& process : processes_) {
    if (process.pid == pid && !process.dead) return &process;
  }
  return nullptr;
}

void SharedServer::SetPid(ServedProcess& process, pid_t pid) {
  {
    const absl::MutexLock lock(&mutex_);
    if (process.pid != 0) return;
    process.pid = pid;
    process.pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    // Its parent has not waited for it yet, so ESRCH cannot be.
    if (process.pidfd < 0) process.dead = true;
  }
  StartThread([this, &process] { AwaitDeath(process); });
}

void SharedServer::AwaitDeath(ServedProcess& process) {
  pollfd death = {.fd = -1, .events = POLLIN, .revents = 0};
  {
    const absl::MutexLock lock(&mutex_);
    death.fd = process.pidfd;
  }
  while (death.fd >= 0 && poll(&death, 1, /*timeout=*/-1) < 0 &&
         errno == EINTR) {
  }
  std::vector<ParticipantState*> states;
  {
    const absl::MutexLock lock(&mutex_);
    process.dead = true;
    if (process.pidfd >= 0) close(std::exchange(process.pidfd, -1));
    for (const Proxy* const proxy : process.proxies) {
      if (proxy->state() != nullptr) states.push_back(proxy->state());
    }
  }
  for (ParticipantState* const state : states) InterruptUntilEnd(*state);
  // If none of its threads had a proxy any more.
  EndIfDead(process);
}

void SharedServer::InterruptProxies(ServedProcess& process, const Proxy* self) {
  std::vector<ParticipantState*> states;
  {
    const absl::MutexLock lock(&mutex_);
    for (const Proxy* const proxy : process.proxies) {
      if (proxy != self && proxy->state() != nullptr) {
        states.push_back(proxy->state());
      }
    }
  }
  if (states.empty()) return;
  // Those that wait go on in the order of the schedule.
  for (ParticipantState* const state : states) InterruptWait(*state);
  // The others may wait soon.
  StartThread([states] {
    for (ParticipantState* const state : states) InterruptUntilEnd(*state);
  });
}

void SharedServer::EndIfDead(ServedProcess& process) {
  {
    const absl::MutexLock lock(&mutex_);
    if (!process.dead || process.ended) return;
    process.ended = true;
  }
  InterruptProxies(process, Proxy::Current());
  process.process.Exit();
  if (process.parent == nullptr) return;
  {
    const absl::MutexLock lock(&mutex_);
    ++process.parent->ended_children;
    for (fake::ObjectWait* const wait : process.parent->child_waits) {
      wait->Wake();
    }
  }
  AwaitChildSignal(process);
}

// --- Connections

void SharedServer::AcceptConnections() {
  const uid_t user = geteuid();
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ucred peer = {};
    socklen_t size = sizeof(peer);
    Arrival arrival;
    arrival.channel = std::make_unique<MessageChannel>(fd);
    uint32_t type = 0;
    MessageReader message;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
        (user != 0 && peer.uid != user) ||
        !arrival.channel->Receive(type, message)) {
      continue;
    }
    auto hello = message.Take<Hello>();
    hello.name[sizeof(hello.name) - 1] = '\0';
    arrival.program = hello.name;
    arrival.thread = hello.thread;
    Receive(std::move(arrival), hello, peer.pid);
  }
}

void SharedServer::Receive(Arrival arrival, const Hello& hello, pid_t pid) {
  if (hello.role == Role::kThread) {
    ServedProcess* process = nullptr;
    {
      const absl::MutexLock lock(&mutex_);
      Proxy* const proxy = FindProxy(hello.number);
      if (proxy == nullptr) return;
      process = &proxy->process();
      proxy->Deliver(std::move(arrival));
    }
    return SetPid(*process, pid);
  }
  ServedProcess& process = ProcessOf(pid);
  if (hello.role == Role::kSignals) {
    return StartThread(
        [this, &process,
         channel = std::shared_ptr<MessageChannel>(
             std::move(arrival.channel))] { ServeSignals(process, *channel); });
  }
  const bool is_outsider = hello.role == Role::kOutsider;
  if (is_outsider) {
    AddProxy(process, /*state=*/nullptr, is_outsider, std::move(arrival));
    return;
  }
  {
    const absl::MutexLock lock(&mutex_);
    process.arrival = std::move(arrival);
    if (!process.proxies.empty()) return;
  }
  AddProxy(process, /*state=*/nullptr, is_outsider, {});
}

ServedProcess& SharedServer::ProcessOf(pid_t pid) {
  const pid_t parent_id = StatusOf(pid).parent;
  ServedProcess* parent = nullptr;
  ServedProcess* announced = nullptr;
  {
    const absl::MutexLock lock(&mutex_);
    ServedProcess* const known = FindProcess(pid);
    if (known != nullptr) return *known;
    parent = FindProcess(parent_id);
    for (ServedProcess& process : processes_) {
      if (announced == nullptr && parent != nullptr &&
          process.parent == parent && process.pid == 0 && !process.dead) {
        announced = &process;
      }
    }
  }
  ServedProcess& process =
      announced == nullptr ? AddProcess(parent) : *announced;
  SetPid(process, pid);
  return process;
}

}  // namespace net::preload
