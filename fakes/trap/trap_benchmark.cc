// Measures what a trap costs a program, in comparison with strace(1). Required
// by wall clock:
//
//   a trapped call, trap / strace         at most 0.5
//   a call that passes, trap - filtered   at most 15 ns
//
// "filtered" is a filter that lets everything pass: what the kernel takes for
// any filter (9 ns on an idle machine, 26 to 32 ns on a busy one; Linux 6.18).
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
                  int batches) {
  while (state.KeepRunning()) {
    const ResultFile result;
    std::vector<std::string> command = {kProgram, result.path(),
                                        absl::StrCat(batches), kind};
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

void Register(const char* name, Under under, const char* kind, int batches) {
  benchmark::RegisterBenchmark(name,
                               [=](benchmark::State& state) {
                                 MeasureCalls(state, under, kind, batches);
                               })
      ->UseManualTime()
      ->Iterations(1);
}

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
  constexpr int kFew = 100;
  constexpr int kMany = 5'000;
  net::Register("trapped/alone", net::Under::kNothing, "trapped", kMany);
  net::Register("trapped/trap", net::Under::kTrap, "trapped", kFew);
  net::Register("trapped/strace", net::Under::kStrace, "trapped", kFew);
  net::Register("passing/alone", net::Under::kNothing, "passing", kMany);
  net::Register("passing/filtered", net::Under::kNothing, "filtered", kMany);
  net::Register("passing/trap", net::Under::kTrap, "passing", kMany);
  return net::RunRatioBenchmarks(argc, argv,
                                 {{"trapped/trap", "trapped/strace"},
                                  {"trapped/trap", "trapped/alone"},
                                  {"passing/trap", "passing/filtered"},
                                  {"passing/trap", "passing/alone"}});
}
