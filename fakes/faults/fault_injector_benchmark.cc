// Measures what a FaultInjector with an empty plan adds to a call: the
// difference to the same call without it. The first pairs use a kernel that
// does nothing; the others use a FakeKernel.
//
//   bazel run --config=opt //fakes/faults:fault_injector_benchmark
//
// Bounds: 10 ns for calls that make or close no descriptor (shutdown, send,
// poll), 40 ns for others (socket, close; the pair counts as two).

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <memory>

#include "benchmark/benchmark.h"
#include "fakes/fake_kernel.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/ratio_benchmark.h"

namespace net {
namespace {

constexpr int kFd = 5;

class NothingKernel final : public Syscalls {
 public:
  SysResult Socket(int /*domain*/, int /*type*/, int /*protocol*/) override {
    return SysResult::Ok(kFd);
  }
  SysResult Shutdown(int fd, int /*how*/) override {
    benchmark::DoNotOptimize(fd);
    return SysResult::Ok();
  }
  SysResult Send(int fd, const void* /*data*/, size_t size,
                 int /*flags*/) override {
    benchmark::DoNotOptimize(fd);
    return SysResult::Ok(static_cast<int64_t>(size));
  }
  SysResult Poll(pollfd* fds, nfds_t count, int /*timeout_ms*/) override {
    benchmark::DoNotOptimize(fds);
    return SysResult::Ok(static_cast<int64_t>(count));
  }
  SysResult Close(int fd) override {
    benchmark::DoNotOptimize(fd);
    return SysResult::Ok();
  }
};

// Hides the concrete type from the compiler, as in real code.
Syscalls& Hidden(Syscalls& kernel) {
  Syscalls* volatile pointer = &kernel;
  return *pointer;
}

// A kernel, and how it is reached.
struct Direct {
  static std::unique_ptr<Syscalls> Front(Syscalls& /*kernel*/) {
    return nullptr;
  }
};
struct Injected {
  static std::unique_ptr<Syscalls> Front(Syscalls& kernel) {
    auto injector = std::make_unique<FaultInjector>(kernel);
    injector->Arm(FaultPlan());
    return injector;
  }
};

template <typename Way>
class World {
 public:
  explicit World(Syscalls& kernel) : front_(Way::Front(kernel)) {
    sys_ = &Hidden(front_ == nullptr ? kernel : *front_);
  }
  Syscalls& sys() { return *sys_; }

 private:
  std::unique_ptr<Syscalls> front_;
  Syscalls* sys_;
};

template <typename Way>
void BM_Shutdown(benchmark::State& state) {
  NothingKernel kernel;
  World<Way> world(kernel);
  Syscalls& sys = world.sys();
  const int fd = sys.Socket(AF_INET, SOCK_STREAM, 0).fd();
  for (auto _ : state) benchmark::DoNotOptimize(sys.Shutdown(fd, SHUT_WR));
}
BENCHMARK_TEMPLATE(BM_Shutdown, Direct);
BENCHMARK_TEMPLATE(BM_Shutdown, Injected);

template <typename Way>
void BM_Send(benchmark::State& state) {
  NothingKernel kernel;
  World<Way> world(kernel);
  Syscalls& sys = world.sys();
  const int fd = sys.Socket(AF_INET, SOCK_STREAM, 0).fd();
  for (auto _ : state) benchmark::DoNotOptimize(sys.Send(fd, "hello", 5, 0));
}
BENCHMARK_TEMPLATE(BM_Send, Direct);
BENCHMARK_TEMPLATE(BM_Send, Injected);

template <typename Way>
void BM_Poll(benchmark::State& state) {
  NothingKernel kernel;
  World<Way> world(kernel);
  Syscalls& sys = world.sys();
  pollfd polled = {sys.Socket(AF_INET, SOCK_STREAM, 0).fd(), POLLIN, 0};
  for (auto _ : state) benchmark::DoNotOptimize(sys.Poll(&polled, 1, -1));
}
BENCHMARK_TEMPLATE(BM_Poll, Direct);
BENCHMARK_TEMPLATE(BM_Poll, Injected);

// Two calls.
template <typename Way>
void BM_SocketAndClose(benchmark::State& state) {
  NothingKernel kernel;
  World<Way> world(kernel);
  Syscalls& sys = world.sys();
  for (auto _ : state) {
    const int fd = sys.Socket(AF_INET, SOCK_STREAM, 0).fd();
    benchmark::DoNotOptimize(sys.Close(fd));
  }
}
BENCHMARK_TEMPLATE(BM_SocketAndClose, Direct);
BENCHMARK_TEMPLATE(BM_SocketAndClose, Injected);

// With a plan whose rules match other calls.
void BM_ShutdownWithPlan(benchmark::State& state) {
  NothingKernel kernel;
  FaultInjector injector(kernel);
  injector.Arm(
      ParseFaultPlan("accept4#2=EMFILE; send=short(1); close=EIO").value());
  Syscalls& sys = Hidden(injector);
  const int fd = sys.Socket(AF_INET, SOCK_STREAM, 0).fd();
  for (auto _ : state) benchmark::DoNotOptimize(sys.Shutdown(fd, SHUT_WR));
}
BENCHMARK(BM_ShutdownWithPlan);

// The work of a sweep for each plan.
void BM_MakeAndArm(benchmark::State& state) {
  NothingKernel kernel;
  const FaultPlan plan = ParseFaultPlan("*@3=EMFILE; close#1=EIO").value();
  for (auto _ : state) {
    FaultInjector injector(kernel);
    injector.Arm(plan);
    benchmark::DoNotOptimize(injector.Count(Call::kClose));
  }
}
BENCHMARK(BM_MakeAndArm);

// A shutdown(2) that fails, on a FakeKernel.
template <typename Way>
void BM_FakeShutdown(benchmark::State& state) {
  FakeKernel kernel;
  World<Way> world(kernel.NewProcess());
  Syscalls& sys = world.sys();
  const int fd = sys.Socket(AF_INET, SOCK_STREAM, 0).fd();
  for (auto _ : state) benchmark::DoNotOptimize(sys.Shutdown(fd, 9));
}
BENCHMARK_TEMPLATE(BM_FakeShutdown, Direct);
BENCHMARK_TEMPLATE(BM_FakeShutdown, Injected);

}  // namespace
}  // namespace net

int main(int argc, char** argv) {
  return net::RunRatioBenchmarks(
      argc, argv,
      {{"BM_Shutdown<Injected>", "BM_Shutdown<Direct>"},
       {"BM_Send<Injected>", "BM_Send<Direct>"},
       {"BM_Poll<Injected>", "BM_Poll<Direct>"},
       {"BM_SocketAndClose<Injected>", "BM_SocketAndClose<Direct>"},
       {"BM_ShutdownWithPlan", "BM_Shutdown<Direct>"},
       {"BM_FakeShutdown<Injected>", "BM_FakeShutdown<Direct>"}});
}
