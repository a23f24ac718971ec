#include "fakes/preload/shared/run_shared.h"

#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "fakes/fake_kernel.h"
#include "fakes/preload/options.h"
#include "fakes/preload/shared/server.h"
#include "fakes/preload/shared/server_address.h"
#include "fakes/preload/syscall_stack.h"
#include "fakes/preload/transit_store.h"

namespace net::preload {
namespace {

constexpr int kNotExecutable = 126;

std::atomic<pid_t> command_pid = 0;

void ForwardSignal(int signal) {
  const int error = errno;
  kill(command_pid.load(), signal);
  errno = error;
}

// The terminal sends its signals to the whole group. Those that are for one
// process are passed on.
void ForwardSignals() {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  struct sigaction action = {};
  action.sa_handler = &ForwardSignal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) {
    sigaction(signal, &action, nullptr);
  }
}

[[noreturn]] void EndAs(int status) {
  std::cout << std::flush;
  std::cerr << std::flush;
  if (WIFSIGNALED(status)) {
    const rlimit no_core = {};
    setrlimit(RLIMIT_CORE, &no_core);
    std::signal(WTERMSIG(status), SIG_DFL);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
    raise(WTERMSIG(status));
  }
  // The threads of the server go on: no destructor may run.
  std::_Exit(WEXITSTATUS(status));
}

}  // namespace

std::string RunShared(const Options& options, const std::string& program,
                      absl::Span<char* const> command) {
  // Never destroyed: its threads run until the end.
  auto& trace = *new TraceFile;
  const absl::Status opened = trace.Open(options.trace);
  if (!opened.ok()) return std::string(opened.message());
  FakeKernelOptions kernel_options = KernelOptionsOf(options);
  kernel_options.hangs.deadlock = kDeadlockOfTree;
  auto& kernel = *new FakeKernel(kernel_options);
  SetLinks(options, kernel);
  auto& transit = *new TransitStore(kernel);
  auto& server = *new SharedServer(options, kernel, trace, transit);
  const absl::Status listening = server.Listen(getenv(kServerVariable));
  if (!listening.ok()) return std::string(listening.message());
  std::vector<char*> arguments(command.begin(), command.end());
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return std::strerror(errno);
  if (pid == 0) {
    execv(program.c_str(), arguments.data());
    std::fprintf(stderr, "on_fake_kernel: %s: %s\n", program.c_str(),
                 std::strerror(errno));
    std::_Exit(kNotExecutable);
  }
  command_pid = pid;
  ForwardSignals();
  server.Start(pid);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return std::strerror(errno);
  }
  server.KillAll();
  EndAs(status);
}

}  // namespace net::preload
