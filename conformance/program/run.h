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

// Prints an error of the program and returns kError.
int Fail(absl::string_view message);

struct RunOptions {
  int jobs = 2;
  int repeat = 1;
  // If set, the trials run in the random order that this seed determines.
  std::optional<uint64_t> shuffle_seed;
  absl::Duration timeout = absl::Seconds(60);
  bool verbose = false;
  bool all_cases = true;    // every case runs, so stale expectations show
  bool try_drivers = true;  // run the smoke cases of drivers first
  bool run_again = true;    // run trials again that end unexpectedly: see Rerun
  bool fix = false;         // rewrite the files of expectations
  bool next = false;        // name the failure to mend first
  // A command line that repeats this run, for reports.
  std::string command;
  // The same without a selection of cases and implementations.
  std::string command_for_all;
  // The same without a selection of cases.
  std::string command_for_one;
  // Files to write; "" for none.
  std::string records;
  std::string junit;
  std::string markdown;
  std::string html;
  std::string badge;  // needs `html`, to which it links
  // The file of expectations to use in place of the only target's own; "" for
  // its own.
  std::string expectations;
};

// Runs the cases for the targets, prints the report, writes the files, and
// returns the exit status of the program.
int Run(absl::Span<const Case* const> cases,
        absl::Span<const Target* const> targets, const RunOptions& options);

// Writes the page of --html from a file of records that an earlier run has
// written, and returns the exit status of the program. The date on the page is
// that of the file's last change.
int WritePageOf(const std::string& records, const RunOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_PROGRAM_RUN_H_
