// Measures the cost of the seam: a call through Syscalls& and the same call
// made directly. One pair uses a kernel that does nothing, which shows the cost
// of the virtual call alone. The other pair uses the cheapest real system call.
//
//   bazel run --config=opt //syscalls:overhead_benchmark

#include <unistd.h>

#include <cerrno>

#include "benchmark/benchmark.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/ratio_benchmark.h"

namespace net {
namespace {

// Not inlined, like a function of another library.
[[gnu::noinline]] SysResult CloseNothing(const int fd) {
  benchmark::DoNotOptimize(fd);
  return SysResult::Ok(fd);
}

class NothingKernel final : public Syscalls {
 public:
  SysResult Close(const int fd) override {
    benchmark::DoNotOptimize(fd);
    return SysResult::Ok(fd);
  }
};

// Returns its argument in a way that hides the concrete type from the compiler,
// as in real code. DoNotOptimize() of a variable does not work here: GCC
// miscompiles it with Debian's Google Benchmark 1.7.1, and the pointer is null
// afterwards.
Syscalls& Hidden(Syscalls& kernel) {
  Syscalls* volatile pointer = &kernel;
  return *pointer;
}

void BM_Nothing_Direct(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(CloseNothing(3));
  }
}
BENCHMARK(BM_Nothing_Direct);

void BM_Nothing_Syscalls(benchmark::State& state) {
  NothingKernel kernel;
  Syscalls& sys = Hidden(kernel);
  for (auto _ : state) {
    benchmark::DoNotOptimize(sys.Close(3));
  }
}
BENCHMARK(BM_Nothing_Syscalls);

// close(-1) fails with EBADF after one round trip into the kernel.
void BM_Close_Direct(benchmark::State& state) {
  for (auto _ : state) {
    const int error = ::close(-1) < 0 ? errno : 0;
    benchmark::DoNotOptimize(error);
  }
}
BENCHMARK(BM_Close_Direct);

void BM_Close_Syscalls(benchmark::State& state) {
  Syscalls& sys = Hidden(DefaultSyscalls());
  for (auto _ : state) {
    benchmark::DoNotOptimize(sys.Close(-1));
  }
}
BENCHMARK(BM_Close_Syscalls);

}  // namespace
}  // namespace net

int main(int argc, char** argv) {
  return net::RunRatioBenchmarks(argc, argv,
                                 {{"BM_Nothing_Syscalls", "BM_Nothing_Direct"},
                                  {"BM_Close_Syscalls", "BM_Close_Direct"}});
}
