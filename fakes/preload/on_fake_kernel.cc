// The program on_fake_kernel: see kHelp.

#include <sys/random.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/preload/options.h"
#include "fakes/preload/program_file.h"
#include "fakes/preload/shared/run_shared.h"
#include "fakes/preload/shared/server_address.h"
#include "syscalls/testing/command_line.h"

ABSL_FLAG(std::string, seed, "", "");
ABSL_FLAG(std::string, plan, "", "");
ABSL_FLAG(std::string, link, "", "");
ABSL_FLAG(std::string, sysctl, "", "");
ABSL_FLAG(std::string, trace, "", "");
ABSL_FLAG(std::string, native_wait, "", "");
ABSL_FLAG(std::string, stall_limit, "", "");
ABSL_FLAG(bool, shared, false, "");
ABSL_FLAG(bool, help, false, "");

namespace net::preload {
namespace {

constexpr absl::string_view kHelp =
    R"help(usage: on_fake_kernel [FLAGS] -- COMMAND [ARGUMENTS...]

Runs COMMAND, an unmodified program, on a FakeKernel: a model of Linux's TCP in
the memory of the program. Its TCP sockets, eventfds, timerfds, epolls and pairs
of Unix sockets belong to the FakeKernel, and its time is virtual: a timeout of
a minute passes at once. Its threads run one at a time, in an order that the seed
chooses. Its files, pipes, terminals and other sockets stay Linux's.

  on_fake_kernel -- ./server_test --gtest_filter='Server.*'
  on_fake_kernel --seed=7 --trace=- -- python3 -m unittest
  on_fake_kernel --plan='accept4#2=EMFILE' -- ./server_test
  on_fake_kernel --link='* <-> 127.0.0.2 delay=20ms loss=0.1' -- ./client_test

  --seed=N           chooses ephemeral ports and the order of threads (1)
  --plan=TEXT        which calls fail, and how: "accept4#2=EMFILE; send=short(1)",
                     in the grammar of fakes/faults/fault_plan.h
  --link=TEXT        properties of links: "FROM <-> TO WORD...; ...", or -> for
                     one direction. FROM and TO are addresses or *. WORD is
                     delay=DURATION, jitter=DURATION, bandwidth=BYTES (a second),
                     loss=PROBABILITY, seed=N, drop, reject or cut
  --sysctl=TEXT      "NAME=VALUE; ...": sysctls of the FakeKernel
  --trace=FILE       append the calls and their results to FILE; - is stderr
  --native-wait=DURATION
                     the real time for which a descriptor of Linux must have no
                     event before virtual time passes in a call that waits for
                     it (10ms)
  --stall-limit=DURATION
                     report a thread that keeps the others from running for
                     this long, in real time (10s)
  --shared           hold the FakeKernel in the process of on_fake_kernel from the
                     start. COMMAND may then fork while it has several threads.
                     What COMMAND leaves behind is killed at its end
  --help             print this and exit

When COMMAND forks or executes another program, its FakeKernel moves to a server
process: COMMAND and its descendants connect to each other, and share sockets
over fork(2) and execve(2). A call then takes about 10us more.

