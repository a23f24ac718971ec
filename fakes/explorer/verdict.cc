#include "fakes/explorer/verdict.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/explorer/call_monitor.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/fault_choices.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/faults/fault_plan.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"

namespace net {
namespace {

const MonitoredCall& CallAt(const ExploredRun& run, int index) {
  return run.calls[static_cast<size_t>(index)];
}

// Returns whether the program has made the same call again after it failed.
bool IsRepeated(const ExploredRun& run, int index) {
  const MonitoredCall& call = CallAt(run, index);
  if (call.call == Call::kClose) return false;
  return std::any_of(run.calls.begin() + index + 1, run.calls.end(),
                     [&](const MonitoredCall& later) {
                       return later.call == call.call &&
                              later.digest == call.digest;
                     });
}

// An errno that a call had because of the plan.
struct InjectedError {
  size_t rule = 0;
  int call = 0;  // The index of the first call that it hit.
  int error = 0;
  Declaration declared;
};

// Returns them in the order of the calls.
std::vector<InjectedError> ErrorsOf(
    const ExploredRun& run, const FaultPlan& plan,
    const std::vector<Declaration>& declarations) {
  std::vector<InjectedError> errors;
  for (const FaultHit& hit : run.hits) {
    const FaultAction& action = plan.rules[hit.rule].action;
    if (action.kind != ActionKind::kError) continue;
    const bool is_known =
        std::any_of(errors.begin(), errors.end(),
                    [&](const auto& other) { return other.rule == hit.rule; });
    if (is_known) continue;
    errors.push_back({hit.rule, hit.call, action.error,
                      DeclarationFor(declarations, CallAt(run, hit.call).call,
                                     action.error)});
  }
  return errors;
}

// Returns, for each call, whether a rule had hit another call before it hit
// this one: it is in the midst of a storm.
std::vector<bool> RepeatedHits(const ExploredRun& run) {
  std::vector<bool> repeats(run.calls.size(), false);
  for (const FaultHit& hit : run.hits) {
    repeats[static_cast<size_t>(hit.call)] = true;
  }
  for (const int call : FirstHits(run)) {
    repeats[static_cast<size_t>(call)] = false;
  }
  return repeats;
}

// Judges what the scenario returned.
class StatusJudge {
 public:
  // `is_lenient`: the run had a fault without an errno after which it may fail,
  // with any errno.
  StatusJudge(const ExploredRun& run, std::vector<InjectedError> errors,
              bool is_lenient, Verdict& verdict)
      : run_(run),
        errors_(std::move(errors)),
        reported_(ErrnoOf(run.status)),
        is_lenient_(is_lenient),
        verdict_(verdict) {}

  // `must_succeed`: the run had a fault without an errno after which it must
  // not fail.
  void Judge(bool must_succeed) {
    size_t i = 0;
    while (i < errors_.size() && !JudgeError(errors_[i])) ++i;
    const bool is_settled = i < errors_.size();
    for (++i; i < errors_.size(); ++i) {
      OutcomeOf(errors_[i]) = FaultOutcome::kAfterError;
    }
    // A leak because of the descriptor 0, or because of a short count, explains
    // the error.
    if (is_settled || run_.status.ok() || is_lenient_ || run_.hits.empty() ||
        (errors_.empty() && !verdict_.defects.empty())) {
      return;
    }
    verdict_.defects.push_back(
        {must_succeed && errors_.empty() ? FindingKind::kShortCount
                                         : FindingKind::kFailsOtherwise,
         errors_.empty() ? run_.hits.front().call : errors_.front().call,
         absl::StrCat("it returns ", StatusText())});
  }

 private:
  // Returns whether the error settles what the scenario has to return.
  bool JudgeError(const InjectedError& error) {
    switch (error.declared.handling) {
      case Handling::kIgnores:
        if (Reports(error.error) && !IsOfLaterError(error)) {
          OutcomeOf(error) = FaultOutcome::kReported;
          return true;
        }
        OutcomeOf(error) = IsRepeated(run_, error.call)
                               ? FaultOutcome::kRetried
                               : FaultOutcome::kIgnored;
        return false;
      case Handling::kRetries:
        if (Reports(error.error) && !IsOfLaterError(error)) {
          AddDefect(error, FindingKind::kNotRetried);
          return true;
        }
        OutcomeOf(error) = FaultOutcome::kRetried;
        return false;
      case Handling::kReports:
        return JudgeReport(error, error.error, FaultOutcome::kReported);
      case Handling::kTranslates:
        return JudgeReport(error, error.declared.reported,
                           FaultOutcome::kTranslated);
    }
    return false;
  }

