// Measures what a program costs that runs on a FakeKernel. Required medians on
// an idle machine:
//
//   a call, on_fake_kernel       at most 150 ns more than FakeProcess's own
//   a call, --shared             at most 50 us
//   the start of a program       at most 20 ms
//   a connect(2) that nobody answers, which takes 131 s of virtual time
//                                at most 50 ms more than the start
//
//   bazel run --config=opt //fakes/preload:cost_benchmark

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/preload/libc_process.h"
#include "syscalls/testing/ratio_benchmark.h"

namespace net {
namespace {

constexpr char kOnLinux[] = "";
constexpr char kOnFakeKernel[] = "fakes/preload/on_fake_kernel -- ";
constexpr char kShared[] = "fakes/preload/on_fake_kernel --shared -- ";
constexpr char kCut[] =
    "fakes/preload/on_fake_kernel --link='* <-> 127.0.0.2 cut' -- ";
constexpr char kCutShared[] =
    "fakes/preload/on_fake_kernel --shared --link='* <-> 127.0.0.2 cut' -- ";

// Runs testdata/cost.c, with `prefix` in front of the command. Returns the
// number that it prints; 0 if it prints none; nullopt if it fails.
std::optional<double> RunCost(absl::string_view prefix,
                              absl::string_view arguments) {
  const std::string command =
      absl::StrCat("exec ", prefix, "fakes/preload/cost ", arguments);
  FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) return std::nullopt;
  double number = 0;
  const bool has_number = std::fscanf(output, "%lf", &number) == 1;
  if (pclose(output) != 0) return std::nullopt;
  return has_number ? number : 0;
}

FakeKernelOptions ManyCalls() {
  FakeKernelOptions options;
  options.hangs.calls_at_one_instant = std::numeric_limits<int64_t>::max();
  return options;
}

// ---- A call: getsockname(2)

// Returns the time of a clock that no hook sees: those of a participant are
// virtual.
double RealSeconds() {
  timespec now = {};
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / 1e9;
}

template <typename Function>
void MeasureCalls(benchmark::State& state, Function call) {
  constexpr int kCalls = 100'000;
  for (auto _ : state) {
    const double start = RealSeconds();
    for (int i = 0; i < kCalls; ++i) {
      sockaddr_in addr = {};
      socklen_t size = sizeof(addr);
      benchmark::DoNotOptimize(call(reinterpret_cast<sockaddr*>(&addr), &size));
    }
    state.SetIterationTime((RealSeconds() - start) / kCalls);
  }
}

void BM_Call_FakeProcess(benchmark::State& state) {
  FakeKernel kernel(ManyCalls());
  FakeProcess& process = kernel.NewProcess();
  const FakeKernel::Participant self(kernel);
  const int fd = process.Socket(AF_INET, SOCK_STREAM, 0).fd();
  MeasureCalls(state, [&](sockaddr* addr, socklen_t* size) {
    return process.GetSockName(fd, addr, size);
  });
}
BENCHMARK(BM_Call_FakeProcess)->Iterations(3)->UseManualTime();

void BM_Call_LibcProcess(benchmark::State& state) {
  FakeKernel kernel(ManyCalls());
  LibcProcess process(kernel);
  const FakeKernel::Participant self(kernel);
  const LibcProcess::Scope scope(process);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  MeasureCalls(state, [&](sockaddr* addr, socklen_t* size) {
    return getsockname(fd, addr, size);
  });
}
BENCHMARK(BM_Call_LibcProcess)->Iterations(3)->UseManualTime();

void BM_Call(benchmark::State& state, absl::string_view prefix, int calls) {
  for (auto _ : state) {
    const std::optional<double> nanoseconds =
        RunCost(prefix, absl::StrCat("calls ", calls));
    if (!nanoseconds.has_value()) {
      state.SkipWithError("the program failed");
      break;
    }
    state.SetIterationTime(*nanoseconds / 1e9);
  }
}
BENCHMARK_CAPTURE(BM_Call, on_fake_kernel, kOnFakeKernel, 100'000)
    ->Iterations(3)
    ->UseManualTime();
BENCHMARK_CAPTURE(BM_Call, shared, kShared, 1'000)
    ->Iterations(3)
    ->UseManualTime();

// ---- A program from start to end

void BM_Program(benchmark::State& state, absl::string_view prefix,
                absl::string_view arguments, double expected) {
  for (auto _ : state) {
    if (RunCost(prefix, arguments) != expected) {
      state.SkipWithError("the program failed");
      break;
    }
  }
}
#define NET_PROGRAM_BENCHMARK(name, prefix, arguments, expected)   \
  BENCHMARK_CAPTURE(BM_Program, name, prefix, arguments, expected) \
      ->UseRealTime()                                              \
      ->Unit(benchmark::kMillisecond)
NET_PROGRAM_BENCHMARK(linux, kOnLinux, "", 0);
NET_PROGRAM_BENCHMARK(on_fake_kernel, kOnFakeKernel, "", 0);
NET_PROGRAM_BENCHMARK(shared, kShared, "", 0);
NET_PROGRAM_BENCHMARK(unanswered, kCut, "connect", 131);
NET_PROGRAM_BENCHMARK(unanswered_shared, kCutShared, "connect", 131);

}  // namespace
}  // namespace net

int main(int argc, char** argv) {
  return net::RunRatioBenchmarks(
      argc, argv,
      {{"BM_Call_LibcProcess", "BM_Call_FakeProcess"},
       {"BM_Call/on_fake_kernel", "BM_Call_FakeProcess"},
       {"BM_Call/shared", "BM_Call_FakeProcess"},
       {"BM_Program/on_fake_kernel", "BM_Program/linux"},
       {"BM_Program/shared", "BM_Program/linux"},
       {"BM_Program/unanswered", "BM_Program/on_fake_kernel"},
       {"BM_Program/unanswered_shared", "BM_Program/shared"}});
}
