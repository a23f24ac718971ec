#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/kernel/participant.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/options.h"
#include "fakes/preload/world.h"
#include "fakes/tracing_syscalls.h"
#include "syscalls/syscalls.h"

namespace net::preload {
namespace {

constexpr int kRefused = 2;

// The program is not written for the FakeKernel. It may make many calls before
// another thread must run, and lock its mutexes as often as it likes.
constexpr int64_t kManyCalls = 10'000'000;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

FakeKernelOptions KernelOptionsOf(const Options& options) {
  FakeKernelOptions result;
  result.seed = options.seed;
  result.hangs.real_time = options.stall_limit;
  result.hangs.calls_at_one_instant = kManyCalls;
  result.hangs.hooked_calls_at_one_instant = kNoLimit;
  for (const auto& [name, value] : options.sysctls) {
    result.sysctls.Set(name, value);
  }
  return result;
}

FakeProcessOptions ProcessOptions() {
  FakeProcessOptions result;
  result.name = program_invocation_short_name;
  result.uid = geteuid();
  if (result.uid == 0) result.capabilities = FakeCapabilities::All();
  result.raises_sigpipe = true;
  return Placeholders::Behind(result);
}

// The World of a program that has loaded libnet_fake.so. A child of fork(2) has
// one of its own, whose time goes on from its parent's.
class ProgramWorld {
 public:
  explicit ProgramWorld(const Options& options)
      : kernel_(KernelOptionsOf(options)),
        process_(kernel_.NewProcess(ProcessOptions())),
        placeholders_(kernel_, process_),
        sys_(&placeholders_) {
    for (const LinkRule& link : options.links) {
      // ParseLinks() has checked the values.
      static_cast<void>(kernel_.SetLink(link.ends, link.options));
      if (link.cut) kernel_.Cut(link.ends);
    }
    if (!options.plan.rules.empty()) {
      faults_.emplace(*sys_);
      faults_->Arm(options.plan);
      sys_ = &*faults_;
    }
    if (!options.trace.empty()) {
      OpenTrace(options.trace);
      trace_.emplace(*sys_, [this](absl::string_view line) {
        (file_.is_open() ? file_ : std::cerr) << line << "\n" << std::flush;
      });
      sys_ = &*trace_;
    }
    main_.emplace(kernel_);
    face_ = {
        .sys = sys_, .kernel = &kernel_, .native_wait = options.native_wait};
    PutInCharge(&face_);
  }

  FakeKernel& kernel() { return kernel_; }

 private:
  void OpenTrace(const std::string& path) {
    if (path == "-") return;
    file_.open(path, std::ios::app);
    if (file_.is_open()) return;
    std::fprintf(stderr, "libnet_fake.so: cannot write %s: %s\n", path.c_str(),
                 strerror(errno));
    std::_Exit(kRefused);
  }

  FakeKernel kernel_;
  FakeProcess& process_;
  Placeholders placeholders_;
  Syscalls* sys_;
  std::optional<FaultInjector> faults_;
  std::ofstream file_;
  std::optional<TracingSyscalls> trace_;
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
  if (!options.ok()) {
    std::fprintf(stderr, "libnet_fake.so: %s\n",
                 std::string(options.status().message()).c_str());
    std::_Exit(kRefused);
  }
  pthread_atfork(nullptr, nullptr, &StartInChild);
  world = new ProgramWorld(*options);
}

}  // namespace
}  // namespace net::preload
