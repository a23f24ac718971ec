#include "conformance/mutants/examination.h"

#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "conformance/cases/cases.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/suite/case.h"
#include "conformance/targets/targets.h"

namespace net::conformance {
namespace {

// Bugs on Linux that spin or hang are ended by it. The FakeKernel finds them
// itself.
constexpr absl::Duration kTimeoutOfBugs = absl::Seconds(20);

const std::vector<Case>& TableOf(Layer layer) {
  return layer == Layer::kLibrary ? AllCases() : AllKernelCases();
}

// Returns the target of `all` on which the exhibit lives, mutated.
Target MakeTarget(const Exhibit& exhibit, absl::Span<const Target> all,
                  bool on_linux) {
  const bool is_library = exhibit.layer == Layer::kLibrary;
  const absl::string_view name =
      is_library ? (on_linux ? "net_tcp" : "net_tcp_on_fake_kernel")
                 : (on_linux ? "linux" : "fake_kernel");
  Target target = *std::find_if(all.begin(), all.end(), [&](const Target& one) {
    return one.name == name;
  });
  target.is_reference = exhibit.is_bug;
  target.name = std::string(exhibit.name);
  return is_library
             ? MutateBelowImplementation(std::move(target), *exhibit.mutation)
             : MutateKernel(std::move(target), *exhibit.mutation);
}

bool IsFound(const Verdict& verdict) {
  return verdict.outcome == Outcome::kFail ||
         verdict.outcome == Outcome::kCrash ||
         verdict.outcome == Outcome::kTimeout || verdict.leak == Leak::kLeak;
}

void Note(const Record& record, Finding& finding) {
  if (record.verdict.outcome == Outcome::kHarnessError) {
    finding.harness_error = record.verdict.message;
  }
  if (!IsFound(record.verdict)) return;
  absl::StrAppend(&finding.families, finding.families.empty() ? "" : ", ",
                  AddressFamilyName(record.trial.family));
  if (finding.found) return;
  finding.found = true;
  finding.milliseconds = record.milliseconds;
  finding.message = absl::StrCat(EndingName(record.verdict), ": ",
                                 record.verdict.message, record.verdict.leaked);
}

// Returns the cases of a layer without those with the ids.
std::vector<const Case*> CasesWithout(
    Layer layer, const std::vector<absl::string_view>& ids) {
  std::vector<const Case*> cases;
  for (const Case& one : TableOf(layer)) {
    const bool is_left_out =
        std::find(ids.begin(), ids.end(), one.id) != ids.end();
    if (!is_left_out) cases.push_back(&one);
  }
  return cases;
}

}  // namespace

std::ostream& operator<<(std::ostream& os, const Finding& finding) {
  os << finding.test_case->id;
  if (!finding.found) return os << " found nothing " << finding.harness_error;
  return os << " found it on " << finding.families << ": " << finding.message;
}

const Case* FindCaseOf(Layer layer, absl::string_view id) {
  for (const Case& one : TableOf(layer)) {
    if (one.id == id) return &one;
  }
  return nullptr;
}

std::vector<const Case*> CasesBeside(const Mutant& bug) {
  return CasesWithout(bug.layer, bug.killers);
}

std::vector<const Case*> CasesFor(const HarmlessVariant& variant) {
  return CasesWithout(Layer::kLibrary, variant.differs_in);
}

size_t TrialsOf(absl::Span<const Exhibit> exhibits) {
  size_t trials = 0;
  for (const Exhibit& exhibit : exhibits) {
    trials += exhibit.others.size();
    for (const Case* one : exhibit.cases) {
      trials += AddressFamiliesOf(one->families).size();
    }
  }
  return trials;
}

std::vector<std::vector<Finding>> Examine(
    absl::Span<const Exhibit> exhibits, const ExaminationOptions& options,
    absl::FunctionRef<void(const Record&)> on_record,
    const std::function<void()>& on_tick) {
  std::vector<std::vector<Finding>> findings(exhibits.size());
  const std::vector<Target> intact = MakeTargets({});
  std::list<Target> targets;
  std::vector<Trial> trials;
  std::map<std::pair<const Target*, const Case*>, Finding*> places;
  for (size_t i = 0; i < exhibits.size(); ++i) {
    const Exhibit& exhibit = exhibits[i];
    const Target& target =
        targets.emplace_back(MakeTarget(exhibit, intact, options.on_linux));
    findings[i].resize(exhibit.cases.size() + exhibit.others.size());
    for (size_t j = 0; j < findings[i].size(); ++j) {
      const bool is_other = j >= exhibit.cases.size();
      const Case* const one = is_other
                                  ? exhibit.others[j - exhibit.cases.size()]
                                  : exhibit.cases[j];
      findings[i][j].test_case = one;
      places[{&target, one}] = &findings[i][j];
      std::vector<AddressFamily> families = AddressFamiliesOf(one->families);
      if (is_other) families.resize(1);
      for (const AddressFamily family : families) {
        trials.push_back({.test_case = one,
                          .family = family,
                          .target = &target,
                          .may_hang = exhibit.is_bug});
      }
    }
  }
  RunTrials(
      trials,
      {.jobs = options.jobs,
       .timeout_of_hanging = kTimeoutOfBugs,
       .on_tick = on_tick},
      [&](const Record& record) {
        Note(record, *places.at({record.trial.target, record.trial.test_case}));
        on_record(record);
      });
  return findings;
}

}  // namespace net::conformance
