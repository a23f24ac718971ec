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

// The columns of these names, in the order of `columns`; all for no names. An
// error names the ones there are.
absl::StatusOr<std::vector<const Column*>> SelectColumns(
    absl::Span<const Column> columns, absl::Span<const std::string> names);

// The cases of the columns' tables whose ids match one of the globs (`*` and
// `?` as in glob(7), where `*` also matches dots), table after table in the
// order of the columns; all for no globs. An error if a glob matches nothing:
// it is a typing mistake.
absl::StatusOr<std::vector<const Case*>> SelectCases(
    absl::Span<const Column* const> columns,
    absl::Span<const std::string> globs);

// The case of this id in the columns' tables; nullptr if there is none.
const Case* FindCase(absl::Span<const Column> columns, absl::string_view id);

// The same; an error names the nearest.
absl::StatusOr<const Case*> FindNamedCase(absl::Span<const Column> columns,
                                          absl::string_view id);

// For every column each of the cases that are of its table, on each of their
// axes.
std::vector<Trial> MakeTrials(absl::Span<const Case* const> cases,
                              absl::Span<const Column* const> columns);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_SELECTION_H_
