#ifndef SYSCALLS_TESTING_RATIO_BENCHMARK_H_
#define SYSCALLS_TESTING_RATIO_BENCHMARK_H_

#include <string>
#include <vector>

namespace net {

// Two benchmarks whose quotient is the figure that matters.
struct Ratio {
  std::string numerator;    // a benchmark's name, "BM_Cycle/net_tcp"
  std::string denominator;  // "BM_Cycle/raw"
};

// What main() of a comparing benchmark does: runs the registered benchmarks and
// prints, after Google Benchmark's table, the quotients of the medians and the
// differences in nanoseconds, of CPU time and of the wall clock.
//
// Times of two runs cannot be compared on a machine that does other things: so
// by default there are 9 repetitions, those of all benchmarks interleaved at
// random, and only medians count. Flags given override that. Returns main()'s
// exit status, 1 if a benchmark failed.
int RunRatioBenchmarks(int argc, char** argv, const std::vector<Ratio>& ratios);

}  // namespace net

#endif  // SYSCALLS_TESTING_RATIO_BENCHMARK_H_