  bool JudgeReport(const InjectedError& error, int expected,
                   FaultOutcome outcome) {
    if (Reports(expected)) {
      OutcomeOf(error) = outcome;
    } else if (run_.status.ok()) {
      AddDefect(error, FindingKind::kSwallowed);
    } else if (is_lenient_) {
      OutcomeOf(error) = FaultOutcome::kAfterError;
    } else {
      AddDefect(error, IsOfLaterError(error) ? FindingKind::kMasked
                                             : FindingKind::kWrongErrno);
    }
    return true;
  }

  bool Reports(int error) const {
    return !run_.status.ok() && reported_ == error;
  }

  // Returns whether what is reported is the errno of a fault after `error`.
  bool IsOfLaterError(const InjectedError& error) const {
    return std::any_of(errors_.begin(), errors_.end(), [&](const auto& other) {
      return other.call > error.call && Reports(other.error);
    });
  }

  FaultOutcome& OutcomeOf(const InjectedError& error) {
    return verdict_.outcomes[error.rule];
  }

  void AddDefect(const InjectedError& error, FindingKind kind) {
    OutcomeOf(error) = FaultOutcome::kFinding;
    verdict_.defects.push_back(
        {kind, error.call,
         absl::StrCat(SiteText(run_.calls, error.call), " fails with ",
                      ErrnoSymbol(error.error), ", and it returns ",
                      StatusText())});
  }

  std::string StatusText() const {
    if (run_.status.ok()) return "OK";
    return reported_ != 0 ? ErrnoSymbol(reported_) : run_.status.ToString();
  }

