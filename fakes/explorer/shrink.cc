#include "fakes/explorer/shrink.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fakes/call.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/explored_run.h"
#include "fakes/explorer/fault_choices.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/found_defects.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/verdict.h"
#include "fakes/faults/effect.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"

namespace net {
namespace {

class Shrinker {
 public:
  Shrinker(const FoundDefect& found, const std::vector<MonitoredCall>& plain,
           const ExploreOptions& options, const Scenario& scenario)
      : found_(found),
        plain_(plain),
        declarations_(options.declarations),
        run_options_(RunOptionsOf(options)),
        scenario_(scenario) {
    best_.plan = found.plan;
    best_.text = found.defect.text;
  }

  ShrunkPlan Shrink() {
    if (found_.defect.kind == FindingKind::kBroken) return best_;
    if (found_.defect.kind == FindingKind::kCrash) {
      RewriteCrash();
      return best_;
    }
    DropRules();
    FaultPlan in_order = best_.plan;
    std::reverse(in_order.rules.begin(), in_order.rules.end());
    Try(in_order);
    NameCalls();
    for (size_t i = 0; i < best_.plan.rules.size(); ++i) Simplify(i);
    return best_;
  }

 private:
  // Makes `plan` the best one if it shows the defect, too.
  bool Try(const FaultPlan& plan) {
    const absl::StatusOr<FaultPlan> parsed = ParseFaultPlan(plan.ToString());
    if (!parsed.ok() && !plan.rules.empty()) return false;
    const FaultPlan tried = parsed.ok() ? *parsed : plan;
    const ExploredRun run = RunOnFakeKernel(scenario_, tried, run_options_);
    if (!run.unmatched.empty()) return false;
    const std::vector<Defect> defects =
        Judge(run, tried, declarations_).defects;
    const auto found = std::ranges::find_if(defects, [&](const Defect& defect) {
      return defect.kind == found_.defect.kind && IsAboutObject(run, defect);
    });
    if (found == defects.end()) return false;
    best_ = {plan, found->text};
    return true;
  }

  bool IsAboutObject(const ExploredRun& run, const Defect& defect) const {
    return ObjectSite(defect, SitesOf(plain_, run)) == found_.object;
  }

  // Tries the best plan with the rule `i` changed.
  template <typename Change>
  bool TryChange(size_t i, Change change) {
    FaultPlan plan = best_.plan;
    change(plan.rules[i]);
    return plan == best_.plan || Try(plan);
  }

  void DropRules() {
    for (size_t i = 0; i < best_.plan.rules.size();) {
      FaultPlan plan = best_.plan;
      plan.rules.erase(plan.rules.begin() + static_cast<ptrdiff_t>(i));
      if (!Try(plan)) ++i;
    }
  }

  static void NameCall(const MonitoredCall& call, FaultRule& rule) {
    rule.selector.calls = std::string(CallName(call.call));
    rule.selector.position = std::nullopt;
    rule.selector.occurrence.first = call.occurrence;
    if (rule.times == 1) rule.selector.occurrence.last = call.occurrence;
    if (rule.times == 1) rule.times = FaultRule().times;
  }

  // Replaces positions by the calls' names and occurrences.
  void NameCalls() {
    const ExploredRun run =
        RunOnFakeKernel(scenario_, best_.plan, run_options_);
    FaultPlan named = best_.plan;
    for (auto hit = run.hits.rbegin(); hit != run.hits.rend(); ++hit) {
      named.rules[hit->rule] = best_.plan.rules[hit->rule];
      NameCall(run.calls[static_cast<size_t>(hit->call)],
               named.rules[hit->rule]);
    }
    Try(named);
  }

  void Simplify(size_t i) {
    TryChange(i, [](FaultRule& rule) {
      if (rule.action.kind == ActionKind::kError) {
        rule.action.effect = Effect::kDefault;
        rule.action.bytes = 0;
      }
    });
    SimplifyErrno(i);
    TryChange(i, [](FaultRule& rule) { rule.selector.occurrence = {}; });
    SimplifyTimes(i);
  }

  void SimplifyErrno(size_t i) {
    const FaultRule& rule = best_.plan.rules[i];
    const std::optional<SyscallId> call =
        SyscallIdFromName(rule.selector.calls);
    if (rule.action.kind != ActionKind::kError || !call.has_value()) return;
    for (const int error : UsualErrnos(CallOf(*call))) {
      if (error == best_.plan.rules[i].action.error ||
          TryChange(i, [error](FaultRule& changed) {
            changed.action.error = error;
          })) {
        return;
      }
    }
  }

  void SimplifyTimes(size_t i) {
    const int times = best_.plan.rules[i].times;
    if (times == FaultRule().times) return;
    if (TryChange(i, [](FaultRule& rule) { rule.times = FaultRule().times; }) ||
        TryChange(i, [](FaultRule& rule) {
          rule.times = FaultRule().times;
          rule.selector.occurrence.last = rule.selector.occurrence.first;
        })) {
      return;
    }
    for (int fewer = 2; fewer < times; ++fewer) {
      if (TryChange(i, [fewer](FaultRule& rule) { rule.times = fewer; })) {
        return;
      }
    }
  }

  // The last fault, which is the first rule, crashes the process. The others
  // can be run.
  void RewriteCrash() {
    FaultPlan before = found_.plan;
    const FaultRule crash = before.rules.front();
    before.rules.erase(before.rules.begin());
    const ExploredRun run = RunOnFakeKernel(scenario_, before, run_options_);
    FaultPlan named = before;
    for (auto hit = run.hits.rbegin(); hit != run.hits.rend(); ++hit) {
      named.rules[hit->rule] = before.rules[hit->rule];
      NameCall(run.calls[static_cast<size_t>(hit->call)],
               named.rules[hit->rule]);
    }
    std::reverse(named.rules.begin(), named.rules.end());
    named.rules.push_back(crash);
    for (const MonitoredCall& call : run.calls) {
      if (call.position == crash.selector.position->first) {
        NameCall(call, named.rules.back());
        DropWhatIsUsual(run, call, named.rules.back());
      }
    }
    best_.plan = named;
  }

  static void DropWhatIsUsual(const ExploredRun& run, const MonitoredCall& call,
                              FaultRule& rule) {
    const auto is_another = [&](const MonitoredCall& other) {
      return other.call == call.call && other.position != call.position;
    };
    if (std::none_of(run.calls.begin(), run.calls.end(), is_another)) {
      rule.selector.occurrence = {};
    }
    if (rule.action.kind == ActionKind::kError &&
        rule.action.effect ==
            DefaultEffect(IdOf(call.call), rule.action.error)) {
      rule.action.effect = Effect::kDefault;
    }
  }

  const FoundDefect& found_;
  const std::vector<MonitoredCall>& plain_;
  const std::vector<Declaration>& declarations_;
  const RunOptions run_options_;
  const Scenario& scenario_;
  ShrunkPlan best_;
};

}  // namespace

ShrunkPlan Shrink(const FoundDefect& found,
                  const std::vector<MonitoredCall>& plain,
                  const ExploreOptions& options, const Scenario& scenario) {
  return Shrinker(found, plain, options, scenario).Shrink();
}

}  // namespace net