  on_fake_kernel -- sh -c 'python3 -m http.server & sleep 1; curl ...'

Limits: COMMAND is linked dynamically against glibc. Unix sockets, except pairs,
and UDP sockets are Linux's. Without --shared, a FakeKernel cannot move while a
second thread uses it: the child has a FakeKernel of its own, and ends with
status 2 when it uses a socket of its parent.

exit status:
  COMMAND's;
  2    the command line has a mistake, or COMMAND cannot run on a FakeKernel
  126  COMMAND cannot be executed
  127  COMMAND was not found
)help";

constexpr int kRefused = 2;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

int Fail(int status, absl::string_view message) {
  std::cerr << "on_fake_kernel: " << message << "\n";
  return status;
}

// The path of a library, which lies beside this program.
std::string LibraryPath(absl::string_view name) {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  const std::string self(path, size > 0 ? static_cast<size_t>(size) : 0);
  return absl::StrCat(self.substr(0, self.rfind('/')), "/", name);
}

// Returns a name that no other run has.
std::string NewServerName() {
  uint64_t random = 0;
  while (getrandom(&random, sizeof(random), 0) < 0 && errno == EINTR) {
  }
  return absl::StrCat("net_fake/", getpid(), "/", absl::Hex(random));
}

std::string TextOf(const OptionName& name) {
  if (name.flag == kSeed.flag) return absl::GetFlag(FLAGS_seed);
  if (name.flag == kPlan.flag) return absl::GetFlag(FLAGS_plan);
  if (name.flag == kLinks.flag) return absl::GetFlag(FLAGS_link);
  if (name.flag == kSysctls.flag) return absl::GetFlag(FLAGS_sysctl);
  if (name.flag == kTrace.flag) {
    const std::string trace = absl::GetFlag(FLAGS_trace);
    return trace.empty() || trace == "-" ? trace : FromCallersFolder(trace);
  }
  if (name.flag == kNativeWait.flag) return absl::GetFlag(FLAGS_native_wait);
  return absl::GetFlag(FLAGS_stall_limit);
}

int Run(absl::Span<char* const> command) {
  for (const OptionName& name : kAllOptions) {
    const std::string text = TextOf(name);
    if (text.empty()) {
      unsetenv(name.variable);
    } else {
      setenv(name.variable, text.c_str(), 1);
    }
  }
  const auto options = ParseOptions(
      [](const OptionName& name) { return getenv(name.variable); });
  if (!options.ok()) return Fail(kRefused, options.status().message());
  const std::string program = FindProgram(command.front());
  if (program.empty()) {
    return Fail(kNotFound, absl::StrCat(command.front(), ": not found"));
  }
  const absl::Status suitable = CheckProgram(program);
  if (!suitable.ok()) return Fail(kRefused, suitable.message());
  const std::string library = LibraryPath("libnet_fake.so");
  if (access(library.c_str(), R_OK) != 0) {
    return Fail(kRefused,
                absl::StrCat(library, ": ", std::strerror(errno),
                             ". Build //fakes/preload:on_fake_kernel"));
  }
  const char* const others = getenv("LD_PRELOAD");
  const std::string preload =
      others == nullptr ? library : absl::StrCat(library, ":", others);
  setenv("LD_PRELOAD", preload.c_str(), 1);
  setenv(kServerVariable, NewServerName().c_str(), 1);
  if (absl::GetFlag(FLAGS_shared)) {
    return Fail(kRefused, RunShared(*options, program, command));
  }
  std::vector<char*> arguments(command.begin(), command.end());
  arguments.push_back(nullptr);
  execv(program.c_str(), arguments.data());
  return Fail(kNotExecutable,
              absl::StrCat(program, ": ", std::strerror(errno)));
}

int Main(absl::Span<char* const> arguments) {
  size_t end = 0;
  while (end < arguments.size() && std::strcmp(arguments[end], "--") != 0) {
    ++end;
  }
  const absl::Status parsed = ParseFlags(arguments.first(end));
  if (!parsed.ok()) {
    return Fail(kRefused,
                absl::StrCat(parsed.message(), " (--help shows the flags)"));
  }
  if (absl::GetFlag(FLAGS_help)) {
    std::cout << kHelp;
    return 0;
  }
  if (end + 1 >= arguments.size()) {
    return Fail(kRefused, "no COMMAND after -- (--help shows the flags)");
  }
  return Run(arguments.subspan(end + 1));
}

}  // namespace
}  // namespace net::preload

int main(int argc, char** argv) {
  return net::preload::Main(
      absl::MakeConstSpan(argv, static_cast<size_t>(argc)).subspan(1));
}
