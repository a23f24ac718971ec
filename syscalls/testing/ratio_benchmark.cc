#include "syscalls/testing/ratio_benchmark.h"

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

namespace net {
namespace {

// Nanoseconds.
struct Times {
  double cpu = 0;
  double wall = 0;
};

// Returns the benchmark's name, for example "BM_Bulk/linux/16384".
std::string NameOf(const benchmark::BenchmarkReporter::Run& run) {
  const benchmark::BenchmarkName& name = run.run_name;
  return name.args.empty() ? name.function_name
                           : name.function_name + "/" + name.args;
}

// Prints Google Benchmark's table and records its medians. With a single
// repetition there is no median, and it records the time of that repetition.
class MedianReporter : public benchmark::ConsoleReporter {
 public:
  MedianReporter() : ConsoleReporter(OO_None) {}  // No colours, for logs.

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.real_accumulated_time == 0) continue;  // The benchmark failed.
      const bool single = run.run_type == Run::RT_Iteration;
      if (!single && run.aggregate_name != "median") continue;
      const double to_ns = 1e9 / GetTimeUnitMultiplier(run.time_unit);
      medians_[NameOf(run)] = {run.GetAdjustedCPUTime() * to_ns,
                               run.GetAdjustedRealTime() * to_ns};
    }
  }

  const std::map<std::string, Times>& medians() const { return medians_; }

 private:
  std::map<std::string, Times> medians_;
};

// Prints a ratio. Returns false if one of the two was not measured.
bool PrintRatio(const std::map<std::string, Times>& medians,
                const Ratio& ratio) {
  const auto top = medians.find(ratio.numerator);
  const auto bottom = medians.find(ratio.denominator);
  if (top == medians.end() || bottom == medians.end()) return false;
  const Times& a = top->second;
  const Times& b = bottom->second;
  std::printf(
      "%s : %s = %.3f by CPU time (%+.1f ns), %.3f by wall clock (%+.1f ns)\n",
      ratio.numerator.c_str(), ratio.denominator.c_str(), a.cpu / b.cpu,
      a.cpu - b.cpu, a.wall / b.wall, a.wall - b.wall);
  return true;
}

}  // namespace

int RunRatioBenchmarks(int argc, char** argv,
                       const std::vector<Ratio>& ratios) {
  // The last one of equal flags counts, so the caller's flags come last.
  std::vector<std::string> arguments = {
      argv[0], "--benchmark_repetitions=9",
      "--benchmark_enable_random_interleaving=true",
      "--benchmark_report_aggregates_only=true"};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 1;
  MedianReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  bool complete = true;
  for (const Ratio& ratio : ratios) {
    complete = PrintRatio(reporter.medians(), ratio) && complete;
  }
  return complete ? 0 : 1;
}

}  // namespace net
