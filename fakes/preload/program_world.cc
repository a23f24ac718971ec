#include <pthread.h>

#include <cerrno>
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
#include "fakes/kernel/participant.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/kernel_machine.h"
#include "fakes/preload/options.h"
#include "fakes/preload/syscall_stack.h"
#include "fakes/preload/world.h"
#include "fakes/threads/waiter.h"

namespace net::preload {
namespace {

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

// The World of a program that has loaded libnet_fake.so. A child of fork(2) has
// one of its own, whose time goes on from its parent's.
class ProgramWorld {
 public:
  explicit ProgramWorld(const Options& options)
      : kernel_(KernelOptionsOf(options)), machine_(kernel_) {
    SetLinks(options, kernel_);
    if (!options.trace.empty()) {
      const absl::Status opened = trace_.Open(options.trace);
      if (!opened.ok()) Refuse(opened.message());
    }
    stack_.emplace(kernel_, kernel_.NewProcess(ProcessOptions()),
                   OwnDescriptors(), options, trace_, /*name=*/"");
    main_.emplace(kernel_);
    face_ = {.sys = &stack_->top(),
             .machine = &machine_,
             .native_wait = options.native_wait};
    PutInCharge(&face_);
  }

  FakeKernel& kernel() { return kernel_; }

 private:
  FakeKernel kernel_;
  KernelMachine machine_;
  TraceFile trace_;
  std::optional<SyscallStack> stack_;
  std::optional<FakeKernel::Participant> main_;
  World face_ = {};
};

// Never destroyed: threads may outlive main(). Null before the program starts.
ProgramWorld* world = nullptr;

absl::StatusOr<Options> OptionsOfEnvironment() {
  return ParseOptions(
      [](const OptionName& name) { return getenv(name.variable); });
}

// Runs in the child of fork(2). The threads, the connections and the FakeKernel
// that serves them are in the parent. This process has a copy of the
// FakeKernel, which it cannot use.
void StartInChild() {
  if (world == nullptr) return;
  fake::LeaveAfterFork();
  threads::ForgetWaiters();
  DisownDescriptors();
  const absl::Duration now = world->kernel().Now();
  absl::StatusOr<Options> options = OptionsOfEnvironment();
  // The program may have changed its environment.
  world = new ProgramWorld(options.ok() ? *options : Options());
  world->kernel().Advance(now);
}

// Runs before the initialisers of the program, but after those of this library
// and of the libraries that it uses.
[[gnu::constructor]] void StartWorld() {
  const absl::StatusOr<Options> options = OptionsOfEnvironment();
  if (!options.ok()) Refuse(options.status().message());
  pthread_atfork(nullptr, nullptr, &StartInChild);
  world = new ProgramWorld(*options);
}

}  // namespace
}  // namespace net::preload