  const ExploredRun& run_;
  const std::vector<InjectedError> errors_;
  const int reported_;
  const bool is_lenient_;
  Verdict& verdict_;
};

// A program that closes or uses the wrong descriptor does other things wrong
// because of that.
bool IsWrongDescriptor(FindingKind kind) {
  return kind == FindingKind::kDoubleClose ||
         kind == FindingKind::kCloseOfReusedNumber ||
         kind == FindingKind::kUseAfterClose;
}

bool HasWrongDescriptor(const Verdict& verdict) {
  return std::any_of(
      verdict.defects.begin(), verdict.defects.end(),
      [](const Defect& defect) { return IsWrongDescriptor(defect.kind); });
}

std::string ViolationText(const ExploredRun& run, const Violation& violation) {
  const std::string call = SiteText(run.calls, violation.call);
  const std::string maker = SiteText(run.calls, violation.maker);
  switch (violation.kind) {
    case FindingKind::kDoubleClose:
      return violation.maker < 0
                 ? absl::StrCat(call, " closes a descriptor that no call made")
                 : absl::StrCat(call, " closes the descriptor of ", maker,
                                " again");
    case FindingKind::kCloseOfReusedNumber:
      return absl::StrCat("the descriptor of ", maker,
                          " is closed by the former owner of its number (seen "
                          "at ",
                          call, ")");
    case FindingKind::kUseAfterClose:
      return absl::StrCat(call, " uses the descriptor of ", maker,
                          ", which is closed");
    case FindingKind::kLeak:
      return absl::StrCat("nothing closes the descriptor of ", maker);
    case FindingKind::kOutParameter:
      return "the operation has failed and changed its out-parameter";
    case FindingKind::kRetryStorm:
      return absl::StrCat(
          CallName(CallAt(run, violation.call).call),
          " is repeated at once after ",
          ErrnoSymbol(CallAt(run, violation.call).result.error()),
          ", again and again");
    case FindingKind::kNotCloseOnExec:
      return absl::StrCat("the descriptor of ", maker,
                          " is not close-on-exec from the start");
    case FindingKind::kSigpipe:
      return absl::StrCat(call, " raises SIGPIPE if the connection is gone");
    default:
      return "it makes calls without an end";
  }
}

// Returns the object of a violation: the maker of the descriptor, else the
// call.
int ObjectOf(const Violation& violation) {
  return violation.maker >= 0 ? violation.maker : violation.call;
}

// Returns whether the run shows the same descriptor used wrongly before.
bool IsConsequence(const ExploredRun& run, const Violation& violation) {
  for (const Violation& other : run.violations) {
    if (&other == &violation) return false;
    if (other.maker == violation.maker && IsWrongDescriptor(other.kind)) {
      return true;
    }
  }
  return false;
}

void AddViolations(const ExploredRun& run, Verdict& verdict) {
  const auto has = [&](FindingKind kind) {
    return std::any_of(run.violations.begin(), run.violations.end(),
                       [&](const auto& other) { return other.kind == kind; });
  };
  const bool is_hang = run.deadlock.has_value() || has(FindingKind::kEndless);
  for (const Violation& violation : run.violations) {
    // A scenario that is ended by force does not clean up. A storm is the
    // reason why it does not end.
    if (violation.kind == FindingKind::kLeak && is_hang) continue;
    if (violation.kind == FindingKind::kEndless &&
        has(FindingKind::kRetryStorm)) {
      continue;
    }
    if (IsWrongDescriptor(violation.kind) && IsConsequence(run, violation)) {
      continue;
    }
    verdict.defects.push_back(
        {violation.kind, ObjectOf(violation), ViolationText(run, violation)});
  }
}

void AddHang(const ExploredRun& run, Verdict& verdict) {
  for (size_t i = 0; i < run.calls.size(); ++i) {
    if (run.calls[i].result.error() != EDEADLK) continue;
    const int index = static_cast<int>(i);
    verdict.defects.push_back(
        {FindingKind::kHang, index,
         absl::StrCat(SiteText(run.calls, index), " blocks forever")});
    return;
  }
  verdict.defects.push_back(
      {FindingKind::kHang, -1, "a thread blocks forever"});
}

}  // namespace

std::vector<int> FirstHits(const ExploredRun& run) {
  std::vector<int> calls;
  std::set<size_t> rules;
  for (const FaultHit& hit : run.hits) {
    if (rules.insert(hit.rule).second) calls.push_back(hit.call);
  }
  return calls;
}

std::vector<ScenarioSite> SitesOf(const std::vector<MonitoredCall>& plain,
                                  const ExploredRun& run) {
  const std::vector<MonitoredCall>& calls = run.calls;
  const size_t first = run.hits.empty()
                           ? std::min(plain.size(), calls.size())
                           : static_cast<size_t>(run.hits.front().call);
  std::vector<ScenarioSite> sites;
  for (size_t i = 0; i < calls.size(); ++i) {
    const int occurrence = calls[i].occurrence;
    sites.push_back({calls[i].call, i <= first ? occurrence : -occurrence});
  }
  if (first >= plain.size()) return sites;
  const std::vector<bool> repeats = RepeatedHits(run);
  // The longest common subsequence of the calls' names after the first fault.
  // Row i, column j: of calls from i on and plain calls from j on.
  const size_t rows = calls.size() - std::min(calls.size(), first + 1);
  // A call that failed may be repeated, and so has its counterpart later.
  const size_t start = first + (calls[first].result.ok() ? 1 : 0);
  const size_t columns = plain.size() - start;
  constexpr size_t kMostCells = 4000000;
  if (rows * columns > kMostCells) return sites;
  std::vector<std::vector<int>> common(rows + 1,
                                       std::vector<int>(columns + 1, 0));
  const auto is_match = [&](size_t i, size_t j) {
    return !repeats[first + 1 + i] &&
           calls[first + 1 + i].call == plain[start + j].call;
  };
  for (size_t i = rows; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      common[i][j] = is_match(i, j)
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  for (size_t i = 0, j = 0; i < rows && j < columns;) {
    if (is_match(i, j)) {
      sites[first + 1 + i].occurrence = plain[start + j].occurrence;
      ++i;
      ++j;
    } else if (common[i + 1][j] > common[i][j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return sites;
}

std::optional<ScenarioSite> ObjectSite(const Defect& defect,
                                       const std::vector<ScenarioSite>& sites) {
  if (defect.object < 0) return std::nullopt;
  ScenarioSite site = sites[static_cast<size_t>(defect.object)];
  if (defect.kind == FindingKind::kRetryStorm) site.occurrence = 0;
  return site;
}

Verdict Judge(const ExploredRun& run, const FaultPlan& plan,
              const std::vector<Declaration>& declarations) {
  Verdict verdict;
  verdict.outcomes.assign(plan.rules.size(), FaultOutcome::kNotHit);
  bool is_lenient = false;
  bool must_succeed = false;
  for (const FaultHit& hit : run.hits) {
    const FaultAction& action = plan.rules[hit.rule].action;
    verdict.outcomes[hit.rule] = FaultOutcome::kNoErrno;
    if (action.kind == ActionKind::kError) continue;
    (MustSucceed(action) ? must_succeed : is_lenient) = true;
  }
  AddViolations(run, verdict);
  if (run.deadlock.has_value()) {
    if (!HasWrongDescriptor(verdict)) AddHang(run, verdict);
    return verdict;
  }
  const bool has_storm = std::any_of(
      verdict.defects.begin(), verdict.defects.end(), [](const Defect& defect) {
        return defect.kind == FindingKind::kRetryStorm ||
               defect.kind == FindingKind::kEndless;
      });
  if (has_storm || HasWrongDescriptor(verdict)) return verdict;
  if (plan.rules.empty()) {
    if (!run.status.ok()) {
      verdict.defects.push_back(
          {FindingKind::kBroken, -1,
           absl::StrCat("it returns ", run.status.ToString())});
    }
  } else {
    StatusJudge(run, ErrorsOf(run, plan, declarations), is_lenient, verdict)
        .Judge(must_succeed);
  }
  if (run.again.has_value() && !run.again->ok() &&
      !(plan.rules.empty() && !run.status.ok())) {
    verdict.defects.push_back({FindingKind::kLeftBehind, -1,
                               absl::StrCat("without a fault, it then returns ",
                                            run.again->ToString())});
  }
  return verdict;
}

}  // namespace net
