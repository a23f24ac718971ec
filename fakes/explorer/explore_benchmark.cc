// Measures the explorer: all singles and ordered pairs of faults of a scenario
// that listens, connects, accepts, asks for the peer's address and closes. Each
// plan is two runs of the scenario. Required medians on an idle machine:
//
//   BM_Explore: 10,000 plans         less than 0.25 s
//   BM_Strace / BM_ExploreOnePlan    at least 200
//
// BM_Explore/prune:0 runs all plans, BM_Explore/prune:1 those that pruning
// leaves.
//
// BM_Strace runs a program that does the same under strace(1), which injects
// one fault. If there is no strace, it is skipped.
//
//   bazel run --config=opt //fakes/explorer:explore_benchmark

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/net_tcp_scenarios.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/ratio_benchmark.h"

namespace net {
namespace {

constexpr absl::string_view kCycleFlag = "--cycle";
// The exit status of the program if a call fails. strace(1) has another.
constexpr int kFailed = 42;
constexpr char kStrace[] = "/usr/bin/strace";

absl::Status Cycle(Syscalls& sys) {
  return ListenConnectAccept(ip::kLocalV4, sys);
}

ExploreResult Explore(bool prune) {
  ExploreOptions options;
  options.declarations = NetTcpDeclarations();
  options.prune = prune;
  return ExploreFaults(options, Cycle);
}

void BM_Explore(benchmark::State& state) {
  constexpr double kTenThousand = 10000;
  const bool prune = state.range(0) != 0;
  ExploreCounts counts;
  for (auto _ : state) counts = Explore(prune).counts;
  const auto runs = static_cast<double>(counts.runs);
  state.counters["plans"] = static_cast<double>(counts.plans);
  state.counters["runs"] = runs;
  // The seconds that 10,000 runs take.
  state.counters["s_per_10000"] = benchmark::Counter(
      runs / kTenThousand, benchmark::Counter::kIsIterationInvariantRate |
                               benchmark::Counter::kInvert);
}

// The same as BM_Explore; an iteration is one plan.
void BM_ExploreOnePlan(benchmark::State& state) {
  const int64_t runs = Explore(/*prune=*/false).counts.runs;
  while (state.KeepRunningBatch(runs)) {
    benchmark::DoNotOptimize(Explore(/*prune=*/false));
  }
}

// Returns whether the program has reported its fault.
bool RunUnderStrace() {
  const std::string self = "/proc/" + std::to_string(::getpid()) + "/exe";
  std::vector<std::string> words = {kStrace,
                                    "-o",
                                    "/dev/null",
                                    "-e",
                                    "inject=bind:error=EADDRINUSE:when=1",
                                    "-e",
                                    "trace=bind",
                                    self,
                                    std::string(kCycleFlag)};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (::posix_spawn(&pid, kStrace, nullptr, nullptr, argv.data(), environ) !=
      0) {
    return false;
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == kFailed;
}

void BM_Strace(benchmark::State& state) {
  if (::access(kStrace, X_OK) != 0) {
    state.SkipWithError("there is no strace");
    return;
  }
  for (auto _ : state) {
    if (!RunUnderStrace()) {
      state.SkipWithError("strace has failed");
      return;
    }
  }
}

BENCHMARK(BM_Explore)
    ->ArgName("prune")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ExploreOnePlan)->UseRealTime();
BENCHMARK(BM_Strace)->UseRealTime()->Iterations(12);

}  // namespace
}  // namespace net

namespace {

bool HasFilter(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (absl::StartsWith(argv[i], "--benchmark_filter")) return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  // The program that runs under strace.
  if (argc == 2 && argv[1] == net::kCycleFlag) {
    return net::Cycle(net::DefaultSyscalls()).ok() ? 0 : net::kFailed;
  }
  // With a filter, one of the two may not run.
  std::vector<net::Ratio> ratios;
  if (!HasFilter(argc, argv)) {
    ratios.push_back({"BM_Strace", "BM_ExploreOnePlan"});
  }
  return net::RunRatioBenchmarks(argc, argv, ratios);
}
