// Measures what a trap costs a program, in comparison with strace(1). Required
// by wall clock:
//
//   a trapped call, trap / strace         at most 0.5
//   a call that passes, trap - no trap    at most 15 ns
//
//   bazel run --config=opt //fakes/trap:trap_benchmark
//
// The program is testdata/calls.c. Its trapped call is setsockopt(2) on a TCP
// socket: the plan is asked, and the kernel makes the call. strace gets the
// same call with --seccomp-bpf, so that others pass.

#include <sys/types.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/trap/probe.h"
#include "fakes/trap/syscall_trap.h"
#include "syscalls/testing/ratio_benchmark.h"

namespace net {
namespace {

constexpr char kProgram[] = "fakes/trap/calls";

// A file for the program's result.
class ResultFile {
 public:
  ResultFile() { close(mkstemp(path_)); }
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;
  ~ResultFile() { unlink(path_); }

  std::string path() const { return path_; }
  // Returns the nanoseconds that a call took, or 0.
  double Read() const {
    double each = 0;
    std::ifstream(path_) >> each;
    return each;
  }

 private:
  char path_[32] = "/tmp/trap_benchmark.XXXXXX";
};

enum class Under { kNothing, kTrap, kStrace };

bool RunTrapped(const std::vector<std::string>& command) {
  const FaultPlan plan = *ParseFaultPlan("setsockopt#1000000000=ENOMEM");
  const auto trap = SyscallTrap::Start({}, plan, command);
  return trap.ok() && (*trap)->Wait().ok();
}

void MeasureCalls(benchmark::State& state, Under under, const char* kind,
                  int number) {
  while (state.KeepRunning()) {
    const ResultFile result;
    std::vector<std::string> command = {kProgram, result.path(),
                                        absl::StrCat(number), kind};
    bool is_done = false;
    if (under == Under::kTrap) {
      is_done = RunTrapped(command);
    } else {
      std::string line = under == Under::kStrace
                             ? "strace -f --seccomp-bpf -e trace=setsockopt -o "
                               "/dev/null"
                             : "";
      for (const std::string& word : command) {
        absl::StrAppend(&line, " ", word);
      }
      // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): words of ours
      is_done = std::system(line.c_str()) == 0;
    }
    const double each = is_done ? result.Read() : 0;
    if (each <= 0) {
      state.SkipWithError("the program did not run");
      return;
    }
    constexpr double kNanosecond = 1e-9;
    state.SetIterationTime(each * kNanosecond);
  }
}

constexpr int kFew = 2'000;
constexpr int kMany = 200'000;

BENCHMARK_CAPTURE(MeasureCalls, trapped / alone, Under::kNothing, "trapped",
                  kMany)
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(MeasureCalls, trapped / trap, Under::kTrap, "trapped", kFew)
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(MeasureCalls, trapped / strace, Under::kStrace, "trapped",
                  kFew)
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(MeasureCalls, passing / alone, Under::kNothing, "passing",
                  kMany)
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(MeasureCalls, passing / trap, Under::kTrap, "passing", kMany)
    ->UseManualTime()
    ->Iterations(1);

}  // namespace
}  // namespace net

int main(int argc, char** argv) {
  if (const absl::Status status = net::trap::CheckSeccomp(); !status.ok()) {
    std::cerr << "skipped: " << status << "\n";
    return 0;
  }
  // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a constant
  if (std::system("command -v strace > /dev/null") != 0) {
    std::cerr << "skipped: there is no strace\n";
    return 0;
  }
  return net::RunRatioBenchmarks(
      argc, argv,
      {{"MeasureCalls/trapped/trap", "MeasureCalls/trapped/strace"},
       {"MeasureCalls/trapped/trap", "MeasureCalls/trapped/alone"},
       {"MeasureCalls/passing/trap", "MeasureCalls/passing/alone"}});
}
