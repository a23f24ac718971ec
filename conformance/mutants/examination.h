#ifndef CONFORMANCE_MUTANTS_EXAMINATION_H_
#define CONFORMANCE_MUTANTS_EXAMINATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"
#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/suite/case.h"

namespace net::conformance {

// A mutation, and the cases that examine it.
struct Exhibit {
  absl::string_view name;
  const Mutation* mutation = nullptr;
  Layer layer = Layer::kLibrary;
  std::vector<const Case*> cases;
  // More cases, each on its first address family only: bugs of one family alone
  // have `cases` that find them.
  std::vector<const Case*> others = {};
  // True for a bug, which may hang and crash. False for a harmless variant,
  // which may also show a variation: an allowed behaviour that net::tcp itself
  // must not show.
  bool is_bug = true;
};

// The result of a case on an exhibit.
struct Finding {
  const Case* test_case = nullptr;
  // True if it failed, crashed, hung or found a leak, on one address family at
  // least.
  bool found = false;
  std::string families;      // on which it did so: "v4, v6"
  int64_t milliseconds = 0;  // of the first of these trials
  std::string message;       // of the first of these trials
  // The error if the suite itself failed; else "".
  std::string harness_error;
};

// Prints "close.descriptor_is_gone found it on v4, v6: fail: ...".
std::ostream& operator<<(std::ostream& os, const Finding& finding);

struct ExaminationOptions {
  // Runs on this machine's kernel and not on the FakeKernel.
  bool on_linux = false;
  int jobs = 8;
};

// Runs the cases of each exhibit on it. Returns for each exhibit the Findings
// of its `cases`, and then of its `others`, in their order. `on_record` is
// called when a trial has ended; `on_tick` at least once a second.
std::vector<std::vector<Finding>> Examine(
    absl::Span<const Exhibit> exhibits, const ExaminationOptions& options,
    absl::FunctionRef<void(const Record&)> on_record,
    const std::function<void()>& on_tick);

// Returns the number of trials that Examine() runs.
size_t TrialsOf(absl::Span<const Exhibit> exhibits);

// Returns the case with this id, of either table; null if there is none.
const Case* FindCaseOf(Layer layer, absl::string_view id);
// Returns the cases that can examine a bug, without those that must find it.
std::vector<const Case*> CasesBeside(const Mutant& bug);
// Returns the cases that must find nothing in a harmless variant.
std::vector<const Case*> CasesFor(const HarmlessVariant& variant);

}  // namespace net::conformance

#endif  // CONFORMANCE_MUTANTS_EXAMINATION_H_
