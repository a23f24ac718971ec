#include "fakes/preload/process_hooks.h"

#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/native.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "syscalls/mutex.h"

// Functions that make processes, execute programs, and wait for processes.

NET_NEXT_FUNCTION(fork)
NET_NEXT_FUNCTION(daemon)
NET_NEXT_FUNCTION(forkpty)
NET_NEXT_FUNCTION(posix_spawn)
NET_NEXT_FUNCTION(posix_spawnp)
NET_NEXT_FUNCTION(popen)
NET_NEXT_FUNCTION(pclose)
NET_NEXT_FUNCTION(system)
NET_NEXT_FUNCTION(waitpid)
NET_NEXT_FUNCTION(waitid)
NET_NEXT_FUNCTION(wait4)

namespace net::preload {
namespace {

constexpr char kShell[] = "/bin/sh";

// Returns the tree of the calling process, or null.
ProcessTree* TreeOfCaller() { return IsInCharge() ? Tree() : nullptr; }

// Returns the tree of the calling process, which is about to make a child.
// Null: the child has a FakeKernel of its own.
ProcessTree* SharedTree() {
  if (!IsInCharge()) return nullptr;
  return Own() != nullptr ? Own()->Share() : Tree();
}

// Calls `call`, a form of wait4(2), with additional options until it returns
// something else than 0.
template <typename Function>
pid_t AwaitChild(pid_t pid, int options, Function call) {
  if ((options & WNOHANG) != 0) return call(0);
  ProcessTree* const tree = TreeOfCaller();
  while (tree != nullptr) {
    const pid_t ended = call(WNOHANG);
    if (ended != 0) return ended;
    const ChildWait why = tree->AwaitChild(pid);
    if (why == ChildWait::kUnknown) break;
    if (why == ChildWait::kDeadlock || why == ChildWait::kSignal) {
      // The signal can be that of the child's end, for which Linux looks first.
      const pid_t last = call(WNOHANG);
      if (last != 0) return last;
      errno = why == ChildWait::kSignal ? EINTR : EDEADLK;
      return -1;
    }
  }
  return RunNative([&] { return call(0); });
}

// The number of the child that the calling thread forks, from the handler
// before fork(2) to the one after it; -1: there is none.
thread_local int forked_child = -1;

// The C library calls them for its own calls of fork(2), too: daemon(3).
void BeforeFork() {
  ProcessTree* const tree = TreeOfCaller();
  if (tree != nullptr) forked_child = tree->Announce();
}

void InChild() {
  if (TreeOfCaller() != nullptr) Tree()->Enter(std::exchange(forked_child, -1));
}

// Calls `fork`, a form of fork(2).
template <typename Function>
pid_t Fork(Function fork) {
  SharedTree();
  const pid_t pid = fork();
  ProcessTree* const tree = TreeOfCaller();
  if (pid == 0 || tree == nullptr) return pid;
  tree->Report(std::exchange(forked_child, -1), pid);
  return pid;
}

// Calls `spawn`, a form of posix_spawn(3).
template <typename Function>
int Spawn(pid_t* pid, Function spawn) {
  ProcessTree* const tree = SharedTree();
  pid_t child = -1;
  if (tree == nullptr) return spawn(pid);
  const int number = tree->Announce();
  const int error = spawn(&child);
  tree->Report(number, error == 0 ? child : -1);
  if (error == 0 && pid != nullptr) *pid = child;
  return error;
}

// ---- system(3) and popen(3), whose functions in the C library make children
// that no hook sees

// Starts a shell for a command. Returns an error, or 0.
int StartShell(pid_t* pid, const char* command,
               const posix_spawn_file_actions_t* actions,
               const posix_spawnattr_t* attributes) {
  const char* const arguments[] = {"sh", "-c", command, nullptr};
  return posix_spawn(pid, kShell, actions, attributes,
                     const_cast<char* const*>(arguments), environ);
}

int RunShell(const char* command) {
  struct sigaction ignored = {};
  ignored.sa_handler = SIG_IGN;
  struct sigaction interrupt = {};
  struct sigaction quit = {};
  sigset_t child_signal;
  sigset_t before;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigaction(SIGINT, &ignored, &interrupt);
  sigaction(SIGQUIT, &ignored, &quit);
  pthread_sigmask(SIG_BLOCK, &child_signal, &before);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  if (interrupt.sa_handler != SIG_IGN) sigaddset(&defaults, SIGINT);
  if (quit.sa_handler != SIG_IGN) sigaddset(&defaults, SIGQUIT);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setsigmask(&attributes, &before);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  int status = -1;
  const int error = StartShell(&pid, command, nullptr, &attributes);
  if (error != 0) errno = error;
  while (error == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  posix_spawnattr_destroy(&attributes);
  sigaction(SIGINT, &interrupt, nullptr);
  sigaction(SIGQUIT, &quit, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

// The children of popen(3), by stream.
constinit Mutex streams_mutex;
std::map<FILE*, pid_t>& Streams() {
  static auto& streams = *new std::map<FILE*, pid_t>;
  return streams;
}

FILE* OpenShell(const char* command, const char* mode) {
  const bool reads = mode[0] == 'r';
  if (!reads && mode[0] != 'w') {
    errno = EINVAL;
    return nullptr;
  }
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return nullptr;
  const int own = fds[reads ? 0 : 1];
  const int other = fds[reads ? 1 : 0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, other,
                                   reads ? STDOUT_FILENO : STDIN_FILENO);
  pid_t pid = -1;
  const int error = StartShell(&pid, command, &actions, nullptr);
  posix_spawn_file_actions_destroy(&actions);
  close(other);
  if (error != 0) {
    close(own);
    errno = error;
    return nullptr;
  }
  if (std::strchr(mode, 'e') == nullptr) fcntl(own, F_SETFD, 0);
  FILE* const stream = fdopen(own, reads ? "r" : "w");
  const fake::KernelSection section;
  const MutexLock lock(streams_mutex);
  Streams()[stream] = pid;
  return stream;
}

// Forgets the stream. Returns the process ID of its child, or -1.
pid_t TakeChild(FILE* stream) {
  const fake::KernelSection section;
  const MutexLock lock(streams_mutex);
  const auto found = Streams().find(stream);
  if (found == Streams().end()) return -1;
  const pid_t pid = found->second;
  Streams().erase(found);
  return pid;
}

int CloseShell(FILE* stream, pid_t pid) {
  std::fclose(stream);
  int status = -1;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

}  // namespace

void HandleForks() { pthread_atfork(&BeforeFork, nullptr, &InChild); }

}  // namespace net::preload

using net::preload::AwaitChild;
using net::preload::RunNative;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

pid_t fork() noexcept {
  return net::preload::Fork([] { return next::fork(); });
}

// A hook of vfork(2) cannot return twice on one stack. fork(2) is what vfork(2)
// promises, only slower.
pid_t vfork() noexcept { return fork(); }

int posix_spawn(pid_t* pid, const char* path,
                const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const arguments[],
                char* const environment[]) {
  return net::preload::Spawn(pid, [&](pid_t* child) {
    return next::posix_spawn(child, path, actions, attributes, arguments,
                             environment);
  });
}

int posix_spawnp(pid_t* pid, const char* file,
                 const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const arguments[],
                 char* const environment[]) {
  return net::preload::Spawn(pid, [&](pid_t* child) {
    return next::posix_spawnp(child, file, actions, attributes, arguments,
                              environment);
  });
}

int forkpty(int* terminal, char* name, const termios* attributes,
            const winsize* size) noexcept {
  return net::preload::Fork(
      [&] { return next::forkpty(terminal, name, attributes, size); });
}

int daemon(int stays, int keeps_descriptors) noexcept {
  // It forks without the hook.
  net::preload::SharedTree();
  return next::daemon(stays, keeps_descriptors);
}

int system(const char* command) {
  if (command == nullptr || net::preload::SharedTree() == nullptr) {
    return RunNative([&] { return next::system(command); });
  }
  return net::preload::RunShell(command);
}

FILE* popen(const char* command, const char* mode) {
  if (net::preload::SharedTree() == nullptr) {
    return next::popen(command, mode);
  }
  return net::preload::OpenShell(command, mode);
}

int pclose(FILE* stream) {
  const pid_t pid = net::preload::TakeChild(stream);
  if (pid < 0) return RunNative([&] { return next::pclose(stream); });
  return net::preload::CloseShell(stream, pid);
}

pid_t wait(int* status) { return waitpid(-1, status, 0); }

pid_t waitpid(pid_t pid, int* status, int options) {
  return AwaitChild(pid, options, [&](int more) {
    return next::waitpid(pid, status, options | more);
  });
}

int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  siginfo_t unused;
  siginfo_t* const result = info == nullptr ? &unused : info;
  const pid_t wanted = type == P_PID ? static_cast<pid_t>(id) : -1;
  // waitid(2) returns 0, with the process ID in its result.
  const pid_t ended = AwaitChild(wanted, options, [&](int more) -> pid_t {
    result->si_pid = 0;
    const int error = next::waitid(type, id, result, options | more);
    return error != 0 ? -1 : result->si_pid;
  });
  return ended < 0 ? -1 : 0;
}

pid_t wait3(int* status, int options, rusage* usage) noexcept {
  return wait4(-1, status, options, usage);
}

pid_t wait4(pid_t pid, int* status, int options, rusage* usage) noexcept {
  return AwaitChild(pid, options, [&](int more) {
    return next::wait4(pid, status, options | more, usage);
  });
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
