#ifndef CONFORMANCE_PROGRAM_RUN_H_
#define CONFORMANCE_PROGRAM_RUN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/engine/expectations.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// Exit statuses of the program.
inline constexpr int kAsExpected = 0;
inline constexpr int kUnexpected = 1;
inline constexpr int kError = 2;

// Prints an error of the program's; kError.
int Fail(absl::string_view message);

struct RunOptions {
  int jobs = 2;
  int repeat = 1;
  // The trials run in a random order, which this number determines.
  std::optional<uint64_t> shuffle_seed;
  absl::Duration timeout = absl::Seconds(60);
  bool verbose = false;
  bool all_cases = true;    // no case was left out: expectations can be stale
  bool try_drivers = true;  // find out first whether they work at all
  bool fix = false;         // rewrite the files of expectations instead
  // The command line of this run, as it can be typed again.
  std::string command;
  // Files to write, unless "".
  std::string records;
  std::string junit;
  std::string markdown;
  // Instead of the columns' own, the file of expectations of the only column.
  std::string expectations;
};

// Runs the cases for the columns, prints the report, writes the files, and
// returns the program's exit status.
int Run(absl::Span<const Case* const> cases,
        absl::Span<const Column* const> columns, const RunOptions& options);

// Runs the cases of drivers themselves (driver_host/smoke_cases.h).
int Smoke(absl::Span<const Column* const> columns, const RunOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_RUN_H_
