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

// Returns the targets with these names, in the order of `targets`; all targets
// if there are no names. An error lists the existing names.
absl::StatusOr<std::vector<const Target*>> SelectTargets(
    absl::Span<const Target> targets, absl::Span<const std::string> names);

// Returns the cases of the targets' tables whose ids match one of the globs;
// all cases if there are no globs. They are in the order of the tables, and the
// tables in the order of the targets. `*` and `?` are as in glob(7), but `*`
// also matches dots. Fails if a glob matches nothing, because it is probably
// misspelt.
absl::StatusOr<std::vector<const Case*>> SelectCases(
    absl::Span<const Target* const> targets,
    absl::Span<const std::string> globs);

// Returns the case with this id in the targets' tables, or nullptr.
const Case* FindCase(absl::Span<const Target> targets, absl::string_view id);

// Returns the same case as FindCase(). Fails if there is none; the error names
// the nearest ids.
absl::StatusOr<const Case*> FindNamedCase(absl::Span<const Target> targets,
                                          absl::string_view id);

// Makes the trials: for each target, each of the cases that are in its table,
// on each of the case's address families.
std::vector<Trial> MakeTrials(absl::Span<const Case* const> cases,
                              absl::Span<const Target* const> targets);

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_SELECTION_H_
