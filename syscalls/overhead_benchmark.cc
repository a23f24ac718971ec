// What the seam costs: a call through Syscalls& beside the same call made
// directly. Once with a kernel that does nothing, which shows the virtual call
// alone, and once with the cheapest real system call there is.
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

// Kept out of line, as a function of another library is.
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

// The kernel, as somebody's code has it: the compiler must not know which.
// (Not by DoNotOptimize() of a variable, which Debian's Google Benchmark 1.7.1
// miscompiles with GCC: it came back null.)
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

// close(-1): EBADF, after the way into the kernel and back.
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
