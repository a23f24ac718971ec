#ifndef SYSCALLS_TESTING_RATIO_BENCHMARK_H_
#define SYSCALLS_TESTING_RATIO_BENCHMARK_H_

#include <string>
#include <vector>

namespace net {

// Two benchmarks whose ratio is to be measured.
struct Ratio {
  std::string numerator;  // A benchmark's name, for example "BM_Cycle/net_tcp".
  std::string denominator;  // "BM_Cycle/raw".
};

// Implements main() of a benchmark that compares. Runs the registered
// benchmarks and prints Google Benchmark's table. Then prints for each Ratio
// the ratio and the difference of the medians, by CPU time and by wall clock.
// Returns main()'s exit status: 1 if a benchmark failed, else 0.
//
// Times of separate runs are not comparable on a busy machine. By default, each
// benchmark therefore has 9 repetitions, all repetitions are interleaved at
// random, and only medians are reported. Flags on the command line override
// this.
int RunRatioBenchmarks(int argc, char** argv, const std::vector<Ratio>& ratios);

}  // namespace net

#endif  // SYSCALLS_TESTING_RATIO_BENCHMARK_H_
