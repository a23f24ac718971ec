#ifndef CONFORMANCE_ENGINE_SELECTION_H_
#define CONFORMANCE_ENGINE_SELECTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// Returns the columns with these names, in the order of `columns`; all columns
// if there are no names. An error lists the existing names.
absl::StatusOr<std::vector<const Column*>> SelectColumns(
    absl::Span<const Column> columns, absl::Span<const std::string> names);

// Returns the cases of the columns' tables whose ids match one of the globs;
// all cases if there are no globs. They are in the order of the tables, and the
// tables in the order of the columns. `*` and `?` are as in glob(7), but `*`
// also matches dots. Fails if a glob matches nothing, because it is probably
// misspelt.
absl::StatusOr<std::vector<const Case*>> SelectCases(
    absl::Span<const Column* const> columns,
    absl::Span<const std::string> globs);

// Returns the case with this id in the columns' tables, or nullptr.
const Case* FindCase(absl::Span<const Column> columns, absl::string_view id);

// As FindCase(), but fails if there is none; the error names the nearest ids.
absl::StatusOr<const Case*> FindNamedCase(absl::Span<const Column> columns,
                                          absl::string_view id);

// Makes the trials: for each column, each of the cases that are in its table,
// on each of the case's axes.
std::vector<Trial> MakeTrials(absl::Span<const Case* const> cases,
                              absl::Span<const Column* const> columns);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_SELECTION_H_
