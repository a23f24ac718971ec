#ifndef CONFORMANCE_COVERAGE_COVERAGE_H_
#define CONFORMANCE_COVERAGE_COVERAGE_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/coverage/cells.h"
#include "conformance/coverage/observation_log.h"
#include "conformance/engine/trial.h"

// Computes the accounts of the suite: which cases reach which cells.

namespace net::conformance {

// The cells that the trials of a run have reached.
struct ObservedRun {
  size_t trials = 0;
  std::vector<Observation> observations;
  // The id of each trial's case.
  std::vector<std::string> cases;
  // The trials that did not pass. They have no observations.
  std::vector<std::string> failures;
};

// Runs all cases of the targets, `jobs` trials at a time, and observes them.
// The targets must run in the trial's process: see RunTrials().
ObservedRun ObserveAll(absl::Span<const Target* const> targets, int jobs);

struct FilledCell {
  std::string name;
  // The cases that reach it. The first one reaches the fewest other cells of
  // the account.
  std::vector<std::string> cases;
  // The observed outcome: "allowed".
  std::set<std::string> details;
  // The reason why no case reaches it; "" if some case does, or if no reason is
  // known.
  std::string reason;
};

struct FilledAccount {
  char letter;
  std::string title;
  std::vector<FilledCell> cells;
};

// Enters a run into the accounts.
std::vector<FilledAccount> FillAccounts(absl::Span<const Account> accounts,
                                        const ObservedRun& run);

// Adds the reasons of a file to the cells that no case reaches. A line is
//
//   LETTER PATTERN  # REASON
//
// where the pattern is as in glob(7) and matches the names of cells. A line
// that begins with '#' is a comment. Fails if a line is malformed, has no
// reason, or matches no empty cell that has no reason yet.
absl::Status AddReasons(absl::string_view text,
                        std::vector<FilledAccount>& accounts);

// Returns the number of cells that are empty without a reason.
size_t CountUnexplained(absl::Span<const FilledAccount> accounts);

// Returns the counts of each account as a table, and the cells that are empty
// without a reason. With `verbose`, returns all cells.
std::string FormatAccounts(absl::Span<const FilledAccount> accounts,
                           bool verbose);
std::string FormatAccountsJson(absl::Span<const FilledAccount> accounts);

// Returns the cases of a run that no cell needs, because each cell that they
// reach is reached by another case, and that are not in `killers`: the cases
// that find a bug of conformance/mutants.
std::vector<std::string> IdleCases(absl::Span<const FilledAccount> accounts,
                                   const ObservedRun& run,
                                   const std::set<std::string>& killers);

// Removes the cases that `text` justifies. Each line has a pattern as in
// glob(7) for ids, and after "#" the reason why the cases stay. Fails if a line
// has no reason, or matches no case that is left.
absl::Status RemoveJustified(absl::string_view text,
                             std::vector<std::string>& cases);

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_COVERAGE_H_
